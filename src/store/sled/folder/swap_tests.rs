//! Swaps of simulated stores, interrupted before each change of a file.

use crate::store::sled::folder::relocate::faults::{interrupt_at, set_overlay};
use crate::store::sled::folder::swap::*;
use std::collections::BTreeMap;

/// More changes of files than any swap in these tests makes.
const MANY: u32 = 200;

/// Contents of files by path.
type Files = BTreeMap<String, String>;

fn files_in(folder: &Path) -> Files {
    let mut found = Files::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            let within = files_in(&path);
            found.extend(within.into_iter().map(|(file, text)| (format!("{name}/{file}"), text)));
            found.insert(format!("{name}/"), String::new());
        } else {
            let text =
                if is_plan(&name) { String::new() } else { fs::read_to_string(&path).unwrap() };
            found.insert(name, text);
        }
    }
    found
}

fn is_plan(name: &str) -> bool {
    [SWAP, NEW_SWAP].contains(&name)
}

/// Returns simulated files for the parts of a store.
fn parts_of(text: &str, parts: &[&str]) -> Files {
    let all =
        [("guard", ""), ("sled/", ""), ("sled/blobs/", ""), ("sled/db", ""), ("sled/conf", "")];
    let of = all.iter().filter(|(name, _)| parts.iter().any(|part| name.starts_with(part)));
    of.map(|(name, _)| {
        let is_folder = name.ends_with('/');
        ((*name).to_owned(), if is_folder { String::new() } else { format!("{text} {name}") })
    })
    .collect()
}

fn make(folder: &Path, files: &Files) {
    fs::create_dir_all(folder).unwrap();
    for (name, text) in files {
        let path = folder.join(name);
        if name.ends_with('/') {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
}

fn within(folder: &str, files: Files) -> Files {
    let mut found: Files =
        files.into_iter().map(|(name, text)| (format!("{folder}/{name}"), text)).collect();
    found.insert(format!("{folder}/"), String::new());
    found
}

/// Makes a swap in a new folder that fails from change `at` on. Then opens the folder again; the first `failing` opens
/// are interrupted as well. Returns whether the swap succeeded, and the files at the end.
fn interrupted(kind: Kind, old: &Files, at: u32, failing: &[u32]) -> (bool, Files) {
    // Uses memory where possible, because thousands of syncs take a while.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let folder = folder.path();
    make(folder, old);
    make(&folder.join(kind.staged()), &parts_of("new", kind.parts()));
    interrupt_at(Some(at));
    let is_done = run(folder, kind).is_ok();
    for at in failing {
        interrupt_at(Some(*at));
        let _ = finish(folder);
    }
    interrupt_at(None);
    finish(folder).unwrap();
    assert!(!is_there(&folder.join(SWAP)).unwrap());
    (is_done, files_in(folder))
}

fn old_and_new(kind: Kind, old: &Files) -> Files {
    let mut new = old.clone();
    new.extend(parts_of("new", kind.parts()));
    if let Kind::Restore { number } = kind {
        if !old.is_empty() {
            new.extend(within(&format!("{REPLACED}{number}"), old.clone()));
        }
    }
    new
}

#[test]
fn an_interrupted_swap_leaves_the_whole_old_or_the_whole_new_store() {
    for is_overlay in [false, true] {
        set_overlay(is_overlay);
        let parts: [&[&str]; 4] = [&["guard", "sled"], &["guard"], &["sled"], &[]];
        let restores = parts.map(|parts| (Kind::Restore { number: 3 }, parts));
        for (kind, parts) in restores.into_iter().chain([(Kind::Compact, parts[0])]) {
            let old = parts_of("old", parts);
            let new = old_and_new(kind, &old);
            let (mut is_done, mut olds, mut news) = (false, 0, 0);
            for at in 0..MANY {
                for failing in [vec![], vec![at % 7], vec![at % 5, at % 11, 20]] {
                    let found;
                    (is_done, found) = interrupted(kind, &old, at, &failing);
                    assert!(found == old || found == new, "{kind:?} {parts:?} {at}: {found:#?}");
                    // A swap that reported success has happened.
                    assert!(!is_done || found == new, "{kind:?} {parts:?} {at}");
                    olds += u32::from(found == old);
                    news += u32::from(found == new && !is_done);
                }
                if is_done {
                    break;
                }
            }
            assert!(is_done && olds > 0 && news > 0, "{kind:?} {parts:?}: {olds} {news}");
        }
    }
    set_overlay(false);
}

#[test]
fn a_part_that_cannot_be_moved_leaves_everything_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let kind = Kind::Restore { number: 1 };
    let old = parts_of("old", kind.parts());
    make(folder.path(), &old);
    make(&folder.path().join(kind.staged()), &parts_of("new", kind.parts()));
    // A socket can neither be copied nor, in this test, be renamed with its folder.
    set_overlay(true);
    let socket = std::os::unix::net::UnixListener::bind(folder.path().join("sled/socket")).unwrap();
    let error = run(folder.path(), kind).unwrap_err();
    set_overlay(false);
    assert_eq!(error.code(), "ERR_STORE_IO");
    drop(socket);
    fs::remove_file(folder.path().join("sled/socket")).unwrap();
    assert_eq!(files_in(folder.path()), old);
}

#[test]
fn a_part_that_was_removed_meanwhile_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let kind = Kind::Restore { number: 1 };
    make(folder.path(), &parts_of("old", kind.parts()));
    make(&folder.path().join(kind.staged()), &parts_of("new", kind.parts()));
    let plan = Plan { kind, old: 3, done: 1 };
    plan.write(folder.path()).unwrap();
    fs::remove_file(folder.path().join("guard")).unwrap();
    assert_eq!(finish(folder.path()).unwrap_err().code(), "ERR_STORE_DAMAGED");
    assert!(is_there(&folder.path().join(SWAP)).unwrap());
}

#[test]
fn a_plan_is_read_back_and_a_damaged_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for kind in [Kind::Restore { number: 7 }, Kind::Compact] {
        let plan = Plan { kind, old: 1, done: 1 };
        plan.write(folder).unwrap();
        assert_eq!(Plan::read(folder).unwrap(), Some(plan.clone()));
        let bytes = plan.encode();
        assert_eq!(bytes.len(), PLAN_BYTES);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            fs::write(folder.join(SWAP), &damaged).unwrap();
            assert_eq!(finish(folder).unwrap_err().code(), "ERR_STORE_DAMAGED", "{bit}");
        }
        for length in 0..bytes.len() {
            fs::write(folder.join(SWAP), &bytes[..length]).unwrap();
            assert_eq!(finish(folder).unwrap_err().code(), "ERR_STORE_DAMAGED", "{length}");
        }
    }
}

#[test]
fn a_plan_of_a_later_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = [&MAGIC[..], &2u32.to_be_bytes(), &[9; 30]].concat();
    let checksum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&checksum.to_be_bytes());
    fs::write(folder.path().join(SWAP), bytes).unwrap();
    assert_eq!(finish(folder.path()).unwrap_err().code(), "ERR_STORE_NEWER_FORMAT");
}

#[test]
fn no_link_in_the_folder_is_followed() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("victim"), "untouched").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let link =
        |name| std::os::unix::fs::symlink(outside.path().join("victim"), folder.path().join(name));
    link(NEW_SWAP).unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("restoring")).unwrap();
    Plan { kind: Kind::Compact, old: 0, done: 0 }.write(folder.path()).unwrap();
    remove(&folder.path().join(SWAP)).unwrap();
    remove_unfinished(folder.path()).unwrap();
    assert_eq!(fs::read_to_string(outside.path().join("victim")).unwrap(), "untouched");
    assert!(files_in(folder.path()).is_empty());
}
