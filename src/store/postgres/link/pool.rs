//! The connections that readers share. A connection takes the statements of many readers, one after the other, without
//! waiting for the answers in between; therefore a few of them are enough.

use crate::store::error::{Result, StoreError};
use crate::store::postgres::link::connection::{Backoff, Connection, Connector};
use crate::store::postgres::link::errors::Failure;
use crate::store::problem::Problem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::Row;

/// Number of connections for look-ups.
const CONNECTIONS: usize = 2;
/// Longest time that one attempt of a look-up waits for its answer.
const ATTEMPT_LIMIT: Duration = Duration::from_millis(1500);
/// Longest time that one attempt of a scan waits for a page.
const PAGE_LIMIT: Duration = Duration::from_secs(60);

const AGAIN: &str = "the server asks for another attempt";

/// Judges whether an answer of a server that has just come is up to date.
pub trait Gate: Send + Sync {
    /// Returns whether the answer counts.
    fn covers(&self, server: &str) -> bool;

    /// Returns why answers of no server count.
    fn reason(&self) -> String;

    /// Returns whether another server is known to be the right one.
    fn is_of_other(&self, server: &str) -> bool;
}

/// Shared connections, opened when they are first needed.
pub struct Pool {
    connector: Arc<Connector>,
    gate: Arc<dyn Gate>,
    look_ups: [Slot; CONNECTIONS],
    /// A connection for whole lists and scans, which a look-up would otherwise wait for.
    scans: Slot,
    turn: AtomicUsize,
    /// Longest time that a read waits for the database.
    limit: Duration,
}

type Slot = Mutex<Option<Arc<Connection>>>;

/// Which connections a statement uses.
#[derive(Clone, Copy)]
pub enum Lane {
    /// For records that must be up to date.
    Gated,
    /// For a few rows.
    LookUp,
    /// For many rows.
    Scan,
}

impl Pool {
    /// Returns a pool without connections. A read fails if it takes longer than `limit`. `gate` judges answers.
    pub fn new(connector: Arc<Connector>, gate: Arc<dyn Gate>, limit: Duration) -> Self {
        Self {
            connector,
            gate,
            look_ups: Default::default(),
            scans: Slot::default(),
            turn: AtomicUsize::new(0),
            limit,
        }
    }

    /// Runs a statement that changes nothing, or nothing that counts. Runs it again on another connection if the first one is lost.
    pub async fn query(
        &self,
        lane: Lane,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        let mut backoff = Backoff::new(self.limit);
        loop {
            let cause = match self.attempt(lane, &backoff, sql, parameters).await {
                Ok(rows) => return Ok(rows),
                Err(Failure::Refused(error)) => return Err(error),
                Err(failure) => failure.to_string(),
            };
            if !backoff.wait().await {
                return Err(self.connector.unavailable(cause));
            }
        }
    }

    /// Returns a connection for one caller alone.
    pub async fn connect(&self) -> Result<Connection> {
        self.connector.connect().await
    }

    /// Returns the name of the database.
    pub fn name(&self) -> Arc<str> {
        Arc::clone(self.connector.name())
    }

    /// Returns the error of a statement that is not tried again.
    pub fn error_of(&self, failure: Failure) -> StoreError {
        match failure {
            Failure::Refused(error) => error,
            Failure::Lost(cause) => self.connector.unavailable(cause),
            Failure::Again => self.connector.unavailable(AGAIN),
        }
    }

    async fn attempt(
        &self,
        lane: Lane,
        backoff: &Backoff,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> std::result::Result<Vec<Row>, Failure> {
        let slot = self.slot(lane);
        let most = match lane {
            Lane::Gated | Lane::LookUp => ATTEMPT_LIMIT,
            Lane::Scan => PAGE_LIMIT,
        };
        let connection = timeout(backoff.left(), self.connection(slot))
            .await
            .map_err(|_| Failure::Lost(self.connector.last_failure()))??;
        let limit = most.min(backoff.left().max(Duration::from_millis(1)));
        let result = connection.query_within(limit, "read", sql, parameters).await;
        let is_gated = matches!(lane, Lane::Gated);
        if is_gated && result.is_ok() && !self.gate.covers(connection.server()) {
            if self.gate.is_of_other(connection.server()) {
                Self::give_up(slot, &connection).await;
            }
            return Err(Failure::Lost(format!("this node has no lease: {}", self.gate.reason())));
        }
        if matches!(result, Err(Failure::Lost(_))) {
            Self::give_up(slot, &connection).await;
        }
        result
    }

    /// Drops a connection that is not to be used any more.
    async fn give_up(slot: &Slot, connection: &Arc<Connection>) {
        let mut current = slot.lock().await;
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, connection)) {
            *current = None;
        }
    }

    fn slot(&self, lane: Lane) -> &Slot {
        match lane {
            Lane::Gated | Lane::LookUp => {
                let turn = self.turn.fetch_add(1, Ordering::Relaxed) % CONNECTIONS;
                self.look_ups.get(turn).unwrap_or(&self.scans)
            }
            Lane::Scan => &self.scans,
        }
    }

    /// Returns the connection of `slot`. One caller connects, and the others wait for it.
    async fn connection(&self, slot: &Slot) -> std::result::Result<Arc<Connection>, Failure> {
        let mut current = slot.lock().await;
        if let Some(connection) = current.as_ref().filter(|connection| !connection.is_closed()) {
            return Ok(Arc::clone(connection));
        }
        let connection = Arc::new(self.connector.connect().await.map_err(of_connecting)?);
        *current = Some(Arc::clone(&connection));
        Ok(connection)
    }
}

/// Sorts the error of an attempt to connect. During a failover all servers may be replicas for a moment.
pub fn of_connecting(error: StoreError) -> Failure {
    match error {
        StoreError::Unavailable { cause, .. } => Failure::Lost(cause),
        StoreError::Unsuitable {
            problem: problem @ (Problem::ReadOnly | Problem::NotSynchronous),
            ..
        } => Failure::Lost(problem.to_string()),
        other => Failure::Refused(other),
    }
}
