//! The first connection of a store.

use crate::store::database::Purpose;
use crate::store::error::{Result, StoreError};
use crate::store::postgres::link::connection::{Backoff, Connection, Connector};
use crate::store::postgres::link::errors::Failure;
use crate::store::postgres::marks;
use crate::store::postgres::tables::schema;
use crate::store::problem::Problem;
use std::sync::Arc;
use std::time::Duration;

/// Longest time for the first connection, in which the servers may still start.
const OPEN_LIMIT: Duration = Duration::from_secs(10);

/// An open of a store.
pub struct Opening<'a> {
    /// Whether it creates missing tables.
    pub creates: bool,
    /// Its reason.
    pub purpose: Purpose,
    /// The identity of the store that is opened.
    pub node: &'a str,
}

/// Connects, brings the tables to the current version, and makes the row of the store.
pub async fn prepare(connector: &Connector, opening: &Opening<'_>) -> Result<()> {
    let mut backoff = Backoff::new(OPEN_LIMIT);
    loop {
        let failure = match connector.connect().await {
            Ok(connection) => match enter(connector, &connection, opening).await {
                Ok(()) => return Ok(()),
                Err(Failure::Refused(error)) => return Err(error),
                Err(Failure::Lost(cause)) => connector.unavailable(cause),
                Err(Failure::Again) => {
                    connector.unavailable("another process holds a lock on the tables")
                }
            },
            Err(
                error @ (StoreError::Unavailable { .. }
                | StoreError::Unsuitable { problem: Problem::ReadOnly, .. }),
            ) => error,
            Err(error) => return Err(error),
        };
        if !backoff.wait().await {
            return Err(failure);
        }
    }
}

async fn enter(
    connector: &Connector,
    connection: &Connection,
    opening: &Opening<'_>,
) -> std::result::Result<(), Failure> {
    schema::migrate(connector, connection, opening.creates).await?;
    match marks::enter(connection, opening.node, opening.purpose).await? {
        None => Ok(()),
        Some(problem) => {
            let name = Arc::clone(connector.name());
            Err(Failure::Refused(StoreError::Unsuitable { name, problem }))
        }
    }
}
