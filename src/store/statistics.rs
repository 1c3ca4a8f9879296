//! Counts the commits of a store, on any engine.

use crate::store::report::Commits;
use hdrhistogram::Histogram;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Time over which the commits per second are averaged, in seconds.
const RECENT_SECONDS: u64 = 60;
/// Longest recorded duration, in microseconds. It is an hour, the highest time limit of a commit.
const LONGEST_SYNC: u64 = 3_600_000_000;

/// Counts the commits of a store.
pub struct Statistics {
    opened: Instant,
    counted: Mutex<Counted>,
}

struct Counted {
    durations: Option<Durations>,
    /// Number of commits in each recent second that had some. Seconds count from the opening.
    recent: VecDeque<(u64, u64)>,
    stale_writes: u64,
}

/// Durations of commits in microseconds.
struct Durations {
    all: Histogram<u64>,
    /// Those of this minute and of the one before it. Minutes count from the opening.
    minutes: [Histogram<u64>; 2],
    minute: u64,
}

impl Statistics {
    /// Returns empty statistics.
    pub fn new() -> Self {
        Self { opened: Instant::now(), counted: Mutex::new(Counted::new()) }
    }

    /// Counts a commit that took `time`, with so many writes of which a stale part was refused.
    pub fn note(&self, time: Duration, stale_writes: u64) {
        let second = self.open_for().as_secs();
        let mut counted = self.counted();
        counted.note(second, time);
        counted.stale_writes += stale_writes;
    }

    /// Returns the time since the store was opened.
    pub fn open_for(&self) -> Duration {
        self.opened.elapsed()
    }

    /// Returns the statistics.
    pub fn commits(&self) -> Commits {
        let seconds = self.open_for().as_secs_f64();
        self.counted().commits(seconds)
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn new() -> Self {
        Self { durations: Durations::new(), recent: VecDeque::new(), stale_writes: 0 }
    }

    fn note(&mut self, second: u64, time: Duration) {
        if let Some(durations) = &mut self.durations {
            durations.note(second, u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        }
        match self.recent.back_mut() {
            Some((last, count)) if *last == second => *count += 1,
            _ => self.recent.push_back((second, 1)),
        }
        while self.recent.front().is_some_and(|(first, _)| first + RECENT_SECONDS < second) {
            self.recent.pop_front();
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "numbers for people"
    )]
    fn commits(&mut self, seconds: f64) -> Commits {
        let Some(durations) = &mut self.durations else {
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
        Commits {
            total: durations.all.len(),
            per_second: recent as f64 / window,
            milliseconds: percentiles(&durations.all),
            recent_milliseconds: durations.recent(seconds as u64).and_then(|all| percentiles(&all)),
            stale_writes: self.stale_writes,
        }
    }
}

impl Durations {
    /// `None` if the bounds were wrong.
    fn new() -> Option<Self> {
        // Two digits are enough, and take a few kilobytes.
        let new = || Histogram::new_with_bounds(1, LONGEST_SYNC, 2).ok();
        Some(Self { all: new()?, minutes: [new()?, new()?], minute: 0 })
    }

    fn note(&mut self, second: u64, microseconds: u64) {
        self.turn(second);
        self.all.saturating_record(microseconds);
        let [this, _] = &mut self.minutes;
        this.saturating_record(microseconds);
    }

    /// Returns those of this minute and of the one before it.
    fn recent(&mut self, second: u64) -> Option<Histogram<u64>> {
        self.turn(second);
        let [this, before] = &self.minutes;
        let mut both = this.clone();
        both.add(before).ok()?;
        Some(both)
    }

    fn turn(&mut self, second: u64) {
        let passed = (second / 60).saturating_sub(self.minute);
        self.minute += passed;
        let [this, before] = &mut self.minutes;
        if passed == 1 {
            std::mem::swap(this, before);
        } else if passed > 1 {
            before.reset();
        }
        if passed > 0 {
            this.reset();
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers for people")]
fn percentiles(microseconds: &Histogram<u64>) -> Option<[f64; 4]> {
    let milliseconds = |part| microseconds.value_at_quantile(part) as f64 / 1000.0;
    (!microseconds.is_empty()).then(|| [0.5, 0.9, 0.99, 1.0].map(milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_covers_the_last_minute_and_the_durations_all_commits() {
        let mut counted = Counted::new();
        assert_eq!(counted.commits(0.0), Commits::default());
        for second in 0..200 {
            for _ in 0..5 {
                counted.note(second, Duration::from_millis(if second < 196 { 1 } else { 40 }));
            }
        }
        let Commits { total, per_second, milliseconds, .. } = counted.commits(200.0);
        assert_eq!(total, 1000);
        assert!((4.9..5.1).contains(&per_second), "{per_second}");
        let [half, most, nearly_all, longest] = milliseconds.unwrap();
        assert!((0.99..1.01).contains(&half) && (0.99..1.01).contains(&most));
        assert!((39.0..41.0).contains(&nearly_all) && (39.0..41.0).contains(&longest));
        assert!(counted.recent.len() <= 61);
        assert!(counted.commits(1000.0).per_second < 0.01);
        // In the first second, the rate is not extrapolated.
        let mut counted = Counted::new();
        counted.note(0, Duration::from_secs(9000));
        assert!((0.99..1.01).contains(&counted.commits(0.1).per_second));
    }

    #[test]
    fn recent_durations_are_those_of_this_minute_and_the_one_before() {
        let mut counted = Counted::new();
        let longest = |counted: &mut Counted, seconds: f64| {
            counted.commits(seconds).recent_milliseconds.map(|[.., longest]| longest.round())
        };
        counted.note(59, Duration::from_millis(40));
        counted.note(60, Duration::from_millis(1));
        assert_eq!(longest(&mut counted, 119.9), Some(40.0));
        assert_eq!(longest(&mut counted, 120.0), Some(1.0));
        assert_eq!(longest(&mut counted, 180.0), None);
        counted.note(200, Duration::from_millis(2));
        // Another pause, of some minutes.
        counted.note(1000, Duration::from_millis(3));
        assert_eq!(longest(&mut counted, 1000.0), Some(3.0));
        assert_eq!(counted.commits(1000.0).total, 4);
    }
}
