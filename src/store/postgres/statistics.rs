//! Number and duration of the batches of a store.

use crate::store::report::{Commits, Stats};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Number of the last durations that are kept.
const KEPT: usize = 1000;

/// Counts batches.
pub struct Statistics {
    opened: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    total: u64,
    last: Vec<(Instant, Duration)>,
}

impl Statistics {
    /// Returns empty statistics.
    pub fn new() -> Self {
        Self { opened: Instant::now(), state: Mutex::default() }
    }

    /// Counts a batch that took `time`.
    pub fn note(&self, time: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = (Instant::now(), time);
        let index = usize::try_from(state.total % KEPT as u64).unwrap_or_default();
        match state.last.get_mut(index) {
            Some(kept) => *kept = entry,
            None => state.last.push(entry),
        }
        state.total += 1;
    }

    /// Returns the statistics, of which the percentiles are those of the last batches.
    pub fn collect(&self, waiting: usize) -> Stats {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let open = self.opened.elapsed();
        let recent = Duration::from_secs(60).min(open);
        let count = state.last.iter().filter(|(at, _)| at.elapsed() < recent).count();
        let mut times: Vec<f64> =
            state.last.iter().map(|(_, time)| time.as_secs_f64() * 1000.0).collect();
        times.sort_by(f64::total_cmp);
        let at = |percent: usize| {
            let last = times.len().saturating_sub(1);
            times.get(last * percent / 100).copied().unwrap_or_default()
        };
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let per_second = count as f64 / recent.as_secs_f64().max(0.001);
        let milliseconds = (!times.is_empty()).then(|| [at(50), at(90), at(99), at(100)]);
        Stats {
            open_seconds: open.as_secs_f64(),
            waiting,
            commits: Commits { total: state.total, per_second, milliseconds },
            ..Stats::default()
        }
    }
}
