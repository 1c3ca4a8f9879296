//! Reads everything in a store, and reports inconsistencies.

use crate::store::error::Result;
use crate::store::key::{ChunkId, Key, KeyKind};
use crate::store::report::Report;
use crate::store::sled::commit::old_chunks;
use crate::store::sled::database::disk::Disk;
use crate::store::sled::format::value;
use crate::store::sled::read::list::{BlockCounts, Counted, Head};
use std::collections::HashMap;

/// Reads all of `disk`, which must not change meanwhile. Calls `progress` with the number of bytes read so far.
pub fn verify(disk: &Disk, mut progress: impl FnMut(u64)) -> Result<Report> {
    let mut report = Report::default();
    let mut chunks = Chunks::default();
    // Counts items, positions and tallies, minus those that a list's check has met. The rest belongs to no list.
    let mut loose: HashMap<KeyKind, i64> = HashMap::new();
    for stored in disk.forwards(&[], None) {
        let Some((encoded, stored)) = report.problems.damage(stored.map(Some))? else { continue };
        report.bytes += (encoded.len() + stored.len()) as u64;
        progress(report.bytes);
        let Some(kind) = Key::kind_of(&encoded) else {
            report.problems.add("a key of a kind that this version does not know");
            continue;
        };
        if kind == KeyKind::Chunk {
            chunks.found(&encoded, value::decode_chunk(&encoded, &stored).is_some());
            continue;
        }
        if let Some((id, count)) = value::chunks_of(&encoded, &stored) {
            chunks.wanted.insert((id.commit_number, id.ordinal), count);
        }
        let (key, contents) = match disk.found(&encoded, &stored) {
            Ok(Some(found)) => found,
            Ok(None) => continue,
            Err(error) => {
                report.problems.add(error.to_string());
                continue;
            }
        };
        match kind {
            KeyKind::Record => report.records += 1,
            KeyKind::List => {
                report.lists += 1;
                check_list(disk, &key, &contents, &mut report, &mut loose);
            }
            KeyKind::Item | KeyKind::Position | KeyKind::BlockCounts => {
                *loose.entry(kind).or_default() += 1;
            }
            KeyKind::Meta => chunks.removed.extend(old_chunks::noted(&encoded)),
            KeyKind::Chunk => {}
        }
    }
    for (kind, count) in loose {
        if count != 0 {
            report.problems.add(format!("{count} keys of the kind {kind:?} belong to no list"));
        }
    }
    chunks.check(&mut report);
    Ok(report)
}

/// Number of chunks found and number of chunks expected, by ID.
#[derive(Default)]
struct Chunks {
    found: HashMap<(u64, u32), u32>,
    wanted: HashMap<(u64, u32), u32>,
    /// IDs of chunks that the writer is removing.
    removed: Vec<ChunkId>,
    damaged: u64,
}

impl Chunks {
    fn found(&mut self, encoded: &[u8], is_whole: bool) {
        match Key::chunk_id(encoded) {
            Some(ChunkId { commit_number, ordinal }) if is_whole => {
                *self.found.entry((commit_number, ordinal)).or_default() += 1;
            }
            _ => self.damaged += 1,
        }
    }

    fn check(mut self, report: &mut Report) {
        for (id, count) in self.wanted {
            if self.found.remove(&id) != Some(count) {
                report.problems.add(format!("pieces of the value {}/{} are missing", id.0, id.1));
            }
        }
        for ChunkId { commit_number, ordinal } in self.removed {
            self.found.remove(&(commit_number, ordinal));
        }
        if !self.found.is_empty() {
            report
                .problems
                .add(format!("nothing points to the pieces of {} values", self.found.len()));
        }
        if self.damaged > 0 {
            report.problems.add(format!("{} pieces of values are damaged", self.damaged));
        }
    }
}

/// Compares a list's count, items, positions and tallies with each other.
fn check_list(
    disk: &Disk,
    key: &Key,
    contents: &[u8],
    report: &mut Report,
    loose: &mut HashMap<KeyKind, i64>,
) {
    let Some(path) = key.list_path() else {
        report.problems.add("a list without a path");
        return;
    };
    let head = match Head::read(&path, Some(contents)) {
        Ok(head) => head,
        Err(error) => {
            report.problems.add(error.to_string());
            return;
        }
    };
    let mut counted = Counted::default();
    for stored in disk.forwards(&path.items(), None) {
        // Unreadable keys are reported by the scan of all keys.
        let Ok((encoded, stored)) = stored else { continue };
        let Some(sequence) = Key::number(&encoded) else { continue };
        counted.add(sequence);
        // A damaged item is reported by the scan of all keys.
        if let Ok(Some((_, item))) = disk.found(&encoded, &stored) {
            let position = disk.get(&path.position(&item)).ok().flatten();
            if position.as_deref() != Some(&sequence.to_be_bytes()) {
                report
                    .problems
                    .add(format!("an item of the list {} is not where it says", key.display()));
            }
        }
    }
    let positions = disk.forwards(&path.positions(), None).flatten().count();
    let (right, mut missing) = counted.numbers(Some(head));
    let count = right.count;
    let mut tallies = 0;
    for stored in disk.forwards(&path.tallies(), None) {
        let Ok((encoded, stored)) = stored else { continue };
        tallies += 1;
        let Some(segment) = Key::number(&encoded) else { continue };
        let contents = disk.found(&encoded, &stored).ok().flatten().map(|(_, contents)| contents);
        if BlockCounts::read(&path, segment, contents.as_deref()).ok() != missing.remove(&segment) {
            report.problems.add(format!("a counter of the list {} is wrong", key.display()));
        }
    }
    if head.count != count || positions as u64 != count {
        report.problems.add(format!(
            "the list {} says {} items, has {count}, and knows the place of {positions}",
            key.display(),
            head.count
        ));
    } else if head != right || !missing.is_empty() {
        report.problems.add(format!("a counter of the list {} is wrong", key.display()));
    }
    report.items += count;
    let met = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    for (kind, number) in [
        (KeyKind::Item, count),
        (KeyKind::Position, positions as u64),
        (KeyKind::BlockCounts, tallies),
    ] {
        *loose.entry(kind).or_default() -= met(number);
    }
}
