//! Number and duration of commits.

use crate::store::report::Commits;
use hdrhistogram::Histogram;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time over which the commits per second are averaged, in seconds.
const RECENT_SECONDS: u64 = 60;
/// Longest recorded duration, in microseconds. It is an hour, the highest time limit of a commit.
const LONGEST_SYNC: u64 = 3_600_000_000;

/// Counts the commits of a store.
pub struct Syncs {
    opened: Instant,
    counted: Mutex<Counted>,
}

struct Counted {
    microseconds: Option<Histogram<u64>>,
    /// Number of commits in each recent second that had some. Seconds count from the opening.
    recent: VecDeque<(u64, u64)>,
}

impl Syncs {
    /// Returns empty statistics.
    pub fn new() -> Self {
        // Two digits are enough, and take a few kilobytes.
        let microseconds = Histogram::new_with_bounds(1, LONGEST_SYNC, 2).ok();
        let counted = Mutex::new(Counted { microseconds, recent: VecDeque::new() });
        Self { opened: Instant::now(), counted }
    }

    /// Counts a commit that took `time`.
    pub fn note(&self, time: Duration) {
        let second = self.open_for().as_secs();
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).note(second, time);
    }

    /// Returns the time since the store was opened.
    pub fn open_for(&self) -> Duration {
        self.opened.elapsed()
    }

    /// Returns the statistics.
    pub fn commits(&self) -> Commits {
        let seconds = self.open_for().as_secs_f64();
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).commits(seconds)
    }
}

impl Counted {
    fn note(&mut self, second: u64, time: Duration) {
        if let Some(histogram) = &mut self.microseconds {
            histogram.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        }
        match self.recent.back_mut() {
            Some((last, count)) if *last == second => *count += 1,
            _ => self.recent.push_back((second, 1)),
        }
        while self.recent.front().is_some_and(|(first, _)| first + RECENT_SECONDS < second) {
            self.recent.pop_front();
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers for people")]
    fn commits(&self, seconds: f64) -> Commits {
        let Some(histogram) = &self.microseconds else {
            return Commits::default();
        };
        let window = seconds.clamp(1.0, RECENT_SECONDS as f64);
        let since = seconds - window;
        let recent: u64 = self
            .recent
            .iter()
            .filter(|(second, _)| *second as f64 >= since)
            .map(|(_, count)| count)
            .sum();
        let milliseconds = |part| histogram.value_at_quantile(part) as f64 / 1000.0;
        Commits {
            total: histogram.len(),
            per_second: recent as f64 / window,
            milliseconds: (!histogram.is_empty()).then(|| [0.5, 0.9, 0.99, 1.0].map(milliseconds)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_covers_the_last_minute_and_the_durations_all_commits() {
        let Syncs { counted, .. } = Syncs::new();
        let mut counted = counted.into_inner().unwrap();
        assert_eq!(counted.commits(0.0), Commits::default());
        for second in 0..200 {
            for _ in 0..5 {
                counted.note(second, Duration::from_millis(if second < 196 { 1 } else { 40 }));
            }
        }
        let Commits { total, per_second, milliseconds } = counted.commits(200.0);
        assert_eq!(total, 1000);
        assert!((4.9..5.1).contains(&per_second), "{per_second}");
        let [half, most, nearly_all, longest] = milliseconds.unwrap();
        assert!((0.99..1.01).contains(&half) && (0.99..1.01).contains(&most));
        assert!((39.0..41.0).contains(&nearly_all) && (39.0..41.0).contains(&longest));
        assert!(counted.recent.len() <= 61);
        assert!(counted.commits(1000.0).per_second < 0.01);
        // In the first second, the rate is not extrapolated.
        let Syncs { counted, .. } = Syncs::new();
        let mut counted = counted.into_inner().unwrap();
        counted.note(0, Duration::from_secs(9000));
        assert!((0.99..1.01).contains(&counted.commits(0.1).per_second));
    }
}
