//! A list of things found in a store, for an operator.

use crate::store::error::{Result, StoreError};
use crate::store::key::ListPath;

/// Number of findings that are described. The others are only counted.
const DESCRIBED: usize = 100;

/// Findings for an operator. They name keys, and show no contents.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// Number of findings.
    pub number: u64,
    /// Descriptions of the first ones.
    pub described: Vec<String>,
}

impl Findings {
    /// Adds one finding.
    pub fn add(&mut self, description: impl Into<String>) {
        self.number += 1;
        if self.described.len() < DESCRIBED {
            self.described.push(description.into());
        }
    }

    /// Adds all findings of `other`.
    pub fn append(&mut self, other: Self) {
        self.number += other.number;
        let left = DESCRIBED.saturating_sub(self.described.len());
        self.described.extend(other.described.into_iter().take(left));
    }

    /// Returns the first five descriptions, for a sentence.
    #[must_use]
    pub fn first(&self) -> String {
        const FEW: usize = 5;
        let some = self.described.iter().take(FEW).map(String::as_str).collect::<Vec<_>>();
        let more = if self.number > FEW as u64 { ", …" } else { "" };
        some.join(", ") + more
    }

    /// Adds a finding about the list at `path`, if `what` was done to it at least once.
    pub fn add_of_list(&mut self, path: &ListPath, times: u64, what: &str) {
        let name = path.head().display();
        match times {
            0 => {}
            1 => self.add(format!("the list {name}: {what}")),
            _ => self.add(format!("the list {name}: {what} ({times} times)")),
        }
    }

    /// Turns damage into a finding, and returns `None` for it. Returns other results unchanged.
    pub fn damage<T>(&mut self, result: Result<Option<T>>) -> Result<Option<T>> {
        match result {
            Err(StoreError::Damaged { what }) => {
                self.add(format!("{what} is damaged"));
                Ok(None)
            }
            other => other,
        }
    }
}
