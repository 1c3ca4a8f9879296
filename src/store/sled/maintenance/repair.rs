//! Rebuilds redundant data from the rest: positions, items and counters of lists. Removes chunks that nothing points
//! to.
//!
//! Each item is stored twice: as the value of its sequence number, and in the key of its position, whose value is that
//! number. Each of them is enough to rebuild the other. Counters are counted again. Nothing is guessed: an item of
//! which neither is intact, a damaged record, and missing chunks stay as they are, and
//! [`crate::store::sled::maintenance::verify`] reports them.

use crate::store::contents::Contents;
use crate::store::error::Result;
use crate::store::findings::Findings;
use crate::store::key::{ChunkId, Key, KeyKind, ListPath};
use crate::store::panics::caught;
use crate::store::sled::database::disk::Disk;
use crate::store::sled::folder;
use crate::store::sled::folder::rollback_guard::RollbackGuard;
use crate::store::sled::format::batch::Batch;
use crate::store::sled::format::meta;
use crate::store::sled::format::value::{self};
use crate::store::sled::open::registry;
use crate::store::sled::open::{self, Opened, Settings};
use crate::store::sled::read::list::{BlockCounts, Counted, Head};
use std::collections::{BTreeSet, HashMap};

/// Number of keys in a batch.
const BATCH: usize = 1000;

/// Repairs the store of `settings`, which must not be open anywhere else. Returns a description of each repair. Calls
/// `progress` with the number of bytes read so far. Blocks.
pub fn repair(settings: &Settings, progress: &dyn Fn(u64)) -> Result<Findings> {
    let path = folder::locate(&settings.path, false)?;
    registry::refuse_opened(&path)?;
    let Opened { disk, guard, applied, lock, .. } =
        open::open_disk(&Settings { path, ..settings.clone() })?;
    // sled panics if a sync fails while it closes.
    let findings = caught("repair the store", || {
        let mut repair = Repair {
            disk: &disk,
            guard,
            applied,
            findings: Findings::default(),
            fixes: Fixes::default(),
        };
        repair.run(progress)?;
        Ok(repair.findings)
    });
    drop(lock);
    findings
}

struct Repair<'a> {
    disk: &'a Disk,
    guard: RollbackGuard,
    applied: u64,
    findings: Findings,
    fixes: Fixes,
}

/// Writes that are collected for a batch; `None` removes the key.
#[derive(Default)]
struct Fixes(Vec<(Key, Option<Contents>)>);

impl Fixes {
    fn put(&mut self, key: Key, contents: &[u8]) {
        self.0.push((key, Some(contents.into())));
    }

    fn remove(&mut self, encoded: &[u8]) {
        self.0.push((Key::found(encoded, None), None));
    }
}

impl Repair<'_> {
    fn run(&mut self, progress: &dyn Fn(u64)) -> Result<()> {
        for path in self.lists(progress)? {
            let path = ListPath::new(&path);
            self.link_positions(&path)?;
            self.link_items(&path)?;
            self.count(&path)?;
        }
        // Last, because rewriting a value leaves its old chunks behind.
        self.remove_loose_chunks()?;
        self.guard.sync()
    }

    /// Returns the path of every list of which any key is left.
    fn lists(&self, progress: &dyn Fn(u64)) -> Result<BTreeSet<Vec<u8>>> {
        let mut paths = BTreeSet::new();
        let mut bytes = 0;
        for kind in [KeyKind::List, KeyKind::Item, KeyKind::Position, KeyKind::BlockCounts] {
            for stored in self.disk.forwards(&kind.prefix(), None) {
                let (encoded, stored) = stored?;
                bytes += (encoded.len() + stored.len()) as u64;
                progress(bytes);
                // A long name is stored beside the value. If that is damaged, another key of the list has the name.
                let key = match self.disk.found(&encoded, &stored) {
                    Ok(Some((key, _))) => key,
                    _ => Key::found(&encoded, None),
                };
                if let Some(path) = key.name().filter(|path| !paths.contains(*path)) {
                    paths.insert(path.to_vec());
                }
            }
        }
        Ok(paths)
    }

    /// Rebuilds items from positions.
    fn link_positions(&mut self, path: &ListPath) -> Result<()> {
        let disk = self.disk;
        let mut rewritten = 0;
        for stored in disk.forwards(&path.positions(), None) {
            let (encoded, stored) = stored?;
            let Some((key, sequence)) = self.position(&encoded, &stored) else { continue };
            let Some(item) = key.item() else { continue };
            if item_at(disk, path, sequence).is_none() {
                self.fixes.put(path.item(sequence), item);
                rewritten += 1;
            }
        }
        self.findings.add_of_list(path, rewritten, "items were written again by their places");
        self.commit()
    }

    /// Rebuilds positions from items. If an item occurs twice, the first one stays.
    fn link_items(&mut self, path: &ListPath) -> Result<()> {
        let disk = self.disk;
        let (mut rewritten, mut repeated, mut damaged) = (0, 0, 0);
        for stored in disk.forwards(&path.positions(), None) {
            let (encoded, stored) = stored?;
            if self.position(&encoded, &stored).is_none() {
                // If the item is intact, its position is rebuilt below.
                self.fixes.remove(&encoded);
                damaged += 1;
            }
        }
        self.commit()?;
        for stored in disk.forwards(&path.items(), None) {
            let (encoded, _) = stored?;
            let Some(sequence) = Key::number(&encoded) else { continue };
            let Some(item) = item_at(disk, path, sequence) else { continue };
            let position = path.position(&item);
            let place = disk.get(&position).ok().flatten();
            let place =
                place.as_deref().and_then(|place| place.try_into().ok()).map(u64::from_be_bytes);
            match place {
                Some(place) if place == sequence => {}
                Some(place)
                    if place < sequence
                        && item_at(disk, path, place).as_deref() == Some(&*item) =>
                {
                    self.fixes.remove(&encoded);
                    repeated += 1;
                }
                _ => {
                    self.fixes.put(position, &sequence.to_be_bytes());
                    rewritten += 1;
                    // Written at once, so that a repeated item is recognized.
                    self.commit()?;
                }
            }
        }
        self.findings.add_of_list(path, damaged, "damaged places were removed");
        self.findings.add_of_list(path, rewritten, "places were written again by their items");
        self.findings.add_of_list(path, repeated, "items that were there twice were removed");
        self.commit()
    }

    /// Rebuilds the counters of a list.
    fn count(&mut self, path: &ListPath) -> Result<()> {
        let disk = self.disk;
        let mut counted = Counted::default();
        for stored in disk.forwards(&path.items(), None) {
            if let Some(sequence) = Key::number(&stored?.0) {
                counted.add(sequence);
            }
        }
        let known = disk.get(&path.head()).ok().flatten();
        let known = known.and_then(|head| Head::read(path, Some(&head)).ok());
        let (head, mut tallies) = counted.numbers(known);
        for stored in disk.forwards(&path.tallies(), None) {
            let (encoded, stored) = stored?;
            let Some(segment) = Key::number(&encoded) else { continue };
            let contents = disk.found(&encoded, &stored).ok().flatten().map(|(_, found)| found);
            let is_right = contents.is_some()
                && BlockCounts::read(path, segment, contents.as_deref()).ok().as_ref()
                    == tallies.get(&segment);
            if is_right {
                tallies.remove(&segment);
            } else if !tallies.contains_key(&segment) {
                self.fixes.remove(&encoded);
                self.findings.add_of_list(path, 1, "counters of nothing were removed");
            }
        }
        self.findings.add_of_list(
            path,
            tallies.len() as u64,
            "counters were wrong, and were counted",
        );
        for (segment, tally) in tallies {
            self.fixes.put(path.tally(segment), &tally.contents());
        }
        if known != Some(head) || head.count == 0 {
            match head.count {
                0 => self.fixes.remove(path.head().encoded()),
                _ => self.fixes.put(path.head(), &head.contents()),
            }
            let count = head.count;
            let what = match known {
                Some(known) if known.count == count => {
                    "counters were wrong, and were counted".into()
                }
                _ => format!("the number of items was wrong, and is {count}"),
            };
            self.findings.add_of_list(path, 1, &what);
        }
        self.commit()
    }

    fn remove_loose_chunks(&mut self) -> Result<()> {
        let disk = self.disk;
        let mut wanted: HashMap<(u64, u32), u32> = HashMap::new();
        for stored in disk.forwards(&[], None) {
            let (encoded, stored) = stored?;
            if Key::kind_of(&encoded) == Some(KeyKind::Chunk) {
                continue;
            }
            if value::decode(&encoded, &stored).is_none() {
                // The damaged value may point to any chunk, so none can be removed.
                return Ok(());
            }
            if let Some((id, count)) = value::chunks_of(&encoded, &stored) {
                wanted.insert((id.commit_number, id.ordinal), count);
            }
        }
        let mut removed = 0;
        let mut batch = Batch::default();
        for stored in disk.forwards(&KeyKind::Chunk.prefix(), None) {
            let (encoded, _) = stored?;
            let Some(id) = Key::chunk_id(&encoded) else { continue };
            let index = encoded.last_chunk().map(|index| u32::from_be_bytes(*index));
            let count = wanted.get(&(id.commit_number, id.ordinal)).copied().unwrap_or_default();
            if index.is_some_and(|index| index >= count) {
                batch.remove(&encoded);
                removed += 1;
                if batch.len() >= BATCH {
                    self.apply(std::mem::take(&mut batch))?;
                }
            }
        }
        if removed > 0 {
            self.findings.add(format!("{removed} pieces that nothing points to were removed"));
        }
        self.apply(batch)
    }

    /// Returns the full key of a position, and its sequence number; `None` if it is damaged.
    fn position(&self, encoded: &[u8], stored: &[u8]) -> Option<(Key, u64)> {
        let (key, sequence) = self.disk.found(encoded, stored).ok().flatten()?;
        Some((key, u64::from_be_bytes((*sequence).try_into().ok()?)))
    }

    fn commit(&mut self) -> Result<()> {
        let fixes = std::mem::take(&mut self.fixes).0;
        for some in fixes.chunks(BATCH) {
            let mut batch = Batch::default();
            for (ordinal, (key, contents)) in (0..).zip(some) {
                let Some(contents) = contents else {
                    batch.remove(key.encoded());
                    continue;
                };
                let id = ChunkId { commit_number: self.applied + 1, ordinal };
                let encoded = value::encode(key, contents, id);
                for (chunk, bytes) in encoded.chunks() {
                    batch.insert(&chunk, bytes);
                }
                batch.insert(key.encoded(), encoded.head);
            }
            self.apply(batch)?;
        }
        Ok(())
    }

    fn apply(&mut self, mut batch: Batch) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        self.applied += 1;
        meta::put_applied(&mut batch, self.applied);
        self.disk.apply(&batch)?;
        self.disk.make_durable_alone()?;
        self.guard.record(self.applied)
    }
}

/// Returns the item with a sequence number; `None` if it is missing or damaged.
fn item_at(disk: &Disk, path: &ListPath, sequence: u64) -> Option<Contents> {
    disk.get(&path.item(sequence)).ok().flatten()
}
