//! Iterates over a range of keys, in order, even where a part of sled's data is damaged.
//!
//! Where sled cannot read one of its pages, its own iterator returns the same error for ever, and sometimes panics.
//! This iterator reports each unreadable range of keys once, and continues after it.

use crate::store::error::{Result, StoreError};
use crate::store::key::{Key, MAX_ENCODED};
use std::ops::Bound;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;

/// An encoded key and its value, as sled returns them. The value may point to chunks that still have to be read.
pub type Stored = (sled::IVec, sled::IVec);

/// Iterator over the keys and values of a range.
pub struct Range<'a> {
    database: &'a sled::Db,
    folder: &'a Path,
    prefix: Vec<u8>,
    /// sled's iterator; `None` at the end.
    found: Option<sled::Iter>,
    /// The key that was read last, or the beginning of the range.
    last: Vec<u8>,
}

impl<'a> Range<'a> {
    /// Returns an iterator over the keys that begin with `prefix` and follow `after`.
    pub fn new(
        database: &'a sled::Db,
        folder: &'a Path,
        prefix: &[u8],
        after: Option<&[u8]>,
    ) -> Self {
        let from = match after {
            Some(after) => Bound::Excluded(after.to_vec()),
            None => Bound::Included(prefix.to_vec()),
        };
        let found = Some(database.range((from, Bound::Unbounded)));
        let last = after.unwrap_or(prefix).to_vec();
        Self { database, folder, prefix: prefix.to_vec(), found, last }
    }

    /// Continues after the unreadable keys, and returns the error that names their range.
    fn step_over(&mut self) -> StoreError {
        let behind = self.next_readable();
        self.found = behind.as_ref().map(|behind| {
            let from = Bound::Included(behind.clone());
            self.database.range((from, Bound::Unbounded))
        });
        let name = |key: &[u8]| Key::found(key, None).display();
        let what = match behind {
            Some(behind) => format!("between \"{}\" and \"{}\"", name(&self.last), name(&behind)),
            None => format!("behind \"{}\"", name(&self.last)),
        };
        StoreError::Damaged { what: format!("some of the data of sled, {what},") }
    }

    /// Returns the first key after the last one from which sled can read. Probes keys at growing distances first, then
    /// narrows down to the first readable one.
    fn next_readable(&self) -> Option<Vec<u8>> {
        let mut readable = None;
        // The last unreadable key found. It shares its first bytes with the first readable key.
        let mut unreadable = self.last.clone();
        for length in (self.prefix.len()..self.last.len()).rev() {
            let (start, rest) = self.last.split_at_checked(length)?;
            let next = rest.first()?.checked_add(1);
            let siblings = next.into_iter().flat_map(|next| next..=u8::MAX);
            let (before, found) = self.look(start, siblings);
            if found.is_some() {
                readable = found;
                if let Some(before) = before {
                    unreadable = before;
                }
                break;
            }
        }
        readable.as_ref()?;
        // Each step looks at one more byte, up to the length of a key.
        while let (before, Some(found)) = self.look(&unreadable, 0..=u8::MAX) {
            readable = Some(found);
            match before.filter(|before| before.len() < MAX_ENCODED) {
                Some(before) => unreadable = before,
                None => break,
            }
        }
        readable
    }

    /// Probes `start` extended by each of `bytes`. Returns the first key from which sled can read, and the one before
    /// it.
    fn look(
        &self,
        start: &[u8],
        bytes: impl Iterator<Item = u8>,
    ) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let mut before = None;
        for byte in bytes {
            let key = [start, &[byte]].concat();
            if self.can_read(&key) {
                return (before, Some(key));
            }
            before = Some(key);
        }
        (before, None)
    }

    fn can_read(&self, from: &[u8]) -> bool {
        let first =
            || self.database.range((Bound::Included(from.to_vec()), Bound::Unbounded)).next();
        matches!(catch_unwind(AssertUnwindSafe(first)), Ok(None | Some(Ok(_))))
    }
}

impl Iterator for Range<'_> {
    type Item = Result<Stored>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.found.as_mut()?;
        match catch_unwind(AssertUnwindSafe(|| found.next())) {
            Ok(None) => None,
            Ok(Some(Ok((key, value)))) => {
                self.last = key.to_vec();
                key.starts_with(&self.prefix).then_some(Ok((key, value)))
            }
            Ok(Some(Err(sled::Error::Corruption { .. }))) | Err(_) => Some(Err(self.step_over())),
            Ok(Some(Err(error))) => {
                self.found = None;
                Some(Err(StoreError::sled("read", self.folder, error)))
            }
        }
    }
}
