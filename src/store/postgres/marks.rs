//! Marks in `ds_meta` that keep processes from opening a store: in the middle of an import, or in quarantine.
//!
//! A process that opens a store writes its row in `ds_node` first, and then looks for marks. An import writes its mark
//! first, and then looks for rows. So at least one of the two sees the other.

use crate::store::database::Purpose;
use crate::store::error::{Result, StoreError};
use crate::store::postgres::commit::resolve;
use crate::store::postgres::link::connection::Connection;
use crate::store::postgres::link::errors::Failure;
use crate::store::postgres::link::pool::Pool;
use crate::store::postgres::turn::{Turn, Work};
use crate::store::problem::Problem;
use std::time::Duration;
use tokio::time::{sleep, Instant};
use tokio_postgres::Row;

const MARKS: &str = "SELECT name FROM ds_meta WHERE name IN ('import', 'quarantine') ORDER BY name";
const MARK: &str =
    "INSERT INTO ds_meta VALUES ('import', '') ON CONFLICT (name) DO NOTHING RETURNING 1";
const UNMARK: &str = "DELETE FROM ds_meta WHERE name = 'import'";
/// A store that is open renews its row twice a second. One whose process was killed leaves it.
const OTHERS: &str =
    "SELECT count(*) FROM ds_node WHERE id <> $1 AND renewed > now() - interval '4 seconds'";
/// Time after which a store that does not renew its row is taken for gone, and time between two looks.
const GONE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(100);
/// Longest time for a statement.
const LIMIT: Duration = Duration::from_secs(5);

/// Writes the row of the store `node`, and returns the mark that forbids to open the store for `purpose`.
pub async fn enter(
    connection: &Connection,
    node: &str,
    purpose: Purpose,
) -> std::result::Result<Option<Problem>, Failure> {
    resolve::register(connection, node, 0).await?;
    let rows = connection.query_within(LIMIT, "look for marks", MARKS, &[]).await?;
    let problem = rows.iter().find_map(|row| match (row.get(0), purpose) {
        ("import", Purpose::Use) => Some(Problem::UnfinishedImport),
        ("quarantine", Purpose::Use | Purpose::Import) => Some(Problem::Quarantined),
        _ => None,
    });
    if problem.is_some() {
        resolve::unregister(connection, node).await?;
    }
    Ok(problem)
}

/// Begins an import by the store `node`. Until [`finish_import`], no other process can open the store. Fails if one has
/// it open.
pub async fn begin_import(pool: &Pool, node: &str) -> Result<Turn> {
    let in_use = |what| StoreError::InUse { name: pool.name(), what };
    let turn = Turn::take(pool, Work::Import).await?;
    let turn = turn.ok_or_else(|| in_use("another import runs"))?;
    let is_first = !ask(pool, turn.connection(), MARK).await?.is_empty();
    let end = Instant::now() + GONE;
    while are_others(pool, turn.connection(), node).await? {
        if Instant::now() > end {
            // An import that was interrupted before this one is still not finished.
            if is_first {
                ask(pool, turn.connection(), UNMARK).await?;
            }
            turn.give_back().await;
            return Err(in_use("other processes have it open"));
        }
        sleep(LOOK).await;
    }
    Ok(turn)
}

/// Ends an import: from now on, other processes can open the store.
pub async fn finish_import(pool: &Pool, turn: Turn) -> Result<()> {
    // The connection of the turn had nothing to do for a long time, and may be lost.
    ask(pool, &pool.connect().await?, UNMARK).await?;
    turn.give_back().await;
    Ok(())
}

async fn are_others(pool: &Pool, connection: &Connection, node: &str) -> Result<bool> {
    let asked = connection.query_within(LIMIT, "look for nodes", OTHERS, &[&node]).await;
    let rows = asked.map_err(|failure| pool.error_of(failure))?;
    Ok(rows.first().is_some_and(|row| row.get::<_, i64>(0) > 0))
}

async fn ask(pool: &Pool, connection: &Connection, sql: &'static str) -> Result<Vec<Row>> {
    let asked = connection.query_within(LIMIT, "mark an import", sql, &[]).await;
    asked.map_err(|failure| pool.error_of(failure))
}
