//! Requests whose callers wait, and waiting that looks after them.

use crate::store::change::{Change, Completion};
use crate::store::error::Result;
use crate::store::postgres::commit::queue::{Share, Waiting};
use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Time between two looks for callers that have waited too long.
const LOOK: Duration = Duration::from_millis(100);

/// A request whose caller waits. The caller of one without a completion was told that its outcome is not known.
pub struct Pending {
    /// Its changes.
    pub changes: Vec<Change>,
    /// Answers the caller.
    pub completion: Option<Completion>,
    /// Time of its submission.
    pub since: Instant,
    /// Its share in everything that waits.
    pub share: Share,
}

impl Pending {
    /// Returns a request that has waited in the queue.
    pub fn of(waiting: Waiting) -> Self {
        let Waiting { request, since, share } = waiting;
        Self { changes: request.changes, completion: Some(request.completion), since, share }
    }

    /// Answers the caller, unless it has an answer already.
    pub fn answer(self, result: Result<()>) {
        if let Some(completion) = self.completion {
            completion(result);
        }
    }
}

/// Answers callers.
pub fn answer_all(made: Vec<(Option<Completion>, Result<()>)>) {
    for (completion, result) in made {
        if let Some(completion) = completion {
            completion(result);
        }
    }
}

/// Waits for `work`, and calls `look` now and then. Returns `None` after `limit`.
pub async fn patiently<T>(
    work: impl Future<Output = T>,
    limit: Duration,
    mut look: impl FnMut(),
) -> Option<T> {
    let end = Instant::now() + limit;
    let mut work = pin!(work);
    loop {
        tokio::select! {
            result = &mut work => return Some(result),
            () = sleep(LOOK) => {
                look();
                if Instant::now() >= end {
                    return None;
                }
            }
        }
    }
}
