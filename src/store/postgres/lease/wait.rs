//! Waits after a change until no other node can answer from before it.

use crate::store::postgres::lease::{lock, Lease, LEASE};
use crate::store::postgres::link::connection::Connection;
use crate::store::postgres::link::errors::Failure;
use std::time::Duration;
use tokio::time::{sleep_until, timeout, timeout_at, Instant};
use tokio_postgres::Row;

/// Asked after the change is visible: a node that gets a lease later reads what is new.
const LEASED: &str = "SELECT (SELECT epoch FROM ds_epoch WHERE id = 1), \
    ARRAY(SELECT id FROM ds_node WHERE leased AND id <> $1 ORDER BY id), \
    ARRAY(SELECT renewed::text FROM ds_node WHERE leased AND id <> $1 ORDER BY id)";
/// Only nodes that have not renewed since: a lease that was just extended must not be forgotten.
const END: &str =
    "UPDATE ds_node SET leased = false FROM unnest($1::text[], $2::text[]) AS t (node, was) \
    WHERE id = t.node AND renewed::text = t.was";
const LIMIT: Duration = Duration::from_millis(1500);
/// Longest wait: the time of a lease, and a part of it because clocks of machines do not go equally fast.
const LONGEST: Duration = LEASE.saturating_add(Duration::from_millis(100));

/// Nodes that have to follow a change.
pub struct Others {
    epoch: i64,
    /// The server that has the epoch. After a failover another one may count differently.
    server: String,
    nodes: Vec<Node>,
    end: Instant,
}

/// Another node, and its last renewal.
pub struct Node {
    id: String,
    renewed: String,
}

impl Others {
    /// Asks which other nodes than `node` have a lease, to wait for the current epoch. Call it when the change is visible.
    /// If the nodes cannot be known, every lease has to run out.
    pub async fn ask(connection: Option<&Connection>, node: &str) -> Option<Self> {
        let Some(connection) = connection else { return Some(Self::unknown()) };
        let asked = timeout(LIMIT, leased(connection, node)).await;
        let asked = asked.unwrap_or_else(|_| Err(Failure::Lost("no answer in time".into())));
        Self::of(&asked, connection.server(), None)
    }

    /// Returns the nodes of an answer that `server` gave when the change was visible, to wait for `epoch`, or for the
    /// current one.
    pub fn of(asked: &Result<Vec<Row>, Failure>, server: &str, epoch: Option<i64>) -> Option<Self> {
        let Ok([row, ..]) = asked.as_deref() else { return Some(Self::unknown()) };
        let (ids, renewed): (Vec<String>, Vec<String>) = (row.get(1), row.get(2));
        let nodes = ids.into_iter().zip(renewed);
        let nodes: Vec<_> = nodes.map(|(id, renewed)| Node { id, renewed }).collect();
        let (server, end) = (server.to_owned(), Instant::now() + LONGEST);
        let epoch = epoch.unwrap_or_else(|| row.get(0));
        (!nodes.is_empty()).then_some(Self { epoch, server, nodes, end })
    }

    fn unknown() -> Self {
        let nobody = Node { id: String::new(), renewed: String::new() };
        let end = Instant::now() + LONGEST;
        Self { epoch: i64::MAX, server: String::new(), nodes: vec![nobody], end }
    }

    /// Waits until each node has followed the change, or its lease has run out. Returns those that have not followed.
    pub async fn wait(mut self, lease: &Lease) -> Vec<Node> {
        loop {
            let changed = lease.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let acknowledged = lock(&lease.acknowledged);
                let has_not_followed = |node: &Node| {
                    let known = acknowledged.get(&node.id);
                    known
                        .is_none_or(|(server, epoch)| *server != self.server || *epoch < self.epoch)
                };
                self.nodes.retain(has_not_followed);
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

/// Asks which other nodes than `node` have a lease. The server answers after the statements that were sent before.
pub async fn leased(connection: &Connection, node: &str) -> Result<Vec<Row>, Failure> {
    connection.query("look for nodes", LEASED, &[&node]).await
}

/// Prepares the statement of [`leased`], so that it is sent at once.
pub async fn prepare(connection: &Connection) -> Result<(), Failure> {
    connection.prepare("look for nodes", LEASED).await
}

/// Marks nodes whose lease has run out, so that later changes do not wait for them. They are marked anew by their next
/// renewal.
pub async fn forget(connection: &Connection, nodes: &[Node]) -> Result<(), Failure> {
    let ids: Vec<&str> = nodes.iter().map(|node| node.id.as_str()).collect();
    let renewed: Vec<&str> = nodes.iter().map(|node| node.renewed.as_str()).collect();
    connection.query_within(LIMIT, "forget nodes", END, &[&ids, &renewed]).await.map(drop)
}
