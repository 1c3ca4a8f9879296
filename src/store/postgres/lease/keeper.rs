//! Renews the lease of a store, and follows the changes of other nodes.

use crate::store::key::Key;
use crate::store::postgres::lease::{clock, lock, Lease, EVERYTHING, SEPARATOR};
use crate::store::postgres::link::connection::{Connection, Connector};
use crate::store::postgres::link::errors::Failure;
use crate::store::postgres::link::pool::of_connecting;
use crate::store::postgres::tables::names::HASHED;
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

/// Channels belong to the whole database, and epochs to a schema of it: a store listens to its own schema alone.
const SCHEMA: &str = "SELECT oid::text FROM pg_namespace WHERE nspname = current_schema()";
/// A commit, so that a server that was replaced cannot confirm it.
const RENEW: &str = "INSERT INTO ds_node (id, leased) VALUES ($1, true) ON CONFLICT (id) DO UPDATE SET leased = true, renewed = now() \
    RETURNING (SELECT epoch FROM ds_epoch WHERE id = 1)";
/// Need not be durable.
const ACKNOWLEDGE: &str =
    "SELECT set_config('synchronous_commit', 'off', true), pg_notify('ds_ack_' || (SELECT oid FROM pg_namespace WHERE nspname = current_schema()), $1)";

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
            if let Err(failure) = self.keep(&mut pause).await {
                self.lease.lose(failure.to_string());
                // It may be a primary that was replaced, and waits for standbys in vain.
                self.connector.begin_with_next();
            }
            sleep(pause).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    /// Keeps the lease as long as one connection lasts, and no notification is missing.
    async fn keep(&mut self, pause: &mut Duration) -> Result<(), Failure> {
        let mut connection = self.connector.connect().await.map_err(of_connecting)?;
        let Some(mut notifications) = connection.take_notifications() else { return Ok(()) };
        let rows = connection.query_within(LIMIT, "listen", SCHEMA, &[]).await?;
        let schema = rows.first().map(|row| row.get::<_, String>(0)).unwrap_or_default();
        let listen = format!("LISTEN ds_change_{schema}; LISTEN ds_ack_{schema}");
        connection.execute_within(LIMIT, "listen", &listen).await?;
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
        if channel.starts_with("ds_ack") {
            if node != self.node {
                let server = parts.next().unwrap_or_default().to_owned();
                lock(&self.lease.acknowledged).insert(node.to_owned(), (server, epoch));
                self.lease.changed.notify_waiters();
            }
            return false;
        }
        let follows = self.epoch.is_none_or(|followed| epoch <= followed + 1);
        for path in parts {
            // The name behind a hash is not known here.
            if path == EVERYTHING || path.starts_with(HASHED) || !follows {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::cache::NotCached;
    use crate::store::contents::Contents;
    use crate::store::postgres::link::pool::Gate;
    use crate::store::postgres::link::url::Address;

    fn keeper() -> Keeper {
        let address = Address::read("postgres://u@localhost/d").unwrap();
        let connector = Arc::new(Connector::new(address, false).unwrap());
        let lease = Arc::new(Lease::new(1 << 20));
        let keeper = Keeper::new(connector, lease, "me".into());
        for name in ["a", "b"] {
            let key = Key::record(name.as_bytes());
            let version = keeper.lease.cache.versions().of(&key);
            keeper.lease.keep(&key, Some(&Contents::from(b"x".as_slice())), version);
        }
        keeper
    }

    fn kept(keeper: &Keeper) -> [bool; 2] {
        ["a", "b"]
            .map(|name| keeper.lease.cache.peek(&Key::record(name.as_bytes())) != Err(NotCached))
    }

    #[test]
    fn a_change_of_another_node_is_followed_and_acknowledged() {
        let mut keeper = keeper();
        keeper.epoch = Some(4);
        assert!(keeper.take("ds_change 5\u{1f}other\u{1f}a"));
        assert_eq!((keeper.epoch, kept(&keeper)), (Some(5), [false, true]));
        assert!(!keeper.take("ds_change 6\u{1f}me\u{1f}b"));
        assert_eq!((keeper.epoch, kept(&keeper)), (Some(6), [false, false]));
    }

    #[test]
    fn a_gap_and_a_change_of_unknown_records_drop_everything() {
        for text in [
            "ds_change 6\u{1f}other\u{1f}c",
            "ds_change 5\u{1f}\u{1f}*",
            "ds_change 5\u{1f}other\u{1f}ds/hash/00",
        ] {
            let mut keeper = keeper();
            keeper.epoch = Some(4);
            assert!(keeper.take(text));
            assert_eq!(kept(&keeper), [false, false], "{text}");
        }
    }

    #[test]
    fn a_record_that_changed_while_it_was_read_is_not_kept() {
        let mut keeper = keeper();
        let key = Key::record(b"c");
        let version = keeper.lease.cache.versions().of(&key);
        keeper.take("ds_change 1\u{1f}other\u{1f}c");
        keeper.lease.keep(&key, Some(&Contents::from(b"old".as_slice())), version);
        assert_eq!(keeper.lease.cache.peek(&key), Err(NotCached));
    }

    #[test]
    fn a_lease_is_that_of_one_server_and_ends() {
        let keeper = keeper();
        assert!(!keeper.lease.is_valid());
        keeper.lease.extend("server", clock::now());
        assert!(keeper.lease.covers("server") && !keeper.lease.covers("other"));
        assert!(keeper.lease.is_of_other("other"));
        keeper
            .lease
            .extend("server", clock::now().saturating_sub(crate::store::postgres::lease::LEASE));
        assert!(!keeper.lease.is_valid());
    }
}
