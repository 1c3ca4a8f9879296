//! Pages of lists. A page is a snapshot of one moment, however long it is, and the writer never waits for its reader.
//!
//! At that moment, between two batches, the page looks up its first item. It reads the head, the tallies, and at most
//! one block of items. The items themselves are read later, in slices, while the list may change. New items get higher
//! numbers, so the page does not meet them. Before the writer changes any other item of the page, it saves the old one
//! here. A saved item takes precedence over the one that a slice has read.

use crate::store::contents::Contents;
use crate::store::error::Result;
use crate::store::key::{Key, ListPath};
use crate::store::sled::database::disk::Disk;
use crate::store::sled::format::batch::Batch;
use crate::store::sled::read::list::Head;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Number of items that are read at a time.
const SLICE: usize = 1024;

/// The pages that are being read.
#[derive(Default)]
pub struct Pages(Mutex<Vec<Arc<Page>>>);

/// A page whose items are being read.
pub struct Page {
    path: ListPath,
    /// Prefix of the keys of all items of the list.
    prefix: Vec<u8>,
    /// The items of the page have this sequence number or a lower one.
    newest: u64,
    /// Items that have changed since the moment of the page, as they were then.
    before: Mutex<Items>,
}

/// The item with each sequence number; `None` where there was no item.
type Items = BTreeMap<u64, Result<Option<Contents>>>;

/// Unregisters the page on drop, so that the writer saves no more items for it.
pub struct Reading<'a> {
    pages: &'a Pages,
    pub page: Arc<Page>,
}

impl Pages {
    /// Registers a page that begins at the sequence number that `newest` returns. Returns `None` if the list has no more
    /// items.
    pub fn begin(
        &self,
        disk: &Disk,
        path: &ListPath,
        newest: impl FnOnce(&Disk, &Head) -> Result<Option<u64>>,
    ) -> Result<Option<Reading<'_>>> {
        let head = Head::read(path, disk.get(&path.head())?.as_deref())?;
        let Some(newest) = newest(disk, &head)? else {
            return Ok(None);
        };
        let page = Arc::new(Page {
            path: path.clone(),
            prefix: path.items(),
            newest,
            before: Mutex::default(),
        });
        self.lock().push(Arc::clone(&page));
        Ok(Some(Reading { pages: self, page }))
    }

    /// Saves the items that `batch` is about to change. Called by the writer only.
    pub fn keep(&self, disk: &Disk, batch: &Batch) {
        let pages = self.lock();
        for page in pages.iter() {
            for (key, _) in batch.changes().filter(|(key, _)| key.starts_with(&page.prefix)) {
                page.keep(disk, key);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Page>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Page {
    fn keep(&self, disk: &Disk, key: &[u8]) {
        let Some(sequence) = Key::number(key).filter(|sequence| *sequence <= self.newest) else {
            return;
        };
        // If the item is damaged, the reader reports it, not the writer.
        self.before().entry(sequence).or_insert_with(|| disk.get(&self.path.item(sequence)));
    }

    /// Returns the items of the page with their sequence numbers, at most `size`.
    pub fn read(&self, disk: &Disk, size: u64) -> Result<Vec<(u64, Contents)>> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let mut items = Vec::new();
        let mut next = Some(self.newest);
        while let Some(high) = next {
            let wanted = SLICE.min(size - items.len());
            if wanted == 0 {
                break;
            }
            let (low, slice) = self.slice(disk, high, wanted)?;
            for (sequence, item) in slice.into_iter().rev() {
                if items.len() == size {
                    break;
                }
                items.extend(item?.map(|item| (sequence, item)));
            }
            next = low.checked_sub(1);
        }
        Ok(items)
    }

    /// Returns the items from `high` downwards, and the lowest number that they cover. There are `wanted` items,
    /// unless the list ends before.
    fn slice(&self, disk: &Disk, high: u64, wanted: usize) -> Result<(u64, Items)> {
        let mut slice = BTreeMap::new();
        let [from, to] = [0, high].map(|sequence| self.path.item(sequence));
        for stored in disk.backwards(&from, &to).take(wanted) {
            let (encoded, stored) = stored?;
            let sequence = Key::number(&encoded).unwrap_or_default();
            slice.insert(sequence, disk.contents(&self.path.item(sequence), &stored));
        }
        let low = match slice.first_key_value() {
            Some((lowest, _)) if slice.len() == wanted => *lowest,
            _ => 0,
        };
        // Only after the read: a change that was made before an item was read has saved the old one by now.
        let before = self.before();
        slice.extend(before.range(low..=high).map(|(sequence, item)| (*sequence, item.clone())));
        Ok((low, slice))
    }

    fn before(&self) -> MutexGuard<'_, Items> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.pages.lock().retain(|page| !Arc::ptr_eq(page, &self.page));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::change::Change;
    use crate::store::sled::read::list;
    use crate::store::sled::test_store::{make, temporary, wait_for};
    use crate::store::sled::Lease;
    use std::collections::BTreeSet;

    fn path() -> ListPath {
        ListPath::new(b"list")
    }

    fn name(item: usize) -> Vec<u8> {
        // Some items are stored in chunks.
        let size = if item.is_multiple_of(50) { 10_000 } else { 0 };
        [format!("item {item}").into_bytes(), vec![b'.'; size]].concat()
    }

    fn add(store: &Lease, items: impl IntoIterator<Item = usize>) {
        let add = |item| Change::ListAdd { path: path(), item: name(item) };
        make(store, items.into_iter().map(add).collect());
    }

    fn discard(store: &Lease, items: impl IntoIterator<Item = usize>) {
        let discard = |item| Change::ListRemove { path: path(), item: name(item) };
        make(store, items.into_iter().map(discard).collect());
    }

    /// Returns the items of a page that began before `change` and is read after it.
    fn across(store: &Lease, offset: u64, size: u64, change: impl FnOnce()) -> Vec<Contents> {
        let shared = &store.shared;
        shared.unapplied.wait().unwrap();
        let items = shared.with_disk(|disk| {
            let newest = |disk: &Disk, head: &Head| list::nth(disk, &path(), head, offset);
            let reading = shared.pages.begin(disk, &path(), newest)?.unwrap();
            change();
            shared.unapplied.wait()?;
            reading.page.read(disk, size)
        });
        assert!(shared.pages.lock().is_empty());
        items.unwrap().into_iter().map(|(_, item)| item).collect()
    }

    fn names(items: impl Iterator<Item = usize>) -> Vec<Contents> {
        items.map(|item| name(item).into()).collect()
    }

    #[test]
    fn a_page_is_a_snapshot_while_the_list_changes() {
        let (_folder, store) = temporary();
        let count = 3 * SLICE;
        add(&store, 0..count);
        let all = names((0..count).rev());
        assert_eq!(across(&store, 0, u64::MAX, || add(&store, count..count + 10)), all);
        discard(&store, count..count + 10);
        // Removes some items at both ends of each slice, and adds one of them again as the newest.
        let gone = (0..count).filter(|item| item % SLICE < 10 || item % 7 == 0);
        let found = across(&store, 0, u64::MAX, || {
            discard(&store, gone.clone());
            add(&store, [0]);
        });
        assert_eq!(found, all);
        let left = (0..count).rev().filter(|item| *item % SLICE >= 10 && item % 7 != 0);
        let left = names(std::iter::once(0).chain(left));
        assert_eq!(store.page(&path(), 0, u64::MAX).unwrap(), left);
        let found = across(&store, 300, 2000, || discard(&store, 0..count));
        assert_eq!(found, left[300..2300]);
        // Sequence numbers start again after a wipe, so other items get those of the page.
        add(&store, 0..count);
        let found = across(&store, 5, 3000, || {
            wait_for(|done| store.wipe(done));
            add(&store, count..2 * count);
        });
        assert_eq!(found, all[5..3005]);
        assert_eq!(store.verify(&|_| ()).unwrap().problems.number, 0);
    }

    #[test]
    fn pages_before_a_number_do_not_shift_while_items_come_and_go() {
        let (_folder, store) = temporary();
        assert_eq!(store.page_before(&path(), None, 10).unwrap(), []);
        // Each item is added once, so its sequence number is its own.
        add(&store, 0..SLICE);
        let mut live: BTreeSet<usize> = (0..SLICE).collect();
        let (mut before, mut seen) = (SLICE, Vec::new());
        for round in 0.. {
            let from = (round > 0).then_some(before as u64);
            let page = store.page_before(&path(), from, 100).unwrap();
            let expected: Vec<_> = live.range(..before).rev().take(100).copied().collect();
            let items = expected.iter().map(|item| (*item as u64, name(*item).into()));
            assert!(page.into_iter().eq(items), "the page before {before}");
            let Some(last) = expected.last() else { break };
            before = *last;
            seen.extend(expected);
            // New items, and removals among the new ones, those that were seen, and those that were not.
            let new = SLICE + 30 * round;
            add(&store, new..new + 30);
            live.extend(new..new + 30);
            let gone = [new, new + 29, before + 7, before / 2];
            discard(&store, gone);
            live.retain(|item| !gone.contains(item));
        }
        assert!(live.range(..SLICE).rev().all(|item| seen.contains(item)));
        let ended = store.page_before(&path(), Some(0), 1).unwrap();
        assert_eq!((seen.len() > 900, ended), (true, Vec::new()));
    }
}
