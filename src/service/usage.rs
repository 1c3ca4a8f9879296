//! Counts the contents of a store by application and by kind.

use super::RECORDS_PER_PAGE;
use crate::record::keys::application_and_kind;
use crate::store::{Findings, Result, Store};
use std::collections::BTreeMap;

/// Maximum number of kinds that are counted separately: keys that are not Dashboard's may name any number of kinds.
const KINDS: usize = 1000;

/// Contents of a store.
#[derive(Debug, Default, PartialEq)]
pub struct Usage {
    /// Totals by application and kind. Both names are empty for records whose key does not say them, and for all kinds
    /// beyond [`KINDS`].
    pub kinds: BTreeMap<(String, String), Records>,
    /// Total of all records.
    pub records: Records,
    /// Number of lists that are not empty.
    pub lists: u64,
    /// Number of items in all lists.
    pub items: u64,
    /// Damaged records and lists. They are not in the other numbers.
    pub damaged: Findings,
}

/// Totals of a group of records.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Records {
    /// Number of records.
    pub count: u64,
    /// Size of their contents in bytes.
    pub bytes: u64,
}

impl Records {
    fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes += bytes;
    }
}

/// Reads every record. `progress` gets the number of bytes read so far. Blocks.
pub fn usage(store: &Store, progress: &dyn Fn(u64)) -> Result<Usage> {
    let mut usage = Usage::default();
    let mut after = None;
    loop {
        let page = store.records_after(after.as_ref(), RECORDS_PER_PAGE, |_| true)?;
        usage.damaged.append(page.damaged);
        for (key, contents) in &page.records {
            let bytes = contents.len() as u64;
            usage.records.add(bytes);
            let name = String::from_utf8_lossy(key.name().unwrap_or_default());
            let (appid, kind) = application_and_kind(&name).unwrap_or_default();
            let mut place = (appid.to_owned(), kind.to_owned());
            if usage.kinds.len() >= KINDS && !usage.kinds.contains_key(&place) {
                place = Default::default();
            }
            usage.kinds.entry(place).or_default().add(bytes);
        }
        progress(usage.records.bytes);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let damaged;
    (usage.lists, usage.items, damaged) = store.list_counts()?;
    usage.damaged.append(damaged);
    Ok(usage)
}
