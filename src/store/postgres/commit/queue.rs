//! The changes that wait for the writer. A change that waits too long is refused, so that no caller waits for ever.

use crate::store::change::{Completion, Request};
use crate::store::error::StoreError;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Largest number of waiting changes, and their largest total size in bytes.
const MAX_WAITING: usize = 65_536;
const MAX_WAITING_BYTES: usize = 256 << 20;
/// Largest number of requests and of bytes in one batch. A request that is larger is a batch of its own.
const MAX_BATCH: usize = 1024;
const MAX_BATCH_BYTES: usize = 4 << 20;

/// A request with the time of its submission.
pub struct Waiting {
    /// The request.
    pub request: Request,
    /// Time of its submission.
    pub since: Instant,
    /// Its share in everything that waits.
    pub share: Share,
}

/// Number and size of the changes that wait, in the queue or in the batch that is being made.
#[derive(Default)]
struct Load {
    changes: AtomicUsize,
    bytes: AtomicUsize,
}

/// The share of a request in the load, until it is dropped.
pub struct Share {
    load: Arc<Load>,
    changes: usize,
    /// Size of the request, in bytes.
    pub bytes: usize,
}

impl Share {
    /// Returns a share for `request`, or the number of changes that wait if there are too many.
    fn take(load: &Arc<Load>, request: &Request) -> std::result::Result<Self, usize> {
        let (changes, bytes) = (request.changes.len(), request.size);
        let waiting = load.changes.fetch_add(changes, Ordering::Relaxed) + changes;
        let waiting_bytes = load.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        // If it is refused, it is given back at once.
        let share = Self { load: Arc::clone(load), changes, bytes };
        if waiting > MAX_WAITING || waiting_bytes > MAX_WAITING_BYTES {
            return Err(waiting);
        }
        Ok(share)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.load.changes.fetch_sub(self.changes, Ordering::Relaxed);
        self.load.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Something for the writer to do.
pub enum Work {
    /// Changes.
    Changes(Vec<Waiting>),
    /// Removes everything.
    Wipe(Completion),
    /// Waits until everything before is done.
    Settle(Completion),
}

enum Message {
    Change(Waiting),
    Wipe(Completion),
    Settle(Completion),
}

#[derive(Default)]
struct State {
    messages: VecDeque<Message>,
    is_closed: bool,
}

/// Changes that wait, in the order of their submission.
#[derive(Default)]
pub struct Queue {
    state: Mutex<State>,
    load: Arc<Load>,
    ready: Notify,
}

impl Queue {
    /// Adds a request, or refuses it if too much waits.
    pub fn submit(&self, request: Request) {
        let share = match Share::take(&self.load, &request) {
            Ok(share) => share,
            Err(waiting) => return (request.completion)(Err(StoreError::Busy { waiting })),
        };
        let mut state = self.lock();
        if state.is_closed {
            drop(state);
            return (request.completion)(Err(StoreError::Closed));
        }
        let waiting = Waiting { request, since: Instant::now(), share };
        state.messages.push_back(Message::Change(waiting));
        drop(state);
        self.ready.notify_one();
    }

    /// Adds the removal of everything.
    pub fn wipe(&self, completion: Completion) {
        self.push(Message::Wipe(completion));
    }

    /// Calls `completion` when everything that was submitted before is done.
    pub fn settle(&self, completion: Completion) {
        self.push(Message::Settle(completion));
    }

    fn push(&self, message: Message) {
        let mut state = self.lock();
        if state.is_closed {
            drop(state);
            if let Message::Wipe(completion) | Message::Settle(completion) = message {
                completion(Err(StoreError::Closed));
            }
            return;
        }
        state.messages.push_back(message);
        drop(state);
        self.ready.notify_one();
    }

    /// Accepts nothing more. What waits is still done.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.ready.notify_one();
    }

    /// Accepts nothing more, and refuses what waits. Called when the writer has ended, for whatever reason.
    pub fn end(&self) {
        let left = {
            let mut state = self.lock();
            state.is_closed = true;
            std::mem::take(&mut state.messages)
        };
        for message in left {
            let completion = match message {
                Message::Change(waiting) => waiting.request.completion,
                Message::Wipe(completion) | Message::Settle(completion) => completion,
            };
            completion(Err(StoreError::Closed));
        }
    }

    /// Returns the number of changes that wait.
    pub fn waiting(&self) -> usize {
        self.load.changes.load(Ordering::Relaxed)
    }

    /// Waits for the next work. Returns `None` when the queue is closed and empty.
    pub async fn next(&self) -> Option<Work> {
        loop {
            {
                let mut state = self.lock();
                if let Some(work) = state.take() {
                    return Some(work);
                }
                if state.is_closed {
                    return None;
                }
            }
            self.ready.notified().await;
        }
    }

    /// Returns the next changes, as far as there is room beside `count` requests of `bytes` that are in the same batch.
    pub fn take_beside(&self, mut count: usize, mut bytes: usize) -> Vec<Waiting> {
        let mut state = self.lock();
        let mut taken = Vec::new();
        while let Some(Message::Change(next)) = state.messages.front() {
            bytes += next.share.bytes;
            if count >= MAX_BATCH || (bytes > MAX_BATCH_BYTES && count > 0) {
                break;
            }
            let Some(Message::Change(next)) = state.messages.pop_front() else { break };
            count += 1;
            taken.push(next);
        }
        taken
    }

    /// Refuses the changes that have waited for `limit`, with `error`.
    pub fn refuse_old(&self, limit: Duration, error: &StoreError) {
        let mut refused = Vec::new();
        {
            let mut state = self.lock();
            let mut index = 0;
            while let Some(message) = state.messages.get(index) {
                match message {
                    Message::Change(next) if next.since.elapsed() < limit => break,
                    Message::Change(_) => {}
                    Message::Wipe(_) | Message::Settle(_) => {
                        index += 1;
                        continue;
                    }
                }
                let Some(Message::Change(old)) = state.messages.remove(index) else { break };
                refused.push(old.request.completion);
            }
        }
        for completion in refused {
            completion(Err(error.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self) -> Option<Work> {
        match self.messages.pop_front()? {
            Message::Change(first) => Some(Work::Changes(vec![first])),
            Message::Wipe(completion) => Some(Work::Wipe(completion)),
            Message::Settle(completion) => Some(Work::Settle(completion)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::error::Result;
    use std::sync::mpsc::{channel, Receiver};

    const MEBIBYTE: usize = 1 << 20;

    fn submit(queue: &Queue, size: usize) -> Receiver<Result<()>> {
        let (sender, result) = channel();
        let completion: Completion = Box::new(move |done| sender.send(done).unwrap());
        queue.submit(Request { changes: Vec::new(), completion, size });
        result
    }

    #[test]
    fn a_batch_takes_no_more_bytes_than_fit_beside_those_that_are_computed_again() {
        let queue = Queue::default();
        let _results: Vec<_> = (0..4).map(|_| submit(&queue, 2 * MEBIBYTE)).collect();
        assert_eq!(queue.take_beside(1, 3 * MEBIBYTE).len(), 0);
        assert_eq!(queue.take_beside(MAX_BATCH, 0).len(), 0);
        assert_eq!(queue.take_beside(1, MEBIBYTE).len(), 1);
        assert_eq!(queue.take_beside(0, 0).len(), 2);
        let _large = submit(&queue, 100 * MEBIBYTE);
        assert_eq!(queue.take_beside(0, 0).len(), 1);
        assert_eq!(queue.take_beside(0, 0).len(), 1);
    }

    #[test]
    fn a_request_counts_until_it_is_answered() {
        let queue = Queue::default();
        let _first = submit(&queue, 200 * MEBIBYTE);
        let taken = queue.take_beside(0, 0);
        let refused = submit(&queue, 100 * MEBIBYTE).try_recv();
        assert!(matches!(refused, Ok(Err(StoreError::Busy { .. }))));
        drop(taken);
        let accepted = submit(&queue, 100 * MEBIBYTE);
        assert!(accepted.try_recv().is_err());
    }
}
