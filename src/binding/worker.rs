//! Threads for calls that block: reading the disk, opening and closing.
//!
//! Work that may take long has threads of its own, so that it never delays a look-up.

use crate::store::{lower_thread_priority, Job, StoreError};
use std::collections::VecDeque;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{mpsc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{available_parallelism, Builder};
use std::time::{Duration, Instant};

/// For look-ups: single records, counts, and pages of some hundred items.
pub static READS: Pool = Pool::new("dashboard-sled worker", 4, 65_536, SPIN);
/// For work that may take long: whole lists, scans, verifying, backups. Four of them run at once.
pub static LONG: Pool = Pool::new("dashboard-sled long", 4, 1024, Duration::ZERO);

/// Time that one thread stays awake after a look-up. The next look-up often follows the answer at once, and waking a
/// thread takes as long as a look-up.
const SPIN: Duration = Duration::from_micros(50);
/// Maximum number of jobs without spinning after one that spun in vain.
const LONGEST_PAUSE: u32 = 15;

/// Threads that all environments of the process share. They are started when they are first needed, and never end.
pub struct Pool {
    name: &'static str,
    /// Number of threads. Enough to keep a disk busy: a read that waits uses no processor.
    threads: usize,
    /// Maximum number of jobs that wait, so that memory is bounded while a disk is slow.
    most_waiting: usize,
    /// Time that a thread waits for the next job before it falls asleep.
    spin: Duration,
    state: Mutex<State>,
    ready: Condvar,
    /// Number of jobs that were pushed so far, for the thread that spins.
    pushed: AtomicU64,
}

struct State {
    waiting: VecDeque<Job>,
    threads: usize,
    idle: usize,
    /// Whether a thread spins. It takes the next job, so nobody has to be woken for it.
    is_spinning: bool,
    /// Number of times that no thread spins, after a thread has spun in vain; and how many of them are left. Where it
    /// does not pay, because look-ups are rare or other programs need the processors, it is soon given up.
    pause: u32,
    pause_left: u32,
}

impl State {
    const fn new() -> Self {
        let waiting = VecDeque::new();
        Self { waiting, threads: 0, idle: 0, is_spinning: false, pause: 0, pause_left: 0 }
    }

    /// Returns whether a thread that has nothing to do spins.
    fn begin_spin(&mut self) -> bool {
        if !self.waiting.is_empty() || self.is_spinning {
            return false;
        }
        self.is_spinning = self.pause_left == 0;
        self.pause_left = self.pause_left.saturating_sub(1);
        self.is_spinning
    }

    /// Ends a spin. A job that came after its time, while other programs had their turn, came too late.
    fn end_spin(&mut self, in_time: bool) {
        self.is_spinning = false;
        let has_paid = in_time && !self.waiting.is_empty();
        self.pause = if has_paid { 0 } else { LONGEST_PAUSE.min(2 * self.pause + 1) };
        self.pause_left = self.pause;
    }
}

impl Pool {
    const fn new(name: &'static str, threads: usize, most_waiting: usize, spin: Duration) -> Self {
        let state = Mutex::new(State::new());
        let (ready, pushed) = (Condvar::new(), AtomicU64::new(0));
        Self { name, threads, most_waiting, spin, state, ready, pushed }
    }

    /// Runs `job` on one of the threads.
    pub fn run(&'static self, job: Job) {
        if let Err((job, error)) = self.push(job) {
            job(Err(error));
        }
    }

    fn push(&'static self, job: Job) -> std::result::Result<(), (Job, StoreError)> {
        let mut state = self.lock();
        let waiting = state.waiting.len();
        if waiting >= self.most_waiting {
            return Err((job, StoreError::BusyReading { waiting }));
        }
        let awake = usize::from(state.is_spinning);
        if state.idle + awake <= waiting && state.threads < self.threads {
            match Builder::new().name(self.name.into()).spawn(|| self.work()) {
                Ok(_) => state.threads += 1,
                // Tried again for the next job.
                Err(error) if state.threads == 0 => {
                    return Err((job, StoreError::no_thread(error)))
                }
                Err(_) => {}
            }
        }
        state.waiting.push_back(job);
        self.pushed.fetch_add(1, Ordering::Release);
        let wakes = state.idle > 0 && waiting >= awake;
        drop(state);
        if wakes {
            self.ready.notify_one();
        }
        Ok(())
    }

    fn work(&self) {
        lower_thread_priority();
        // With a single processor it would delay the thread that pushes the next job.
        let can_spin = available_parallelism().is_ok_and(|processors| processors.get() > 1);
        let spin = if can_spin { self.spin } else { Duration::ZERO };
        loop {
            let job = self.next(spin);
            // A job that panics drops its resolver, which rejects the promise of its caller.
            let _ = catch_unwind(AssertUnwindSafe(|| job(Ok(()))));
        }
    }

    /// Waits for a job: awake for the time `spin`, unless another thread is, and then asleep.
    fn next(&self, spin: Duration) -> Job {
        let mut state = self.lock();
        if !spin.is_zero() && state.begin_spin() {
            let pushed = self.pushed.load(Ordering::Acquire);
            drop(state);
            let end = Instant::now() + spin;
            while self.pushed.load(Ordering::Acquire) == pushed && Instant::now() < end {
                std::hint::spin_loop();
            }
            let in_time = Instant::now() < end;
            state = self.lock();
            state.end_spin(in_time);
        }
        loop {
            if let Some(job) = state.waiting.pop_front() {
                return job;
            }
            state.idle += 1;
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs `job` on a thread of its own. For work that starts threads: a new thread inherits the priority of the one that
/// starts it.
pub fn run_alone(job: Job) {
    let (sender, jobs) = mpsc::channel::<Job>();
    let work = move || {
        if let Ok(job) = jobs.recv() {
            job(Ok(()));
        }
    };
    match Builder::new().name("dashboard-sled opening".into()).spawn(work) {
        // The thread waits for the job, so sending cannot fail.
        Ok(_) => drop(sender.send(job)),
        Err(error) => job(Err(StoreError::no_thread(error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_over_the_limit_are_refused_and_the_others_run() {
        static POOL: Pool = Pool::new("test", 1, 2, SPIN);
        let (hold, until) = mpsc::channel::<()>();
        let (begun, first) = mpsc::channel();
        POOL.run(Box::new(move |_| {
            begun.send(()).unwrap();
            let _ = until.recv();
        }));
        first.recv().unwrap();
        let (done, results) = mpsc::channel();
        for number in 0..4 {
            let done = done.clone();
            POOL.run(Box::new(move |begun| {
                done.send((number, begun.map_err(|error| error.slug()))).unwrap();
            }));
        }
        let refused: Vec<_> = results.iter().take(2).collect();
        assert_eq!(refused, [(2, Err("store-busy")), (3, Err("store-busy"))]);
        drop(hold);
        let run: Vec<_> = results.iter().take(2).collect();
        assert_eq!(run, [(0, Ok(())), (1, Ok(()))]);
    }

    #[test]
    fn a_thread_that_spins_in_vain_spins_less_and_less() {
        let mut state = State::new();
        let mut spins = || {
            (0..2000)
                .filter(|_| {
                    state.begin_spin() && {
                        state.end_spin(true);
                        true
                    }
                })
                .count()
        };
        assert_eq!(spins(), 128);
        assert_eq!(spins(), 125);
    }

    #[test]
    fn a_thread_survives_a_job_that_panics() {
        static POOL: Pool = Pool::new("test", 1, 2, Duration::ZERO);
        let (done, results) = mpsc::channel();
        let after = done.clone();
        POOL.run(Box::new(move |_| {
            done.send(1).unwrap();
            panic!("in a test");
        }));
        POOL.run(Box::new(move |_| after.send(2).unwrap()));
        assert_eq!(results.iter().take(2).collect::<Vec<_>>(), [1, 2]);
    }
}
