//! Everything in a store, page by page, in the order of the keys, while the store goes on working.
//!
//! What does not change meanwhile is met once. What changes is met as it was or as it is.

use super::disk::{Disk, Stored};
use super::error::Result;
use super::key::{Key, KeyKind, ListPath};
use super::list::Head;
use super::value::{self, Contents};
use super::Store;

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

impl Store {
    /// At most `count` records behind the key `after` whose name, as far as the key itself tells it, is `wanted`.
    /// Blocks.
    pub fn records_after(
        &self,
        after: Option<&Key>,
        count: usize,
        wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<(Key, Contents)>> {
        self.shared.with_all(|disk| {
            let mut records = Vec::new();
            let mut bytes = 0;
            for stored in disk.forwards(&KeyKind::Record.prefix(), after.map(Key::encoded)) {
                let stored = stored?;
                // The name of a hashed key stands beside its value.
                if !Key::found(&stored.0, None).name().is_none_or(&wanted) {
                    continue;
                }
                let Some((key, contents)) = current(disk, stored)? else { continue };
                if !key.name().is_some_and(&wanted) {
                    continue;
                }
                bytes += key.size() + contents.len();
                records.push((key, contents));
                if records.len() >= count || bytes >= PAGE_BYTES {
                    break;
                }
            }
            Ok(records)
        })
    }

    /// Parts of the lists behind the item that stands at `after`. Blocks.
    pub fn parts_after(&self, after: Option<(&ListPath, u64)>) -> Result<Vec<Part>> {
        self.shared.with_all(|disk| {
            let mut page = Page { parts: Vec::new(), items: 0, bytes: 0 };
            if let Some((path, last)) = after {
                page.read(disk, path, Some(last))?;
            }
            let head = after.map(|(path, _)| path.head());
            for stored in disk.forwards(&KeyKind::List.prefix(), head.as_ref().map(Key::encoded)) {
                if page.is_full() {
                    break;
                }
                let found = current(disk, stored?)?;
                if let Some(path) = found.and_then(|(key, _)| key.list_path()) {
                    page.read(disk, &path, None)?;
                }
            }
            Ok(page.parts)
        })
    }

    /// How many lists there are, and how many items in all of them. Blocks.
    pub fn list_counts(&self) -> Result<(u64, u64)> {
        self.shared.with_all(|disk| {
            let (mut lists, mut items) = (0, 0);
            for stored in disk.forwards(&KeyKind::List.prefix(), None) {
                let Some((key, contents)) = current(disk, stored?)? else { continue };
                let path = key.list_path().ok_or_else(|| value::damaged(&key))?;
                lists += 1;
                items += Head::read(&path, Some(&contents))?.count;
            }
            Ok((lists, items))
        })
    }
}

/// What is read at a time.
struct Page {
    parts: Vec<Part>,
    items: usize,
    bytes: usize,
}

impl Page {
    fn is_full(&self) -> bool {
        self.items >= PAGE_ITEMS || self.bytes >= PAGE_BYTES
    }

    /// Adds what there is of the list at `path` behind the item at `after`.
    fn read(&mut self, disk: &Disk, path: &ListPath, after: Option<u64>) -> Result<()> {
        let mut part = Part { path: path.bytes().into(), items: Vec::new(), last: 0 };
        let after = after.map(|sequence| path.entry(sequence));
        for stored in disk.forwards(&path.entries(), after.as_ref().map(Key::encoded)) {
            if self.is_full() {
                break;
            }
            let stored = stored?;
            let sequence = Key::number(&stored.0).unwrap_or_default();
            if let Some((_, item)) = current(disk, stored)? {
                self.items += 1;
                self.bytes += item.len();
                part.items.push(item);
                part.last = sequence;
            }
        }
        if !part.items.is_empty() {
            self.bytes += part.path.len();
            self.parts.push(part);
        }
        Ok(())
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
