//! The changes that wait for the writer. A change that waits too long is refused, so that no caller waits for ever.

use crate::store::change::{Completion, Request};
use crate::store::error::StoreError;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
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
    waiting: usize,
    bytes: usize,
    is_closed: bool,
}

/// Changes that wait, in the order of their submission.
#[derive(Default)]
pub struct Queue {
    state: Mutex<State>,
    ready: Notify,
}

impl Queue {
    /// Adds a request, or refuses it if too much waits.
    pub fn submit(&self, request: Request) {
        let mut state = self.lock();
        let waiting = state.waiting + request.changes.len();
        let error = if state.is_closed {
            StoreError::Closed
        } else if waiting > MAX_WAITING || state.bytes + request.size > MAX_WAITING_BYTES {
            StoreError::Busy { waiting }
        } else {
            state.waiting = waiting;
            state.bytes += request.size;
            state.messages.push_back(Message::Change(Waiting { request, since: Instant::now() }));
            drop(state);
            self.ready.notify_one();
            return;
        };
        drop(state);
        (request.completion)(Err(error));
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
        self.lock().waiting
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

    /// Adds the next changes to `batch`, as far as there is room beside `others` that are in the same batch already.
    pub fn fill(&self, batch: &mut Vec<Waiting>, others: usize) {
        let mut state = self.lock();
        let mut bytes: usize = batch.iter().map(|waiting| waiting.request.size).sum();
        while let Some(Message::Change(next)) = state.messages.front() {
            bytes += next.request.size;
            if others + batch.len() >= MAX_BATCH || (bytes > MAX_BATCH_BYTES && !batch.is_empty()) {
                break;
            }
            let Some(Message::Change(next)) = state.messages.pop_front() else { break };
            state.release(&next.request);
            batch.push(next);
        }
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
                state.release(&old.request);
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
            Message::Change(first) => {
                self.release(&first.request);
                Some(Work::Changes(vec![first]))
            }
            Message::Wipe(completion) => Some(Work::Wipe(completion)),
            Message::Settle(completion) => Some(Work::Settle(completion)),
        }
    }

    fn release(&mut self, request: &Request) {
        self.waiting = self.waiting.saturating_sub(request.changes.len());
        self.bytes = self.bytes.saturating_sub(request.size);
    }
}
