//! Finds out whether a batch had an effect when its answer was lost.

use crate::store::postgres::link::connection::{Connection, Connector};
use crate::store::postgres::link::errors::Failure;
use crate::store::postgres::link::pool::of_connecting;
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;

/// The batch may still be under way on the server, and holds the row then. Waiting for a lock is not waiting for a
/// commit, so the server may end it.
const LIMIT_LOCK: &str = "SET lock_timeout = '1s'";
const UNLIMIT_LOCK: &str = "SET lock_timeout = 0";
/// A commit of its own: when it is durable, so is everything that this server did before, the batch included.
const FENCE: &str =
    "UPDATE ds_node SET fence = greatest(fence, $2) WHERE id = $1 RETURNING batch, late";
const REGISTER: &str = "INSERT INTO ds_node (id, batch, fence) VALUES ($1, $2, $2) ON CONFLICT (id) DO UPDATE SET renewed = now()";
/// Rows of stores that were not closed.
const FORGET: &str = "DELETE FROM ds_node WHERE renewed < now() - interval '1 day'";
const UNREGISTER: &str = "DELETE FROM ds_node WHERE id = $1";
/// Longest time for a statement about the own row. It is a commit, so it takes as long as the other servers do.
const OWN_ROW_LIMIT: Duration = Duration::from_secs(5);

/// The fate of a batch.
pub enum Resolved {
    /// It had its effect, except for these groups. The connection can be used.
    Done(Vec<i32>, Connection),
    /// It had no effect, and never will.
    NotDone(Connection),
    /// The row of this store is gone, so nobody knows.
    Unknown,
}

/// Fences off the batch `batch` of the store `node`, and returns what became of it. Fails if that is not known yet, after
/// `limit` at the latest.
pub async fn resolve(
    connector: &Connector,
    node: &str,
    batch: i64,
    limit: Duration,
) -> Result<Resolved, Failure> {
    let connection = connector.connect().await.map_err(of_connecting)?;
    connection.execute("look at a change", LIMIT_LOCK).await?;
    let parameters: [&(dyn ToSql + Sync); 2] = [&node, &batch];
    let rows = timeout(limit, connection.query("look at a change", FENCE, &parameters))
        .await
        .map_err(|_| Failure::Lost("the other servers do not confirm".into()))??;
    connection.execute("look at a change", UNLIMIT_LOCK).await?;
    Ok(match rows.first() {
        None => Resolved::Unknown,
        Some(row) if row.get::<_, i64>(0) == batch => Resolved::Done(row.get(1), connection),
        Some(_) => Resolved::NotDone(connection),
    })
}

/// Makes the row of the store `node`, whose last batch was `batch`.
pub async fn register(connection: &Connection, node: &str, batch: i64) -> Result<(), Failure> {
    connection.query_within(OWN_ROW_LIMIT, "register", REGISTER, &[&node, &batch]).await.map(drop)
}

/// Removes the rows of stores that ended long ago.
pub async fn forget_old(connection: &Connection) -> Result<(), Failure> {
    connection.query_within(OWN_ROW_LIMIT, "register", FORGET, &[]).await.map(drop)
}

/// Removes the row of the store `node`.
pub async fn unregister(connection: &Connection, node: &str) -> Result<(), Failure> {
    connection.query_within(OWN_ROW_LIMIT, "unregister", UNREGISTER, &[&node]).await.map(drop)
}
