//! What the writer is asked, in order. Not a channel: when the writer hangs, the watchdog answers for it.

use crate::store::change::{Change, Completion, Request};
use crate::store::contents::Contents;
use crate::store::key::Key;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Who awaits one change after the other comes back within this time of the last answer; to fall asleep and be woken
/// would cost as much.
const PATIENCE: Duration = Duration::from_micros(50);

/// Other commits are made between the slices of contents of more bytes than this: less is a slice or two.
const LONG_BYTES: usize = 1 << 20;
/// What the writer is asked.
pub enum Message {
    /// Change something.
    Change(Request),
    /// Remove everything.
    Wipe(Completion),
    /// Answer when all that was asked before is done, and the guard is synced.
    Settle(Completion),
}

impl Message {
    /// Whom to tell.
    pub fn completion(self) -> Completion {
        match self {
            Self::Change(request) => request.completion,
            Self::Wipe(completion) | Self::Settle(completion) => completion,
        }
    }
}

/// What the writer finds.
pub enum Next {
    /// Work.
    Message(Message),
    /// Nothing within the time.
    Nothing,
    /// The queue is closed and empty.
    Closed,
}

/// The queue. One thread takes from it, any may put in.
pub struct Queue {
    state: Mutex<State>,
    ready: Condvar,
    /// How many messages there are, to look without the lock.
    length: AtomicUsize,
}

struct State {
    messages: VecDeque<Message>,
    open: bool,
    /// Whether the writer sleeps: to wake nobody would be a call of the system for each message.
    asleep: bool,
}

impl Queue {
    /// An open, empty queue.
    pub fn new() -> Self {
        let state = State { messages: VecDeque::new(), open: true, asleep: false };
        Self { state: Mutex::new(state), ready: Condvar::new(), length: AtomicUsize::new(0) }
    }

    /// Puts `message` at the end, or gives it back if the queue is closed.
    pub fn push(&self, message: Message) -> Option<Message> {
        let mut state = self.lock();
        if !state.open {
            return Some(message);
        }
        state.messages.push_back(message);
        self.length.store(state.messages.len(), Ordering::Release);
        let was_asleep = std::mem::take(&mut state.asleep);
        drop(state);
        if was_asleep {
            self.ready.notify_one();
        }
        None
    }

    /// Lets nothing more in. What is there is still taken.
    pub fn close(&self) {
        self.lock().open = false;
        self.ready.notify_one();
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.length.load(Ordering::Acquire) == 0
    }

    /// The first message; waits for one, but not longer than `limit`.
    pub fn next(&self, limit: Option<Duration>) -> Next {
        let start = Instant::now();
        while self.is_empty() && start.elapsed() < PATIENCE {
            std::thread::yield_now();
        }
        let mut state = self.lock();
        loop {
            if let Some(message) = state.messages.pop_front() {
                self.length.store(state.messages.len(), Ordering::Release);
                return Next::Message(message);
            }
            if !state.open {
                return Next::Closed;
            }
            state.asleep = true;
            let timed_out;
            (state, timed_out) = match limit {
                None => (self.ready.wait(state).unwrap_or_else(PoisonError::into_inner), false),
                Some(limit) => {
                    let waited = self.ready.wait_timeout(state, limit);
                    let (state, result) = waited.unwrap_or_else(PoisonError::into_inner);
                    (state, result.timed_out())
                }
            };
            state.asleep = false;
            if timed_out && state.messages.is_empty() {
                return Next::Nothing;
            }
        }
    }

    /// `first` and the changes behind it, until they are `requests` or have `bytes`. A long write goes by itself, and while
    /// one is being made, what changes its record `busy` waits for it.
    pub fn gather(
        &self,
        first: Option<Request>,
        busy: Option<&Key>,
        requests: usize,
        bytes: usize,
    ) -> Vec<Request> {
        let mut state = self.lock();
        let mut gathered_bytes = first.as_ref().map_or(0, |first| first.size);
        let mut gathered = Vec::with_capacity(requests.min(1 + state.messages.len()));
        gathered.extend(first);
        while gathered.len() < requests && gathered_bytes < bytes {
            match state.messages.pop_front() {
                Some(Message::Change(request))
                    if long_write(&request).is_none()
                        && busy.is_none_or(|key| !changes(&request, key)) =>
                {
                    gathered_bytes += request.size;
                    gathered.push(request);
                }
                Some(other) => {
                    state.messages.push_front(other);
                    break;
                }
                None => break,
            }
        }
        self.length.store(state.messages.len(), Ordering::Release);
        gathered
    }

    /// Everything that waits, for someone else to answer.
    pub fn drain(&self) -> Vec<Message> {
        let mut state = self.lock();
        self.length.store(0, Ordering::Release);
        state.messages.drain(..).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What `request` writes, if that is one record without rules, and long: its contents do not depend on what is stored.
pub fn long_write(request: &Request) -> Option<(&Key, &Contents)> {
    match request.changes.as_slice() {
        [Change::Write { record, contents, .. }]
            if record.kind.is_none() && contents.len() > LONG_BYTES =>
        {
            Some((&record.key, contents))
        }
        _ => None,
    }
}

/// Whether `request` changes the record at `key`.
fn changes(request: &Request, key: &Key) -> bool {
    request.changes.iter().any(|change| match change {
        Change::Write { record, .. }
        | Change::Import { record, .. }
        | Change::Remove { record }
        | Change::Update { record, .. } => record.key == *key,
        Change::Quarantine
        | Change::ClearQuarantine
        | Change::ListAdd { .. }
        | Change::ListRemove { .. } => false,
    })
}
