//! What was found in a store, for people.

use crate::store::error::{Result, StoreError};
use crate::store::key::ListPath;

/// Of so many things there is a description; of more there is the number.
const DESCRIBED: usize = 100;

/// Things to tell, for people. They name keys, and show no contents.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// How many.
    pub number: u64,
    /// The first of them.
    pub described: Vec<String>,
}

impl Findings {
    /// One more.
    pub fn tell(&mut self, description: impl Into<String>) {
        self.number += 1;
        if self.described.len() < DESCRIBED {
            self.described.push(description.into());
        }
    }

    /// All of another one.
    pub fn append(&mut self, other: Self) {
        self.number += other.number;
        let room = DESCRIBED.saturating_sub(self.described.len());
        self.described.extend(other.described.into_iter().take(room));
    }

    /// The first few of them, for a sentence.
    #[must_use]
    pub fn first(&self) -> String {
        const FEW: usize = 5;
        let some = self.described.iter().take(FEW).map(String::as_str).collect::<Vec<_>>();
        let more = if self.number > FEW as u64 { ", …" } else { "" };
        some.join(", ") + more
    }

    /// One more, if `result` is damage, which is then no error: the value, if there is one.
    pub fn damage<T>(&mut self, result: Result<Option<T>>) -> Result<Option<T>> {
        match result {
            Err(StoreError::Damaged { what }) => {
                self.tell(format!("{what} is damaged"));
                Ok(None)
            }
            other => other,
        }
    }

    /// One more, if `what` was done `times` to the list at `path`.
    pub fn tell_of(&mut self, path: &ListPath, times: u64, what: &str) {
        let name = path.head().display();
        match times {
            0 => {}
            1 => self.tell(format!("the list {name}: {what}")),
            _ => self.tell(format!("the list {name}: {what} ({times} times)")),
        }
    }
}
