//! Work that one process at a time does. A lock of the server says which one. It ends with the connection that has it, and
//! so with the process.

use crate::store::error::Result;
use crate::store::postgres::link::connection::Connection;
use crate::store::postgres::link::pool::Pool;
use std::time::Duration;

/// The stores of other schemas have locks of their own.
const TAKE: &str = "SELECT pg_try_advisory_lock($1, (SELECT oid FROM pg_namespace WHERE nspname = current_schema())::int)";
const GIVE_BACK: &str = "SELECT pg_advisory_unlock_all()";
const LIMIT: Duration = Duration::from_millis(1500);

/// Work that one process at a time does.
#[derive(Clone, Copy)]
pub enum Work {
    /// The removal of old sessions.
    Purge = 1_685_286_765,
    /// An import.
    Import = 1_685_286_766,
}

/// The right to do the work.
pub struct Turn(Connection);

impl Turn {
    /// Takes the turn, or returns `None` if another process has it.
    pub async fn take(pool: &Pool, work: Work) -> Result<Option<Self>> {
        let connection = pool.connect().await?;
        let taken = connection.query_within(LIMIT, "take a lock", TAKE, &[&(work as i32)]).await;
        let rows = taken.map_err(|failure| pool.error_of(failure))?;
        let is_taken = rows.first().is_some_and(|row| row.get(0));
        Ok(is_taken.then_some(Self(connection)))
    }

    /// Returns the connection that has the lock.
    pub fn connection(&self) -> &Connection {
        &self.0
    }

    /// Gives it back. Without this it ends as soon as the server notices that the connection is gone.
    pub async fn give_back(self) {
        let _ = self.0.query_within(LIMIT, "give a lock back", GIVE_BACK, &[]).await;
    }
}
