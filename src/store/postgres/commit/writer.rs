//! The writer of a store: takes the changes that wait, and makes one batch of them at a time. While a batch is under
//! way, others gather for the next one, so that they share one wait for the other servers.

use crate::store::error::{Result, StoreError};
use crate::store::key::Key;
use crate::store::postgres::commit::pending::{answer_all, patiently, Pending};
use crate::store::postgres::commit::queue::{Queue, Waiting, Work};
use crate::store::postgres::commit::resolve::{self, Resolved};
use crate::store::postgres::commit::statement::{self, Done};
use crate::store::postgres::commit::transaction::Transaction;
use crate::store::postgres::lease::wait::{self, Others};
use crate::store::postgres::lease::Lease;
use crate::store::postgres::link::connection::{Connection, Connector};
use crate::store::postgres::link::errors::Failure;
use crate::store::postgres::link::pool::{of_connecting, Gate};
use crate::store::postgres::tables::{read, schema};
use crate::store::statistics::Statistics;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Longest time that reading the stored records takes.
const READ_LIMIT: Duration = Duration::from_millis(1500);
/// Pauses after a failure, and the first and the longest wait for an outcome that is not known. An attempt that is given
/// up may occupy the server until its standbys are back, therefore later ones wait longer.
pub const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
const FIRST_RESOLVE: Duration = Duration::from_secs(5);
const LONGEST_RESOLVE: Duration = Duration::from_secs(120);
/// The pause grows by this with each attempt in vain. After a few of them, the requests are made one by one.
const PAUSE_AGAIN: Duration = Duration::from_millis(1);
const FEW_TRIES: u32 = 10;
/// Longest time that an answer waits until nodes that hang are marked.
const MARK_LIMIT: Duration = Duration::from_millis(500);

/// The one writer of a store.
pub struct Writer {
    pub(super) connector: Arc<Connector>,
    pub(super) lease: Arc<Lease>,
    queue: Arc<Queue>,
    statistics: Arc<Statistics>,
    pub(super) node: String,
    batch: i64,
    is_registered: bool,
    pub(super) connection: Option<Connection>,
    /// Longest time that a change waits.
    pub(super) limit: Duration,
    pause: Duration,
    /// Changes that are made, and wait for other nodes.
    waiting: Vec<JoinHandle<()>>,
}

/// The result of an attempt to make a batch.
enum Attempt {
    /// The results of the requests, and none for one that has to be computed again. Other nodes may have to follow
    /// before the callers are answered.
    Made(Vec<Option<Result<()>>>, Option<Others>),
    /// Nothing was changed. The same can be tried again at once.
    Again,
    /// Nothing was changed, because the database cannot be reached.
    Down(String),
    /// Nothing was changed, because the server refuses a change.
    Refused(StoreError),
    /// Nobody knows what was changed.
    Unknown(String),
}

impl Writer {
    /// Returns the writer of `queue`.
    pub fn new(
        connector: Arc<Connector>,
        lease: Arc<Lease>,
        queue: Arc<Queue>,
        statistics: Arc<Statistics>,
        node: String,
        limit: Duration,
    ) -> Self {
        Self {
            connector,
            lease,
            queue,
            statistics,
            node,
            batch: 0,
            is_registered: false,
            connection: None,
            limit,
            pause: FIRST_PAUSE,
            waiting: Vec::new(),
        }
    }

    /// Works until the queue is closed and everything that was submitted is done.
    pub async fn run(mut self) {
        while let Some(work) = self.queue.next().await {
            match work {
                Work::Changes(changes) => self.make(changes).await,
                Work::Wipe(completion) => {
                    let result = self.wipe().await;
                    completion(result);
                }
                Work::Settle(completion) => {
                    self.wait_for_others().await;
                    completion(Ok(()));
                }
            }
        }
        self.wait_for_others().await;
    }

    async fn wait_for_others(&mut self) {
        for task in self.waiting.drain(..) {
            // Fails if it panicked; its callers have an error then.
            let _ = task.await;
        }
    }

    async fn make(&mut self, first: Vec<Waiting>) {
        let mut pending: Vec<Pending> = first.into_iter().map(Pending::of).collect();
        // Requests of a batch that the server refused. They are made one by one, so that one refuses no other.
        let mut alone = VecDeque::new();
        let mut tries: u32 = 0;
        loop {
            if pending.is_empty() {
                match alone.pop_front() {
                    Some(next) => pending.push(next),
                    None => return,
                }
            } else if alone.is_empty() {
                let bytes = pending.iter().map(|request| request.share.bytes).sum();
                let more = self.queue.take_beside(pending.len(), bytes);
                pending.extend(more.into_iter().map(Pending::of));
            }
            let attempt = self.attempt(&mut pending).await;
            if !matches!(attempt, Attempt::Down(_)) {
                self.pause = FIRST_PAUSE;
            }
            if !matches!(attempt, Attempt::Again) {
                tries = 0;
            }
            let mut reason = "other changes come first again and again".to_owned();
            match attempt {
                Attempt::Made(results, others) => {
                    let (mut left, mut made) = (Vec::new(), Vec::new());
                    for (request, result) in pending.drain(..).zip(results) {
                        match result {
                            Some(result) => made.push((request, result)),
                            None => left.push(request),
                        }
                    }
                    pending = left;
                    self.answer(made, others);
                }
                Attempt::Again => {
                    tries += 1;
                    if tries == FEW_TRIES {
                        // One reason for it: the next items of lists get numbers that are taken.
                        if let Some(connection) = &self.connection {
                            let _ = timeout(READ_LIMIT, schema::advance_sequence(connection)).await;
                        }
                    }
                    sleep(PAUSE_AGAIN * tries.saturating_sub(1).min(100)).await;
                    // One of them may be refused again and again, and the others need not wait for it.
                    if tries >= FEW_TRIES && pending.len() > 1 {
                        alone.extend(pending.drain(..));
                    }
                }
                Attempt::Refused(error) => {
                    if pending.len() > 1 {
                        alone.extend(pending.drain(..));
                    } else {
                        pending.drain(..).for_each(|request| request.answer(Err(error.clone())));
                    }
                }
                Attempt::Unknown(cause) => {
                    let error = self.unconfirmed(&cause);
                    pending.drain(..).for_each(|request| request.answer(Err(error.clone())));
                }
                Attempt::Down(cause) => {
                    sleep(self.pause).await;
                    self.pause = (2 * self.pause).min(LONGEST_PAUSE);
                    reason = cause;
                }
            }
            let late = self.connector.unavailable(reason);
            self.refuse_old(&mut pending, &late);
            self.refuse_old(alone.make_contiguous(), &late);
            pending.retain(|request| request.completion.is_some());
            alone.retain(|request| request.completion.is_some());
        }
    }

    async fn attempt(&mut self, pending: &mut [Pending]) -> Attempt {
        if let Err(failure) = self.connect().await {
            return self.failed(failure);
        }
        let Some(connection) = &self.connection else { return Attempt::Again };
        let keys: HashSet<&Key> =
            pending.iter().flat_map(|request| Transaction::reads(&request.changes)).collect();
        let (mut stored, mut unknown) = (HashMap::new(), Vec::new());
        for key in keys.into_iter().cloned() {
            // A record in memory is compared with its row like one that was read. After an attempt it is not in memory.
            match self.lease.cache.peek(&key) {
                Ok(Some(contents)) => drop(stored.insert(key, contents)),
                _ => unknown.push(key),
            }
        }
        if !self.lease.covers(connection.server()) {
            unknown.extend(stored.drain().map(|(key, _)| key));
        }
        if !unknown.is_empty() {
            match read::records_by(connection, READ_LIMIT, &unknown).await {
                Ok(found) => stored.extend(found),
                Err(failure) => return self.failed(failure),
            }
        }
        let mut transaction = Transaction::new(stored);
        let computed: Vec<Result<()>> =
            pending.iter().map(|request| transaction.take(&request.changes)).collect();
        // Without a lease on this server, a commit has to show that it was not replaced.
        if transaction.is_empty() && self.lease.covers(connection.server()) {
            return Attempt::Made(computed.into_iter().map(Some).collect(), None);
        }
        self.batch += 1;
        let begun = Instant::now();
        let is_told = transaction.records().any(|(key, row)| transaction.may_be_known(key, row));
        let sent = async {
            let committing = statement::commit(connection, &self.node, self.batch, &transaction);
            if !is_told {
                return (committing.await, None);
            }
            // Both statements are prepared, so they are sent in this order when they are polled first. The server answers
            // the second one when the commit is durable and visible.
            let (done, asked) = tokio::join!(committing, wait::leased(connection, &self.node));
            (done, Some(asked))
        };
        let unconfirmed = self.unconfirmed("no answer yet");
        let limit = self.limit;
        let answer = patiently(sent, limit, || self.refuse_old(pending, &unconfirmed)).await;
        let (done, asked) = answer.map_or((None, None), |(done, asked)| (Some(done), asked));
        let (late, others) = match done {
            Some(Ok(Done::Except(late, epoch))) => {
                (late, asked.and_then(|asked| Others::of(&asked, connection.server(), epoch)))
            }
            Some(Ok(Done::Fenced)) => {
                self.is_registered = false;
                return Attempt::Again;
            }
            Some(Err(Failure::Again)) => return Attempt::Again,
            Some(Err(Failure::Refused(error))) => return Attempt::Refused(error),
            lost => {
                let cause = match lost {
                    Some(Err(Failure::Lost(cause))) => cause,
                    _ => "no answer in time".into(),
                };
                match self.resolve(pending, cause).await {
                    Ok(late) if is_told => {
                        (late, Others::ask(self.connection.as_ref(), &self.node).await)
                    }
                    Ok(late) => (late, None),
                    Err(attempt) => return attempt,
                }
            }
        };
        self.statistics.note(begun.elapsed(), transaction.stale_writes);
        for (key, _) in transaction.records().filter(|(_, row)| !row.is_kept) {
            self.lease.drop_record(key);
        }
        let is_late = |request| {
            i32::try_from(transaction.group(request)).is_ok_and(|group| late.contains(&group))
        };
        let results = (0..).zip(computed);
        Attempt::Made(
            results.map(|(request, result)| (!is_late(request)).then_some(result)).collect(),
            others,
        )
    }

    /// Answers callers, after the other nodes have followed. Meanwhile the writer goes on.
    fn answer(&mut self, made: Vec<(Pending, Result<()>)>, others: Option<Others>) {
        // The changes are made. Their memory, and their share in what waits, is free from here on.
        let made = made.into_iter().map(|(request, result)| (request.completion, result)).collect();
        let Some(others) = others else {
            answer_all(made);
            return;
        };
        let (lease, connector) = (Arc::clone(&self.lease), Arc::clone(&self.connector));
        let waiting = tokio::spawn(async move {
            let in_vain = others.wait(&lease).await;
            if !in_vain.is_empty() {
                // If this fails, the next change waits for them as well.
                let forgotten = async {
                    let connection = connector.connect().await.map_err(of_connecting)?;
                    wait::forget(&connection, &in_vain).await
                };
                let _ = timeout(MARK_LIMIT, forgotten).await;
            }
            answer_all(made);
        });
        self.waiting.retain(|task| !task.is_finished());
        self.waiting.push(waiting);
    }

    /// Returns the late groups of the last batch if it was made.
    async fn resolve(
        &mut self,
        pending: &mut [Pending],
        cause: String,
    ) -> std::result::Result<Vec<i32>, Attempt> {
        self.connection = None;
        let (mut limit, mut pause) = (FIRST_RESOLVE, FIRST_PAUSE);
        let unconfirmed = self.unconfirmed(&cause);
        loop {
            self.refuse_old(pending, &unconfirmed);
            let resolved = resolve::resolve(&self.connector, &self.node, self.batch, limit);
            let refuse = || self.refuse_old(pending, &unconfirmed);
            match patiently(resolved, LONGEST_RESOLVE * 2, refuse).await {
                Some(Ok(Resolved::Done(late, connection))) => {
                    self.connection = Some(connection);
                    return Ok(late);
                }
                Some(Ok(Resolved::NotDone(connection))) => {
                    self.connection = Some(connection);
                    return Err(Attempt::Again);
                }
                Some(Ok(Resolved::Unknown)) => {
                    self.is_registered = false;
                    return Err(Attempt::Unknown(cause));
                }
                Some(Err(_)) | None => {
                    self.connector.begin_with_next();
                    limit = (2 * limit).min(LONGEST_RESOLVE);
                    sleep(pause).await;
                    pause = (2 * pause).min(LONGEST_PAUSE);
                }
            }
        }
    }

    pub(super) async fn connect(&mut self) -> std::result::Result<(), Failure> {
        if self.connection.as_ref().is_none_or(Connection::is_closed) {
            self.connection = Some(self.connector.connect().await.map_err(of_connecting)?);
        }
        if let Some(connection) = &self.connection {
            // Only the first time on a connection.
            statement::prepare(connection).await?;
            wait::prepare(connection).await?;
        }
        if self.is_registered {
            return Ok(());
        }
        if let Some(connection) = &self.connection {
            resolve::register(connection, &self.node, self.batch).await?;
            self.is_registered = true;
            // Only tidies up.
            let _ = resolve::forget_old(connection).await;
        }
        Ok(())
    }

    fn failed(&mut self, failure: Failure) -> Attempt {
        match failure {
            Failure::Again => Attempt::Again,
            Failure::Refused(error) => Attempt::Refused(error),
            Failure::Lost(cause) => {
                self.connection = None;
                Attempt::Down(cause)
            }
        }
    }

    /// Answers the callers that have waited too long, with `error`, and those in the queue.
    fn refuse_old(&self, pending: &mut [Pending], error: &StoreError) {
        for request in pending {
            if request.since.elapsed() >= self.limit {
                if let Some(completion) = request.completion.take() {
                    completion(Err(error.clone()));
                }
            }
        }
        let unavailable = self.connector.unavailable("changes before it are not confirmed");
        self.queue.refuse_old(self.limit, &unavailable);
    }

    fn unconfirmed(&self, cause: &str) -> StoreError {
        StoreError::Unconfirmed { name: Arc::clone(self.connector.name()), cause: cause.to_owned() }
    }
}

impl Drop for Writer {
    /// Nobody may wait for a writer that has ended, even by a panic.
    fn drop(&mut self) {
        self.queue.end();
    }
}
