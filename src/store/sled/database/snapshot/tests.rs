use super::*;
use crate::store::sled::database::start::open_sled;
use std::os::unix::fs::{chown, FileExt, MetadataExt};
use std::path::PathBuf;

const KEYS: u64 = 2000;

/// Changes keys far from each other: most are set, some removed.
fn work(database: &sled::Db, round: u64) {
    for step in 0..3 * KEYS {
        let number = step * 7919 % KEYS;
        let key = format!("record {number}");
        if (number + round).is_multiple_of(5) {
            database.remove(key).unwrap();
        } else {
            let length = usize::try_from(25 + number % 90).unwrap();
            database.insert(key, (step + round).to_le_bytes().repeat(length)).unwrap();
        }
    }
}

/// Returns a database with a snapshot of sled, and its path.
fn opened_twice(folder: &Path) -> (PathBuf, sled::Db) {
    let path = folder.join("sled");
    drop(open_sled(&path).unwrap());
    let (database, _) = open_sled(&path).unwrap();
    (path, database)
}

/// Returns the same, and the log has gained enough for a snapshot.
fn opened_and_changed(folder: &Path) -> (PathBuf, sled::Db) {
    let (path, database) = opened_twice(folder);
    work(&database, 0);
    work(&database, 1);
    database.flush().unwrap();
    (path, database)
}

fn position(folder: &Path) -> u64 {
    last(folder).unwrap().unwrap().0
}

fn copy(from: &Path, to: &Path) -> PathBuf {
    let status = std::process::Command::new("cp").arg("-r").args([from, to]).status();
    assert!(status.unwrap().success());
    to.into()
}

/// Opens the database, and returns the snapshot that sled writes.
fn snapshot_of_sled(folder: &Path) -> Vec<u8> {
    let (database, repaired) = open_sled(folder).unwrap();
    assert!(repaired.is_empty(), "{repaired:?}");
    drop(database);
    fs::read(last(folder).unwrap().unwrap().1).unwrap()
}

fn assert_goes_on_as_from_the_whole_log(path: &Path) {
    let without = copy(path, &path.with_extension("without"));
    fs::remove_file(last(&without).unwrap().unwrap().1).unwrap();
    assert_eq!(snapshot_of_sled(path), snapshot_of_sled(&without));
}

#[test]
fn sled_goes_on_from_a_snapshot_as_if_it_had_read_the_whole_log() {
    let folder = tempfile::tempdir().unwrap();
    let (path, database) = opened_twice(folder.path());
    let mut ends = vec![position(&path)];
    for round in 0..8 {
        work(&database, round);
        database.flush().unwrap();
        if round % 2 == 1 {
            assert!(advance(&path, &|| true).unwrap());
            ends.push(position(&path));
        }
    }
    drop(database);
    assert!(ends.is_sorted_by(|before, after| before < after), "{ends:?}");
    assert_eq!(snapshots(&path, |_| true).unwrap().len(), 1);
    assert_goes_on_as_from_the_whole_log(&path);
}

#[test]
fn snapshots_are_right_while_the_log_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (path, database) = opened_twice(folder.path());
    let written = std::thread::scope(|scope| {
        let worker = scope.spawn(|| (0..8).for_each(|round| work(&database, round)));
        let mut written = 0;
        while !worker.is_finished() {
            written += u32::from(advance(&path, &|| true).unwrap());
        }
        written
    });
    drop(database);
    assert!(written > 0);
    assert_goes_on_as_from_the_whole_log(&path);
}

#[test]
fn segments_that_are_written_during_the_look_for_them_are_in_the_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let (path, database) = opened_and_changed(folder.path());
    let before = copy(&path, &folder.path().join("before"));
    work(&database, 2);
    database.flush().unwrap();
    let after = fs::read(path.join(LOG)).unwrap();
    drop(database);
    let segments = fs::metadata(before.join(LOG)).unwrap().len() / SEGMENT_BYTES;
    let mut written = 0;
    for number in 0..segments {
        let now = copy(&before, &folder.path().join(format!("now {number}")));
        let log = OpenOptions::new().write(true).open(now.join(LOG)).unwrap();
        let bytes = after.clone();
        let hook = Box::new(move || log.write_all_at(&bytes, 0).unwrap());
        log::hook::BEFORE_HEADER.set(Some((number, hook)));
        if advance(&now, &|| true).unwrap() {
            written += 1;
            assert_goes_on_as_from_the_whole_log(&now);
        }
    }
    assert!(written > 0);
}

#[test]
fn root_gives_a_snapshot_to_the_owner_of_the_folder() {
    const OTHER: u32 = 65534;
    let folder = tempfile::tempdir().unwrap();
    let (path, _database) = opened_and_changed(folder.path());
    // Only root can.
    if chown(&path, Some(OTHER), Some(OTHER)).is_ok() {
        assert!(advance(&path, &|| true).unwrap());
        let found = fs::metadata(last(&path).unwrap().unwrap().1).unwrap();
        assert_eq!((found.uid(), found.gid()), (OTHER, OTHER));
    }
}

#[test]
fn a_snapshot_that_is_given_up_leaves_the_last_one() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _database) = opened_and_changed(folder.path());
    let before = snapshots(&path, |_| true).unwrap();
    for answers in 0..500_u32 {
        let left = std::cell::Cell::new(answers);
        let goes_on = || left.replace(left.get().saturating_sub(1)) > 0;
        if advance(&path, &goes_on).unwrap() {
            assert!(answers > 3, "{answers}");
            return;
        }
        assert_eq!(snapshots(&path, |_| true).unwrap(), before);
    }
    panic!("no attempt wrote a snapshot");
}

#[test]
fn a_schedule_that_was_stopped_begins_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let schedule = Schedule::new(folder.path());
    let due = usize::try_from(CHANGED_BYTES).unwrap();
    assert!(!schedule.add(due - 1));
    assert!(schedule.add(1));
    assert!(!schedule.add(due));
    assert!(schedule.is_running());
    schedule.start_again(folder.path());
    assert!(!schedule.is_running());
    schedule.stop();
    assert!(!schedule.add(due));
}

#[test]
fn a_damaged_log_is_left_to_the_next_open() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _database) = opened_and_changed(folder.path());
    let damaged = copy(&path, &folder.path().join("damaged"));
    let log = damaged.join(LOG);
    let mut bytes = fs::read(&log).unwrap();
    // In each segment, because sled may be writing over any of them.
    for byte in bytes.iter_mut().skip(1000).step_by(usize::try_from(SEGMENT_BYTES).unwrap()) {
        *byte ^= 1;
    }
    fs::write(&log, bytes).unwrap();
    let before = position(&damaged);
    assert!(!advance(&damaged, &|| true).unwrap());
    assert_eq!(position(&damaged), before);
    assert!(advance(&path, &|| true).unwrap());
}
