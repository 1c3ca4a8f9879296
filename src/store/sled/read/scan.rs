//! Scans of a whole store, page by page, in the order of the keys, while the store keeps working.
//!
//! An unchanged value is met once. A value that changes during the scan is met in its old or its new state. After a
//! failed commit all scans are refused, because the values that look-ups return for that commit are not in sled.

use crate::store::contents::Contents;
use crate::store::error::{Result, StoreError};
use crate::store::findings::Findings;
use crate::store::key::{Key, KeyKind, ListPath};
use crate::store::scan::{Parts, Records, PAGE_BYTES};
use crate::store::sled::database::disk::Disk;
use crate::store::sled::database::range::Stored;
use crate::store::sled::format::value::{self};
use crate::store::sled::read::list::Head;
use crate::store::sled::Store;

impl Store {
    /// Returns at most `count` records after the key `after` that have a `wanted` name. A damaged record is included if
    /// its name is unknown. Blocks.
    pub fn records_after(
        &self,
        after: Option<&Key>,
        count: usize,
        wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Records> {
        self.shared.scan(|disk| {
            let mut page = Records::default();
            let mut bytes = 0;
            for stored in disk.forwards(&KeyKind::Record.prefix(), after.map(Key::encoded)) {
                let Some(stored) = page.damaged.damage(stored.map(Some))? else { continue };
                let found = Key::found(&stored.0, None);
                // The name of a hashed key is stored beside its value.
                if !found.name().is_none_or(&wanted) {
                    continue;
                }
                if let Some((key, contents)) = page.damaged.damage(current(disk, stored))? {
                    if !key.name().is_some_and(&wanted) {
                        continue;
                    }
                    bytes += key.size() + contents.len();
                    page.records.push((key, contents));
                }
                if page.records.len() >= count || bytes >= PAGE_BYTES {
                    page.next = Some(found);
                    break;
                }
            }
            Ok(page)
        })
    }

    /// Returns parts of the lists after the item at `after`. Blocks.
    pub fn parts_after(&self, after: Option<(&ListPath, u64)>) -> Result<Parts> {
        self.shared.scan(|disk| {
            let mut page = Parts::default();
            // The key of an item names its list, so the items are read even if the head is damaged.
            let after = after.map(|(path, last)| path.item(last));
            let after = after.as_ref().map(Key::encoded);
            for stored in disk.forwards(&KeyKind::Item.prefix(), after) {
                if page.is_full() {
                    return Ok(page);
                }
                let Some(stored) = page.damaged.damage(stored.map(Some))? else { continue };
                let sequence = Key::number(&stored.0).unwrap_or_default();
                let list = Key::found(&stored.0, None).list_path();
                match current(disk, stored) {
                    Ok(Some((key, item))) => page.add(&key, sequence, item),
                    Ok(None) => {}
                    Err(error) => match (error, list) {
                        (StoreError::Damaged { .. }, Some(list)) => {
                            page.damaged.add_of_list(&list, 1, "an item is damaged");
                        }
                        (error, _) => drop(page.damaged.damage::<()>(Err(error))?),
                    },
                }
            }
            page.is_end = true;
            Ok(page)
        })
    }

    /// Returns the number of lists, the number of their items, and the damaged lists. Blocks.
    pub fn list_counts(&self) -> Result<(u64, u64, Findings)> {
        self.shared.scan(|disk| {
            let (mut lists, mut items, mut damaged) = (0, 0, Findings::default());
            for stored in disk.forwards(&KeyKind::List.prefix(), None) {
                let found = stored.and_then(|stored| current(disk, stored));
                let head = found.and_then(|found| {
                    let Some((key, contents)) = found else { return Ok(None) };
                    let path = key.list_path().ok_or_else(|| value::damaged(&key))?;
                    Head::read(&path, Some(&contents)).map(Some)
                });
                if let Some(head) = damaged.damage(head)? {
                    lists += 1;
                    items += head.count;
                }
            }
            Ok((lists, items, damaged))
        })
    }
}

/// Returns a scanned value, or the current one if the scanned one was replaced meanwhile. `None` if the key was
/// removed.
fn current(disk: &Disk, (encoded, mut stored): Stored) -> Result<Option<(Key, Contents)>> {
    loop {
        if let Some(found) = disk.found(&encoded, &stored)? {
            return Ok(Some(found));
        }
        match disk.raw(&encoded)? {
            Some(now) => stored = now,
            None => return Ok(None),
        }
    }
}
