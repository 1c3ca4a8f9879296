//! What a store holds, by application and by kind.

use crate::record::keys::application_and_kind;
use crate::store::{Findings, Result, Store};
use std::collections::BTreeMap;

/// So many records are read at a time.
const PAGE: usize = 500;
/// So many kinds are told apart: keys that are not Dashboard's may be of any number.
const KINDS: usize = 1000;

/// What a store holds.
#[derive(Debug, Default, PartialEq)]
pub struct Usage {
    /// By application and kind; both are empty for records whose key says neither, and for those of too many kinds.
    pub kinds: BTreeMap<(String, String), Records>,
    /// All records.
    pub records: Records,
    /// Lists that are not empty.
    pub lists: u64,
    /// Items in all lists.
    pub items: u64,
    /// Records and lists that are damaged, which are not counted otherwise.
    pub damaged: Findings,
}

/// Records together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Records {
    /// How many.
    pub count: u64,
    /// The bytes of their contents.
    pub bytes: u64,
}

impl Records {
    fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes += bytes;
    }
}

/// Reads every record. `progress` is told the bytes so far. Blocks.
pub fn usage(store: &Store, progress: &dyn Fn(u64)) -> Result<Usage> {
    let mut usage = Usage::default();
    let mut after = None;
    loop {
        let page = store.records_after(after.as_ref(), PAGE, |_| true)?;
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
