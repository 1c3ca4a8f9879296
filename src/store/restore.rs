//! A store made from a backup, put in place of the one that is there.

use super::compact;
use super::error::{Result, StoreError};
use super::folder::{self, sync_folder};
use super::guard;
use super::open::Settings;
use super::registry::{self, Lease};
use super::verify::Report;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the new store is made, within the folder of the old one.
const STAGED: &str = "restoring";
/// Where the old one is kept: `replaced-1`, `replaced-2`, …
const REPLACED: &str = "replaced-";

/// Makes a store from the backup `from` and puts it into the folder of `settings`. `prepare` is called with it
/// before that, and nothing is replaced unless it succeeds. What was there is kept in the folder that is
/// returned. Blocks.
pub fn restore(
    from: &Path,
    settings: &Settings,
    progress: &dyn Fn(u64),
    prepare: impl FnOnce(&Lease) -> Result<()>,
) -> Result<(Report, Option<PathBuf>)> {
    let existing = |path: &Path| Settings { path: path.into(), creates: false, ..settings.clone() };
    let source = registry::open_alone(&existing(from))?;
    let report = source.verify(progress)?;
    if report.problems.number > 0 {
        let what = format!("the backup {} ({})", from.display(), report.problems.first());
        return Err(StoreError::Damaged { what });
    }
    let folder = folder::make(&settings.path)?;
    let _lock = folder::lock(&folder)?;
    compact::finish(&folder)?;
    refuse_others(&folder)?;
    let staged = folder.join(STAGED);
    if staged.exists() {
        fs::remove_dir_all(&staged).map_err(|error| StoreError::io("remove", &staged, error))?;
    }
    source.copy(&staged, settings.new_id, progress)?;
    drop(source);
    let new = registry::open_alone(&existing(&staged))?;
    prepare(&new)?;
    drop(new);
    let replaced = put_aside(&folder)?;
    // The guard last: until it is there, the folder is refused, and this can be run again.
    for name in [folder::SLED, guard::NAME] {
        rename(&staged.join(name), &folder.join(name))?;
        sync_folder(&folder)?;
    }
    fs::remove_dir_all(&staged).map_err(|error| StoreError::io("remove", &staged, error))?;
    Ok((report, replaced))
}

/// Moves the store that is there into a folder beside it; the guard first, so that what is left is refused.
fn put_aside(folder: &Path) -> Result<Option<PathBuf>> {
    let present: Vec<_> =
        [guard::NAME, folder::SLED].into_iter().filter(|name| folder.join(name).exists()).collect();
    if present.is_empty() {
        return Ok(None);
    }
    let Some(aside) = (1..u32::MAX)
        .map(|number| folder.join(format!("{REPLACED}{number}")))
        .find(|aside| !aside.exists())
    else {
        return Err(StoreError::Foreign { path: folder.into(), found: REPLACED.into() });
    };
    fs::create_dir(&aside).map_err(|error| StoreError::io("create", &aside, error))?;
    for name in present {
        rename(&folder.join(name), &aside.join(name))?;
        sync_folder(&aside)?;
        sync_folder(folder)?;
    }
    Ok(Some(aside))
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|error| StoreError::io("rename", from, error))
}

fn refuse_others(folder: &Path) -> Result<()> {
    for path in folder::files(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ours = [guard::NAME, STAGED].contains(&name.as_str()) || name.starts_with(REPLACED);
        if !ours && !folder::CREATED_BEFORE_GUARD.contains(&name.as_str()) {
            return Err(StoreError::Foreign { path: folder.into(), found: name });
        }
    }
    Ok(())
}
