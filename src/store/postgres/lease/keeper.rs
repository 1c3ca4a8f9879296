//! Renews the lease of a store, and follows the changes of other nodes.

use crate::store::key::Key;
use crate::store::postgres::lease::{clock, lock, Lease, EVERYTHING, SEPARATOR};
use crate::store::postgres::link::connection::{Connection, Connector};
use crate::store::postgres::link::errors::Failure;
use crate::store::postgres::link::pool::of_connecting;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{sleep, timeout, timeout_at, Instant};

/// Time between two renewals.
const RENEWED: Duration = Duration::from_millis(500);
/// Longest time for a renewal, and for the notifications up to its epoch.
const LIMIT: Duration = Duration::from_millis(1500);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

const LISTEN: &str = "LISTEN ds_change; LISTEN ds_ack";
/// A commit, so that a server that was replaced cannot confirm it.
const RENEW: &str = "INSERT INTO ds_node (id, leased) VALUES ($1, true) ON CONFLICT (id) DO UPDATE SET leased = true, renewed = now() \
    RETURNING (SELECT epoch FROM ds_epoch WHERE id = 1)";
/// Need not be durable.
const ACKNOWLEDGE: &str =
    "SELECT set_config('synchronous_commit', 'off', true), pg_notify('ds_ack', $1)";

/// Keeps the lease of one store.
pub struct Keeper {
    connector: Arc<Connector>,
    lease: Arc<Lease>,
    node: String,
    /// The last epoch that was followed, once it is known.
    epoch: Option<i64>,
}

impl Keeper {
    /// Returns the keeper of `lease` for the store `node`.
    pub fn new(connector: Arc<Connector>, lease: Arc<Lease>, node: String) -> Self {
        Self { connector, lease, node, epoch: None }
    }

    /// Works until it is dropped.
    pub async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            if self.keep(&mut pause).await.is_err() {
                self.lease.give_up();
            }
            sleep(pause).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    /// Keeps the lease as long as one connection lasts, and no notification is missing.
    async fn keep(&mut self, pause: &mut Duration) -> Result<(), Failure> {
        let mut connection = self.connector.connect().await.map_err(of_connecting)?;
        let Some(mut notifications) = connection.take_notifications() else { return Ok(()) };
        connection.execute("listen", LISTEN).await?;
        // Changes before this moment were not heard.
        self.lease.give_up();
        self.epoch = None;
        loop {
            let (sent, begun) = (clock::now(), Instant::now());
            let rows =
                connection.query_within(LIMIT, "renew the lease", RENEW, &[&self.node]).await?;
            let epoch = rows.first().map(|row| row.get::<_, i64>(0)).unwrap_or_default();
            if self.epoch.is_none() {
                self.epoch = Some(epoch);
            }
            while self.epoch.is_some_and(|followed| followed < epoch) {
                let next = timeout(LIMIT, notifications.recv()).await;
                let Ok(Some(next)) = next else {
                    return Err(Failure::Lost("a notification is missing".into()));
                };
                self.follow(&connection, &mut notifications, next).await?;
            }
            self.lease.extend(connection.server(), sent);
            *pause = FIRST_PAUSE;
            while let Ok(next) = timeout_at(begun + RENEWED, notifications.recv()).await {
                let next = next.ok_or_else(|| Failure::Lost("the connection is lost".into()))?;
                self.follow(&connection, &mut notifications, next).await?;
            }
        }
    }

    /// Follows a notification and all that have come after it, then tells the other nodes.
    async fn follow(
        &mut self,
        connection: &Connection,
        notifications: &mut UnboundedReceiver<String>,
        first: String,
    ) -> Result<(), Failure> {
        let mut tells = self.take(&first);
        while let Ok(next) = notifications.try_recv() {
            tells |= self.take(&next);
        }
        if let Some(epoch) = self.epoch.filter(|_| tells) {
            let server = connection.server();
            let text = format!("{epoch}{SEPARATOR}{}{SEPARATOR}{server}", self.node);
            connection.query_within(LIMIT, "acknowledge a change", ACKNOWLEDGE, &[&text]).await?;
        }
        Ok(())
    }

    /// Follows one notification. Returns whether another node waits for it.
    fn take(&mut self, text: &str) -> bool {
        let Some((channel, payload)) = text.split_once(' ') else { return false };
        let mut parts = payload.split(SEPARATOR);
        let Some(epoch) = parts.next().and_then(|epoch| epoch.parse::<i64>().ok()) else {
            return false;
        };
        let Some(node) = parts.next() else { return false };
        if channel == "ds_ack" {
            if node != self.node {
                let server = parts.next().unwrap_or_default().to_owned();
                lock(&self.lease.acknowledged).insert(node.to_owned(), (server, epoch));
                self.lease.changed.notify_waiters();
            }
            return false;
        }
        let follows = self.epoch.is_none_or(|followed| epoch <= followed + 1);
        for path in parts {
            if path == EVERYTHING || !follows {
                self.lease.drop_all();
                break;
            }
            self.lease.drop_record(&Key::record(path.as_bytes()));
        }
        if self.epoch.is_some_and(|followed| followed < epoch) {
            self.epoch = Some(epoch);
        }
        // Nobody waits for a node because of its own change.
        node != self.node
    }
}
