//! The directory of long lists: a count, and a page far from the beginning, need not walk the list.
//!
//! A block is 4096 numbers of `listid`. The rows of `ds_block` say by how many items a block has grown or shrunk, and
//! their sum is the number of its items. Triggers add them, so programs that know nothing of us keep the directory
//! right as well. Rows are only added, therefore no change of a list waits for another one. Once in a while the rows of
//! a block are replaced by their sum.
//!
//! ```text
//! ds_list   path | is_counted        the lists that have a directory
//! ds_block  path | block | items     `items` more, or fewer if it is negative
//! ```
//!
//! A list gets its directory when a reader finds it long ([`Blocks::found_long`]):
//! 1. Its row in `ds_list` makes the triggers count its changes.
//! 2. Statements that may have begun before that are waited for. Each has a lock on the table `lists`, which it took
//!    before it saw any row.
//! 3. One statement counts the items by block, subtracts what the triggers have counted so far, and adds the rest.

use crate::store::error::Result;
use crate::store::postgres::link::connection::Connection;
use crate::store::postgres::link::errors::Failure;
use crate::store::postgres::link::pool::{of_connecting, Lane, Pool};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout, Instant};

/// Length from which on a list has a directory. Up to here, a count is as fast without one.
pub const LONG: u64 = 2000;

/// Time between two looks for blocks with many rows.
const TIDIED: Duration = Duration::from_secs(5);
/// Longest time to count a list.
const COUNT_LIMIT: Duration = Duration::from_secs(60);
/// Longest time, and time between two looks, in which the statements that run have to end.
const WRITERS_LIMIT: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);

const BEGIN: &str = "INSERT INTO ds_list (path) VALUES ($1) ON CONFLICT (path) DO NOTHING";
/// The transactions that may change the table now, in the form that `pg_locks` has for them.
const WRITERS: &str = "SELECT DISTINCT virtualtransaction FROM pg_locks \
    WHERE locktype = 'relation' AND relation = 'lists'::regclass AND mode NOT IN ('AccessShareLock', 'RowShareLock') \
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
/// Does nothing if another node has counted the list meanwhile.
const COUNT: &str = "
WITH counted AS (
  UPDATE ds_list SET is_counted = true WHERE path = $1 AND NOT is_counted RETURNING path
), now AS (
  SELECT listid::int8 >> 12 AS block, count(*) AS items FROM lists WHERE path = $1 GROUP BY 1
), known AS (
  SELECT block, sum(items) AS items FROM ds_block WHERE path = $1 GROUP BY 1
)
INSERT INTO ds_block (path, block, items)
  SELECT $1, block, coalesce(now.items, 0) - coalesce(known.items, 0) FROM now FULL JOIN known USING (block)
    WHERE EXISTS (SELECT FROM counted) AND coalesce(now.items, 0) <> coalesce(known.items, 0)";
/// Of two nodes that do this at once, each takes the rows that it has removed itself. It need not be durable: without it
/// the sums are the same.
const TIDY: &str = "
WITH crowded AS (
  SELECT path, block FROM ds_block GROUP BY path, block HAVING count(*) > 1
), gone AS (
  DELETE FROM ds_block b USING crowded c WHERE b.path = c.path AND b.block = c.block RETURNING b.path, b.block, b.items
), summed AS (
  INSERT INTO ds_block (path, block, items)
    SELECT path, block, sum(items) FROM gone GROUP BY path, block HAVING sum(items) <> 0
)
SELECT set_config('synchronous_commit', 'off', true) WHERE EXISTS (SELECT FROM gone)";

/// Makes the directories of long lists, and keeps them short.
pub struct Blocks {
    pool: Arc<Pool>,
    /// Paths of long lists without a directory.
    long: Mutex<BTreeSet<String>>,
    found: Notify,
}

impl Blocks {
    /// Returns one that does nothing until [`Blocks::run`].
    pub fn new(pool: Arc<Pool>) -> Self {
        Self { pool, long: Mutex::default(), found: Notify::new() }
    }

    /// Says that the list with the stored name `path` is long, and has no directory.
    pub fn found_long(&self, path: String) {
        self.long.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
        self.found.notify_one();
    }

    /// Works until it is dropped. A list whose directory could not be made is found again by its next reader.
    pub async fn run(self: Arc<Self>) {
        loop {
            let _ = timeout(TIDIED, self.found.notified()).await;
            let long =
                std::mem::take(&mut *self.long.lock().unwrap_or_else(PoisonError::into_inner));
            if !long.is_empty() {
                let _ = self.count_all(&long).await;
            }
            let _ = self.tidy().await;
        }
    }

    async fn tidy(&self) -> Result<()> {
        self.pool.query(Lane::Scan, TIDY, &[]).await.map(drop)
    }

    async fn count_all(&self, long: &BTreeSet<String>) -> std::result::Result<(), Failure> {
        let connection = self.pool.connect().await.map_err(of_connecting)?;
        for path in long {
            connection.query_within(COUNT_LIMIT, "count a list", BEGIN, &[path]).await?;
        }
        wait_for_writers(&connection).await?;
        for path in long {
            connection.query_within(COUNT_LIMIT, "count a list", COUNT, &[path]).await?;
        }
        Ok(())
    }
}

/// Waits until no statement runs that has begun before this call.
async fn wait_for_writers(connection: &Connection) -> std::result::Result<(), Failure> {
    let end = Instant::now() + WRITERS_LIMIT;
    let mut before: Option<BTreeSet<String>> = None;
    loop {
        let rows = connection.query_within(COUNT_LIMIT, "look for writers", WRITERS, &[]).await?;
        let mut now: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
        if let Some(before) = before {
            now.retain(|writer| before.contains(writer));
        }
        if now.is_empty() {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(Failure::Again);
        }
        before = Some(now);
        sleep(LOOK).await;
    }
}
