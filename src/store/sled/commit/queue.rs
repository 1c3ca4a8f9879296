//! The queue of the writer, in order. It is not a channel, because the watchdog has to answer its messages when the
//! writer hangs.

use crate::store::change::{Change, Completion, Request};
use crate::store::contents::Contents;
use crate::store::key::Key;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Time that the writer spins before it sleeps. A caller that awaits one change after the other comes back within this
/// time of the last answer; sleeping and waking would take as long.
const PATIENCE: Duration = Duration::from_micros(50);

/// Shortest and longest pause of spinning after the writer has spun in vain.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(512);

/// Size over which other commits are made between the slices, in bytes. Smaller contents take only a slice or two.
const LONG_BYTES: usize = 1 << 20;

/// A message to the writer.
pub enum Message {
    /// Make changes.
    Change(Request),
    /// Remove everything.
    Wipe(Completion),
    /// Answer when all earlier messages are done and the guard is synced.
    Settle(Completion),
}

impl Message {
    /// Returns the callback for the result.
    pub fn completion(self) -> Completion {
        match self {
            Self::Change(request) => request.completion,
            Self::Wipe(completion) | Self::Settle(completion) => completion,
        }
    }
}

/// Result of waiting for a message.
pub enum Next {
    /// The next message.
    Message(Message),
    /// No message within the time limit.
    Nothing,
    /// The queue is closed and empty.
    Closed,
}

/// Whether it pays to spin. It does not if changes come seldom, or if other programs need the processors: then spinning
/// uses up the turn that the writer will need. After each spin in vain the writer pauses for twice as long as before,
/// and after each one that has paid, for half as long.
struct Spinning {
    resumes: Instant,
    pause: Duration,
}

/// The queue. Any thread may add messages; one thread takes them.
pub struct Queue {
    state: Mutex<State>,
    ready: Condvar,
    /// Number of messages, readable without the lock.
    length: AtomicUsize,
    /// Used by the thread that takes messages.
    spinning: Mutex<Spinning>,
}

struct State {
    messages: VecDeque<Message>,
    open: bool,
    /// Whether the writer sleeps. If it does not, the system call that wakes it is saved.
    asleep: bool,
}

impl Queue {
    /// Returns an open, empty queue.
    pub fn new() -> Self {
        let state = State { messages: VecDeque::new(), open: true, asleep: false };
        let spinning = Spinning { resumes: Instant::now(), pause: SHORTEST_PAUSE };
        Self {
            state: Mutex::new(state),
            ready: Condvar::new(),
            length: AtomicUsize::new(0),
            spinning: Mutex::new(spinning),
        }
    }

    /// Adds `message` at the end, or returns it if the queue is closed.
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

    /// Closes the queue for new messages. The writer still takes those that are in it.
    pub fn close(&self) {
        self.lock().open = false;
        self.ready.notify_one();
    }

    /// Returns whether the queue is empty.
    pub fn is_empty(&self) -> bool {
        self.length.load(Ordering::Acquire) == 0
    }

    /// Takes the first message. Waits for one, for at most `limit`.
    pub fn next(&self, limit: Option<Duration>) -> Next {
        if self.is_empty() {
            let mut spinning = self.spinning.lock().unwrap_or_else(PoisonError::into_inner);
            spinning.spin(|| !self.is_empty());
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

    /// Takes the change requests at the front and returns them after `first`, up to `requests` requests or `bytes`
    /// bytes. A long write is committed alone. While one is being made, requests that change its record `busy` stay in
    /// the queue.
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

    /// Takes all messages, so that another thread than the writer can answer them.
    pub fn drain(&self) -> Vec<Message> {
        let mut state = self.lock();
        self.length.store(0, Ordering::Release);
        state.messages.drain(..).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spinning {
    /// Spins until `is_done`, unless that did not pay lately.
    fn spin(&mut self, is_done: impl Fn() -> bool) {
        let start = Instant::now();
        if start < self.resumes {
            return;
        }
        let mut now = start;
        while !is_done() && now < start + PATIENCE {
            std::thread::yield_now();
            now = Instant::now();
        }
        // A message that came while another program had its turn came too late.
        if now < start + PATIENCE {
            self.pause = (self.pause / 2).max(SHORTEST_PAUSE);
        } else {
            self.resumes = now + self.pause;
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Returns the record and contents that `request` writes, if it writes a single long record to which the rule about
/// stale writes does not apply. Such contents do not depend on the stored ones.
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

/// Returns whether `request` changes the record at `key`.
fn changes(request: &Request, key: &Key) -> bool {
    let is_changed = |change: &Change| change.record().is_some_and(|record| record.key == *key);
    request.changes.iter().any(is_changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn spinning_pauses_for_longer_each_time_that_it_is_in_vain() {
        let now = Instant::now();
        let mut spinning = Spinning { resumes: now, pause: SHORTEST_PAUSE };
        let asked = Cell::new(0);
        let spin = |spinning: &mut Spinning, is_done: bool| {
            asked.set(0);
            spinning.spin(|| {
                asked.set(asked.get() + 1);
                is_done
            });
            asked.get() > 0
        };
        assert!(spin(&mut spinning, false));
        assert_eq!(spinning.pause, 2 * SHORTEST_PAUSE);
        assert!(spinning.resumes >= now + SHORTEST_PAUSE);
        spinning.resumes = Instant::now() + LONGEST_PAUSE;
        assert!(!spin(&mut spinning, false));
        for _ in 0..20 {
            spinning.resumes = now;
            assert!(spin(&mut spinning, false));
        }
        assert_eq!(spinning.pause, LONGEST_PAUSE);
        // A thread that loses its turn in between has spun in vain as well.
        while spinning.pause > SHORTEST_PAUSE {
            spinning.resumes = now;
            assert!(spin(&mut spinning, true));
        }
    }
}
