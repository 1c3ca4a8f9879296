//! One connection. A server is asked on each new connection whether it can hold a store, because a failover, or a
//! change of its settings, may lead to another answer than before.

use crate::store::error::{Result, StoreError};
use crate::store::postgres::link::errors::{self, Failure};
use crate::store::postgres::link::probe;
use crate::store::postgres::link::tls;
use crate::store::postgres::link::url::Address;
use crate::store::problem::Problem;
use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver};
use tokio::time::{timeout, Instant};
use tokio_postgres::error::Severity;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Row, Socket, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Longest time to connect to one server, with all checks.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// Oldest version of PostgreSQL that works.
const OLDEST: i32 = 130_000;

/// Settings of a connection. No statement is ever cancelled by the server: a commit that is cancelled while it waits for
/// other servers is made, and may be lost. Therefore time limits are this side's. A plan that was made while a table was
/// small is kept for a while, and would read a large table as a whole; every statement has an index.
const SET_UP: &str = "SET synchronous_commit = on; SET statement_timeout = 0; \
    SET default_transaction_isolation = 'read committed'; SET client_min_messages = warning; SET lock_timeout = 0; \
    SET bytea_output = hex; SET standard_conforming_strings = on; SET jit = off; SET enable_seqscan = off; SET ds.node = 'yes'";
const ASK: &str =
    "SELECT current_setting('server_version_num')::int, current_setting('server_version'), \
    pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on', \
    current_setting('synchronous_standby_names') <> '', current_setting('server_encoding'), \
    extract(epoch FROM pg_postmaster_start_time())::text";

/// Connects to the servers of one database.
pub struct Connector {
    address: Address,
    tls: Option<MakeRustlsConnect>,
    is_durable_by_itself: bool,
    /// Index of the server that is tried first.
    first: AtomicUsize,
    /// Why the last attempt to connect failed.
    failure: Mutex<String>,
}

/// An open connection to the primary server. Statements of several callers may be under way at once.
pub struct Connection {
    client: Client,
    statements: Mutex<HashMap<&'static str, Statement>>,
    warnings: Arc<AtomicU64>,
    server: String,
    notifications: Option<UnboundedReceiver<String>>,
}

impl Connector {
    /// Returns a connector to `address`. `is_durable_by_itself` allows a server that waits for no other.
    pub fn new(address: Address, is_durable_by_itself: bool) -> Result<Self> {
        let tls = tls::connector(&address)?;
        let failure = Mutex::new("no connection in time".into());
        Ok(Self { address, tls, is_durable_by_itself, first: AtomicUsize::new(0), failure })
    }

    /// Returns the address of the database, without a password.
    pub fn name(&self) -> &Arc<str> {
        &self.address.name
    }

    /// Returns the error of a database that cannot be reached.
    pub fn unavailable(&self, cause: impl Into<String>) -> StoreError {
        StoreError::Unavailable { name: Arc::clone(self.name()), cause: cause.into() }
    }

    /// Connects to the first server that takes changes.
    pub async fn connect(&self) -> Result<Connection> {
        let mut failure = None;
        let servers = &self.address.servers;
        let first = self.first.load(Ordering::Relaxed) % servers.len().max(1);
        for server in servers.iter().skip(first).chain(servers.iter().take(first)) {
            let attempt = timeout(CONNECT_LIMIT, self.connect_to(server)).await;
            let mut error = match attempt {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => error,
                Err(_) => self.unavailable("a server did not answer in time"),
            };
            if matches!(error, StoreError::Unavailable { .. }) {
                if let Some(answer) = probe::other_server(server).await {
                    error = StoreError::Unsuitable {
                        name: Arc::clone(self.name()),
                        problem: Problem::OtherServer(answer),
                    };
                }
            }
            // The first complaint of the weightiest kind counts.
            if failure.as_ref().is_none_or(|found| weight(&error) > weight(found)) {
                failure = Some(error);
            }
        }
        let failure = failure.unwrap_or_else(|| self.unavailable("it names no server"));
        if let StoreError::Unavailable { cause, .. } = &failure {
            cause.clone_into(&mut self.failure.lock().unwrap_or_else(PoisonError::into_inner));
        }
        Err(failure)
    }

    /// Returns why the last attempt failed, for a caller that has waited for another one in vain.
    pub fn last_failure(&self) -> String {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes the next connection try another server first: the one that was found takes changes, and does not confirm
    /// them. It may be a primary that was replaced.
    pub fn begin_with_next(&self) {
        self.first.fetch_add(1, Ordering::Relaxed);
    }

    async fn connect_to(&self, server: &Config) -> Result<Connection> {
        let mut connection = match &self.tls {
            Some(tls) => self.open(server, tls.clone()).await?,
            None => self.open(server, NoTls).await?,
        };
        self.check(&mut connection).await?;
        Ok(connection)
    }

    async fn open<T>(&self, server: &Config, tls: T) -> Result<Connection>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let connected = server.connect(tls).await;
        let (client, mut driver) =
            connected.map_err(|error| errors::of_connecting(self.name(), &error))?;
        let warnings = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&warnings);
        let (sender, notifications) = unbounded_channel();
        // Ends when the client is dropped or the connection is lost. The error is that of the statements under way.
        tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| driver.poll_message(context)).await {
                match message {
                    AsyncMessage::Notice(notice)
                        if notice.parsed_severity() == Some(Severity::Warning) =>
                    {
                        counted.fetch_add(1, Ordering::Release);
                    }
                    AsyncMessage::Notification(notification) => {
                        let text = [notification.channel(), notification.payload()].join(" ");
                        // Fails if nobody listens any more.
                        let _ = sender.send(text);
                    }
                    _ => {}
                }
            }
        });
        let (statements, server) = Default::default();
        let notifications = Some(notifications);
        Ok(Connection { client, statements, warnings, server, notifications })
    }

    async fn check(&self, connection: &mut Connection) -> Result<()> {
        let problem = |problem| StoreError::Unsuitable { name: Arc::clone(self.name()), problem };
        let failed = |error| match errors::sort("set up a connection", &error) {
            Failure::Refused(StoreError::Postgres { cause, .. }) => {
                problem(Problem::OtherServer(cause))
            }
            Failure::Refused(error) => error,
            _ => self.unavailable(errors::describe(&error)),
        };
        // Asked before anything is set, so that an older server is named as such.
        let row = connection.client.query_one(ASK, &[]).await.map_err(failed)?;
        let (number, version): (i32, String) = (row.get(0), row.get(1));
        if number < OLDEST {
            return Err(problem(Problem::TooOld(version)));
        }
        let (is_read_only, is_synchronous): (bool, bool) = (row.get(2), row.get(3));
        let encoding: String = row.get(4);
        connection.server = row.get(5);
        if is_read_only {
            return Err(problem(Problem::ReadOnly));
        }
        if encoding != "UTF8" {
            return Err(problem(Problem::Encoding(encoding)));
        }
        if !is_synchronous && !self.is_durable_by_itself {
            return Err(problem(Problem::NotSynchronous));
        }
        connection.client.batch_execute(SET_UP).await.map_err(failed)
    }
}

/// Returns how much an error says about the cluster. One server that is down may be the primary a moment later. A standby
/// that lags may not know the database or the user yet. What else a server complains about stays so.
fn weight(error: &StoreError) -> u8 {
    match error {
        StoreError::Unsuitable { problem: Problem::ReadOnly, .. } => 0,
        StoreError::Unsuitable { problem: Problem::Refused(_), .. } => 1,
        StoreError::Unavailable { .. } => 2,
        _ => 3,
    }
}

impl Connection {
    /// Returns what identifies the server that runs at the other end.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Takes the notifications, each as its channel and its text.
    pub fn take_notifications(&mut self) -> Option<UnboundedReceiver<String>> {
        self.notifications.take()
    }

    /// Returns whether the connection is lost.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Runs a statement, and returns its rows. A commit is durable when this returns.
    pub async fn query(
        &self,
        action: &'static str,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> std::result::Result<Vec<Row>, Failure> {
        let sort = |error| errors::sort(action, &error);
        let statement = self.statement(action, sql).await?;
        let before = self.warnings.load(Ordering::Acquire);
        let rows = self.client.query(&statement, parameters).await.map_err(sort)?;
        if self.warnings.load(Ordering::Acquire) == before {
            Ok(rows)
        } else {
            // The server may have stopped waiting for the others, so that the change can be lost with it.
            Err(Failure::Lost("the server warned that the commit may not survive it".into()))
        }
    }

    /// Prepares a statement. A later [`Connection::query`] sends it when it is polled first.
    pub async fn prepare(
        &self,
        action: &'static str,
        sql: &'static str,
    ) -> std::result::Result<(), Failure> {
        self.statement(action, sql).await.map(drop)
    }

    async fn statement(
        &self,
        action: &'static str,
        sql: &'static str,
    ) -> std::result::Result<Statement, Failure> {
        let prepared = self.statements().get(sql).cloned();
        if let Some(statement) = prepared {
            return Ok(statement);
        }
        let prepared = self.client.prepare(sql).await;
        let statement = prepared.map_err(|error| errors::sort(action, &error))?;
        self.statements().insert(sql, statement.clone());
        Ok(statement)
    }

    /// As [`Connection::query`], and fails after `limit`.
    pub async fn query_within(
        &self,
        limit: Duration,
        action: &'static str,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> std::result::Result<Vec<Row>, Failure> {
        match timeout(limit, self.query(action, sql, parameters)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::Lost("no answer in time".into())),
        }
    }

    /// Runs statements without parameters, in one transaction if they do not begin others.
    pub async fn execute(
        &self,
        action: &'static str,
        sql: &str,
    ) -> std::result::Result<(), Failure> {
        let before = self.warnings.load(Ordering::Acquire);
        self.client.batch_execute(sql).await.map_err(|error| errors::sort(action, &error))?;
        if self.warnings.load(Ordering::Acquire) == before {
            Ok(())
        } else {
            Err(Failure::Lost("the server warned that the commit may not survive it".into()))
        }
    }

    /// As [`Connection::execute`], and fails after `limit`.
    pub async fn execute_within(
        &self,
        limit: Duration,
        action: &'static str,
        sql: &str,
    ) -> std::result::Result<(), Failure> {
        match timeout(limit, self.execute(action, sql)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::Lost("no answer in time".into())),
        }
    }

    fn statements(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, Statement>> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits between attempts: 20 ms at first, then twice as long each time up to 500 ms, each with a random part, so that
/// the nodes of a cluster do not come back at the same moment.
pub struct Backoff {
    next: Duration,
    end: Instant,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(20);
    const LONGEST: Duration = Duration::from_millis(500);

    /// Returns a backoff that ends after `limit`.
    pub fn new(limit: Duration) -> Self {
        Self { next: Self::FIRST, end: Instant::now() + limit }
    }

    /// Returns the time that is left.
    pub fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Waits. Returns false if the time is over.
    pub async fn wait(&mut self) -> bool {
        let [random, ..] = uuid::Uuid::new_v4().into_bytes();
        let time = self.next.mul_f64(0.5 + f64::from(random) / 512.0);
        self.next = (2 * self.next).min(Self::LONGEST);
        if self.left() <= time {
            return false;
        }
        tokio::time::sleep(time).await;
        true
    }
}
