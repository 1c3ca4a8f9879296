//! Everything in a store, page by page, in the order of the keys, while the store goes on working.
//!
//! What does not change meanwhile is met once. What changes is met as it was or as it is. Behind a commit that failed all of
//! it is refused: what look-ups find of that commit is not in sled.

use crate::store::contents::Contents;
use crate::store::error::{Result, StoreError};
use crate::store::findings::Findings;
use crate::store::key::{Key, KeyKind, ListPath};
use crate::store::sled::database::disk::{Disk, Stored};
use crate::store::sled::format::value::{self};
use crate::store::sled::read::list::Head;
use crate::store::sled::Store;

/// A page ends behind the value with which it has so many bytes.
const PAGE_BYTES: usize = 1 << 20;
/// A page of lists ends with so many items.
const PAGE_ITEMS: usize = 2000;

/// A part of a list.
pub struct Part {
    /// The path of the list.
    pub path: Vec<u8>,
    /// The oldest items behind the part before, oldest first; never none.
    pub items: Vec<Contents>,
    /// Where the last of them stands.
    pub last: u64,
}

/// Records in the order of their keys.
#[derive(Default)]
pub struct Records {
    /// Those that are whole.
    pub records: Vec<(Key, Contents)>,
    /// Those that are damaged.
    pub damaged: Findings,
    /// The key behind which there may be more; `None` at the end.
    pub next: Option<Key>,
}

/// Parts of lists in the order of the lists.
#[derive(Default)]
pub struct Parts {
    /// Those that are whole; the next page begins behind the last of them.
    pub parts: Vec<Part>,
    /// Lists and items that are damaged.
    pub damaged: Findings,
    /// Whether this is the last page.
    pub is_end: bool,
    items: usize,
    bytes: usize,
}

impl Store {
    /// At most `count` records behind the key `after` whose name, as far as the key itself tells it, is `wanted`.
    /// A damaged record whose name is unknown may be one. Blocks.
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
                // The name of a hashed key stands beside its value.
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

    /// Parts of the lists behind the item that stands at `after`. Blocks.
    pub fn parts_after(&self, after: Option<(&ListPath, u64)>) -> Result<Parts> {
        self.shared.scan(|disk| {
            let mut page = Parts::default();
            // Entries tell their list, so a list whose head is damaged is read as well.
            let after = after.map(|(path, last)| path.entry(last));
            let after = after.as_ref().map(Key::encoded);
            for stored in disk.forwards(&KeyKind::Entry.prefix(), after) {
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
                            page.damaged.tell_of(&list, 1, "an item is damaged");
                        }
                        (error, _) => drop(page.damaged.damage::<()>(Err(error))?),
                    },
                }
            }
            page.is_end = true;
            Ok(page)
        })
    }

    /// How many lists there are, how many items in all of them, and which are damaged. Blocks.
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

impl Parts {
    fn is_full(&self) -> bool {
        self.items >= PAGE_ITEMS || self.bytes >= PAGE_BYTES
    }

    /// Adds the item at the key `key`, which stands behind all that were added before.
    fn add(&mut self, key: &Key, sequence: u64, item: Contents) {
        let path = key.name().unwrap_or_default();
        self.items += 1;
        self.bytes += item.len();
        if let Some(part) = self.parts.last_mut().filter(|part| part.path == path) {
            part.items.push(item);
            part.last = sequence;
        } else {
            self.bytes += path.len();
            self.parts.push(Part { path: path.into(), items: vec![item], last: sequence });
        }
    }
}

/// What a scan has found, or what stands there now if that was replaced meanwhile; `None` if nothing does.
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
