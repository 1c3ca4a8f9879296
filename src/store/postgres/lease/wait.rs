//! Waits after a change until no other node can answer from before it.

use crate::store::postgres::lease::{lock, Lease, LEASE};
use crate::store::postgres::link::connection::Connection;
use crate::store::postgres::link::errors::Failure;
use std::time::Duration;
use tokio::time::{sleep_until, timeout_at, Instant};

/// Asked after the change is visible: a node that gets a lease later reads what is new.
const LEASED: &str = "SELECT (SELECT epoch FROM ds_epoch WHERE id = 1), ARRAY(SELECT id FROM ds_node WHERE leased AND id <> $1)";
const END: &str = "UPDATE ds_node SET leased = false WHERE id = ANY($1)";
const LIMIT: Duration = Duration::from_millis(1500);
/// Longest wait: the time of a lease, and a part of it because clocks of machines do not go equally fast.
const LONGEST: Duration = LEASE.saturating_add(Duration::from_millis(100));

/// Nodes that have to follow a change.
pub struct Others {
    epoch: i64,
    nodes: Vec<String>,
    end: Instant,
}

impl Others {
    /// Asks which other nodes than `node` have a lease. Call it when the change is visible. If that cannot be known,
    /// every lease has to run out.
    pub async fn ask(connection: Option<&Connection>, node: &str) -> Option<Self> {
        let end = Instant::now() + LONGEST;
        let unknown = Self { epoch: i64::MAX, nodes: vec![String::new()], end };
        let Some(connection) = connection else { return Some(unknown) };
        let asked = connection.query_within(LIMIT, "look for nodes", LEASED, &[&node]).await;
        match asked.as_deref() {
            Ok([row, ..]) => {
                let nodes: Vec<String> = row.get(1);
                (!nodes.is_empty()).then(|| Self { epoch: row.get(0), nodes, end })
            }
            _ => Some(unknown),
        }
    }

    /// Waits until each node has followed the change, or its lease has run out. Returns those that have not followed.
    pub async fn wait(mut self, lease: &Lease) -> Vec<String> {
        loop {
            let changed = lease.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let acknowledged = lock(&lease.acknowledged);
                self.nodes
                    .retain(|node| acknowledged.get(node).is_none_or(|known| *known < self.epoch));
            }
            if self.nodes.is_empty() {
                return self.nodes;
            }
            if timeout_at(self.end, changed).await.is_err() {
                sleep_until(self.end).await;
                return self.nodes;
            }
        }
    }
}

/// Marks nodes whose lease has run out, so that later changes do not wait for them. They are marked anew by their next
/// renewal.
pub async fn forget(connection: &Connection, nodes: &[String]) -> Result<(), Failure> {
    connection.query_within(LIMIT, "forget nodes", END, &[&nodes]).await.map(drop)
}
