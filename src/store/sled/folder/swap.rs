//! Replaces parts of a store by new ones. A durable plan is written first. The next open after an interruption finishes
//! the swap, or undoes it if nothing was moved yet. The folder therefore holds the whole old store or the whole new
//! one, never parts of both.
//!
//! ```text
//! swap: magic 8 | format u32 | kind u8 | number u32 | old u8 | done u8 | checksum u32
//! ```
//!
//! `number` is the number of the folder that keeps the replaced store. The bits of `old` tell which old parts exist.
//! `done` is the number of durable steps. The plan contains no paths, because a plan in somebody else's folder could
//! then point anywhere.

use crate::store::error::{Result, StoreError};
use crate::store::sled::folder;
use crate::store::sled::folder::files::{is_there, sync_folder};
use crate::store::sled::folder::free_space;
use crate::store::sled::folder::names::{
    BEFORE, COMPACTING, GUARD, NEW_SWAP, PART, REPLACED, RESTORING, SLED, SWAP,
};
use crate::store::sled::folder::relocate::{
    create_folder, interruption, relocate, remove, rename, sync_all_in,
};
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

const FORMAT: u32 = 1;
const MAGIC: [u8; 8] = *b"DSLEDSWP";
const PLAN_BYTES: usize = 23;
/// Names that an interruption may leave, besides the plan.
const UNFINISHED: [&str; 3] = [NEW_SWAP, RESTORING, COMPACTING];

/// Reason for a swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A backup replaces the store, which is kept in `replaced-<number>`.
    Restore {
        /// Number of the replaced store.
        number: u32,
    },
    /// Fresh files replace the same data.
    Compact,
}

impl Kind {
    /// Returns the name of the folder in which the new parts are made.
    #[must_use]
    pub fn staged(self) -> &'static str {
        match self {
            Self::Restore { .. } => RESTORING,
            Self::Compact => COMPACTING,
        }
    }

    /// Returns the parts to swap, in order. The part that is most likely to fail comes first, because its failure can
    /// still be undone.
    fn parts(self) -> &'static [&'static str] {
        match self {
            Self::Restore { .. } => &[SLED, GUARD],
            Self::Compact => &[SLED],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Restore { .. } => "a restore",
            Self::Compact => "a compaction",
        }
    }
}

/// A swap in one folder.
#[derive(Clone, Debug, PartialEq)]
struct Plan {
    kind: Kind,
    old: u8,
    done: u8,
}

/// Replaces the parts in `folder` by those in [`Kind::staged`]. The caller holds the lock of `folder`, and nothing may
/// have the parts open. If an error occurs before anything was moved, the swap is undone; after a later error, the next
/// [`finish`] finishes it.
pub fn run(folder: &Path, kind: Kind) -> Result<()> {
    let staged = folder.join(kind.staged());
    let mut plan = Plan { kind, old: 0, done: 0 };
    for (bit, part) in plan.parts() {
        if !is_there(&staged.join(part))? {
            return Err(StoreError::Damaged { what: format!("the new {part}") });
        }
        plan.old |= if is_there(&folder.join(part))? { bit } else { 0 };
    }
    // Opening and closing the new data made sled write to it after its sync.
    sync_all_in(&staged)?;
    match plan.write(folder).and_then(|()| plan.carry_out(folder)) {
        Err(error) if !plan.undo(folder)? => Err(error),
        finished_or_undone => {
            remove_unfinished(folder)?;
            finished_or_undone
        }
    }
}

/// Finishes or undoes an interrupted swap in `folder`. The caller holds the lock. Returns a description for people.
pub fn finish(folder: &Path) -> Result<Option<String>> {
    let mut outcome = None;
    if let Some(mut plan) = Plan::read(folder)? {
        let begun = format!("{} of {} that was interrupted", plan.kind.name(), folder.display());
        outcome = Some(match plan.carry_out(folder) {
            Ok(()) => format!("{begun} was finished"),
            Err(error) if plan.undo(folder)? => {
                format!("{begun} was undone, since it cannot be finished: {error}")
            }
            Err(error) => return Err(error),
        });
    }
    remove_unfinished(folder)?;
    Ok(outcome)
}

/// Removes new parts without a plan. The caller holds the lock of `folder`.
pub fn remove_unfinished(folder: &Path) -> Result<()> {
    for name in UNFINISHED {
        remove(&folder.join(name))?;
    }
    Ok(())
}

/// Returns whether this name in a store's folder belongs to an unfinished swap.
#[must_use]
pub fn is_unfinished(name: &str) -> bool {
    UNFINISHED.contains(&name)
}

/// Returns whether this name in a store's folder belongs to a swap, finished or not.
#[must_use]
pub fn is_ours(name: &str) -> bool {
    name == SWAP || is_unfinished(name) || number_of(name).is_some()
}

fn number_of(name: &str) -> Option<u32> {
    name.strip_prefix(REPLACED)?.parse().ok()
}

/// Returns the number for the next replaced store: one more than the highest in use.
pub fn next_number(folder: &Path) -> Result<u32> {
    Ok(replaced(folder)?.last().map_or(1, |(number, _)| number.saturating_add(1)))
}

/// Returns the replaced stores that are still kept in `folder`, oldest first.
pub fn replaced(folder: &Path) -> Result<Vec<(u32, PathBuf)>> {
    let mut found = Vec::new();
    for path in folder::files(folder)? {
        let number = path.file_name().and_then(|name| number_of(name.to_str()?));
        found.extend(number.map(|number| (number, path)));
    }
    found.sort();
    Ok(found)
}

/// Returns the size of the replaced stores in `folder`, in bytes.
pub fn replaced_bytes(folder: &Path) -> Result<u64> {
    replaced(folder)?.iter().map(|(_, path)| free_space::size_of(path)).sum()
}

/// Removes the replaced stores in `folder`, and returns their paths and their size in bytes. The caller holds the lock.
pub fn remove_replaced(folder: &Path) -> Result<(Vec<PathBuf>, u64)> {
    let bytes = replaced_bytes(folder)?;
    let paths: Vec<_> = replaced(folder)?.into_iter().map(|(_, path)| path).collect();
    for path in &paths {
        remove(path)?;
    }
    Ok((paths, bytes))
}

/// Returns the folder in which a restore keeps the store that it replaces.
#[must_use]
pub fn kept_in(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{REPLACED}{number}"))
}

impl Plan {
    fn parts(&self) -> impl Iterator<Item = (u8, &'static str)> {
        self.kind.parts().iter().enumerate().map(|(position, part)| (1 << position, *part))
    }

    /// Returns the folder to which the old parts are moved.
    fn aside(&self, folder: &Path) -> PathBuf {
        match self.kind {
            Kind::Restore { number } => kept_in(folder, number),
            Kind::Compact => folder.join(self.kind.staged()).join(BEFORE),
        }
    }

    /// Returns the moves of this swap, in order.
    fn steps(&self, folder: &Path) -> Vec<(PathBuf, PathBuf)> {
        let staged = folder.join(self.kind.staged());
        let aside = self.aside(folder);
        let old = self.parts().filter(|(bit, _)| self.old & bit > 0);
        old.map(|(_, part)| (folder.join(part), aside.join(part)))
            .chain(self.parts().map(|(_, part)| (staged.join(part), folder.join(part))))
            .collect()
    }

    /// Makes all moves that are left. Can be called again after any interruption: a move can be repeated as long as the
    /// next one has not begun.
    fn carry_out(&mut self, folder: &Path) -> Result<()> {
        let staged = folder.join(self.kind.staged());
        let aside = self.aside(folder);
        if self.old > 0 && !is_there(&aside)? {
            create_folder(&aside)?;
        }
        for (from, to) in self.steps(folder).into_iter().skip(usize::from(self.done)) {
            relocate(&from, &to, &staged.join(PART))?;
            self.done += 1;
            self.write(folder)?;
        }
        Self::forget(folder)
    }

    /// Withdraws the plan if nothing was moved. Returns whether it was withdrawn.
    fn undo(&self, folder: &Path) -> Result<bool> {
        let first = self.steps(folder).into_iter().next();
        let has_moved = first.map_or(Ok(false), |(_, to)| is_there(&to))?;
        if self.done > 0 || has_moved {
            return Ok(false);
        }
        Self::forget(folder)?;
        if self.old > 0 && is_there(&self.aside(folder))? {
            let aside = self.aside(folder);
            fs::remove_dir(&aside).map_err(|error| StoreError::io("remove", &aside, error))?;
        }
        Ok(true)
    }

    fn forget(folder: &Path) -> Result<()> {
        remove(&folder.join(SWAP))?;
        sync_folder(folder)
    }

    fn write(&self, folder: &Path) -> Result<()> {
        let (new, path) = (folder.join(NEW_SWAP), folder.join(SWAP));
        remove(&new)?;
        let written = interruption()
            .and_then(|()| OpenOptions::new().write(true).create_new(true).open(&new))
            .and_then(|mut file| {
                file.write_all(&self.encode())?;
                file.sync_all()
            });
        written.map_err(|error| StoreError::io("write", &new, error))?;
        rename(&new, &path).map_err(|error| StoreError::io("rename", &new, error))?;
        sync_folder(folder)
    }

    fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(SWAP);
        let mut bytes = Vec::with_capacity(PLAN_BYTES);
        if !is_there(&path)? {
            return Ok(None);
        }
        folder::open_regular(&path, OpenOptions::new().read(true))?
            .take(2 * PLAN_BYTES as u64)
            .read_to_end(&mut bytes)
            .map_err(|error| StoreError::io("read", &path, error))?;
        let damaged = || StoreError::DamagedPlan { path: folder.into() };
        let (format, plan) = Self::decode(&bytes).ok_or_else(damaged)?;
        if format > FORMAT {
            let path = folder.into();
            return Err(StoreError::NewerFormat { path, found: format, supported: FORMAT });
        }
        plan.map(Some).ok_or_else(damaged)
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PLAN_BYTES);
        let (kind, number) = match self.kind {
            Kind::Restore { number } => (1, number),
            Kind::Compact => (2, 0),
        };
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT.to_be_bytes());
        bytes.push(kind);
        bytes.extend_from_slice(&number.to_be_bytes());
        bytes.extend_from_slice(&[self.old, self.done]);
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_be_bytes());
        bytes
    }

    /// Decodes the format of a plan, and the plan itself if the format is known.
    fn decode(bytes: &[u8]) -> Option<(u32, Option<Self>)> {
        let (content, checksum) = bytes.split_last_chunk()?;
        let (magic, content) = content.split_first_chunk()?;
        if *magic != MAGIC
            || crc32fast::hash(bytes.get(..bytes.len() - 4)?) != u32::from_be_bytes(*checksum)
        {
            return None;
        }
        let (format, content) = content.split_first_chunk()?;
        let (kind, content) = content.split_first()?;
        let (number, content) = content.split_first_chunk()?;
        let kind = match kind {
            1 => Some(Kind::Restore { number: u32::from_be_bytes(*number) }),
            2 => Some(Kind::Compact),
            _ => None,
        };
        let plan = match (kind, content) {
            (Some(kind), &[old, done]) => Some(Self { kind, old, done }),
            _ => None,
        };
        Some((u32::from_be_bytes(*format), plan))
    }
}

#[cfg(test)]
#[path = "swap_tests.rs"]
mod tests;
