//! Repairs of stores that were damaged on disk.

use crate::store::change::Record;
use crate::store::findings::Findings;
use crate::store::key::{ChunkId, Key, KeyKind, ListPath};
use crate::store::sled::folder;
use crate::store::sled::test_store::{make, settings};
use crate::store::sled::*;
use proptest::prelude::*;
use proptest::sample::Index;
use std::path::Path;

fn paths() -> [Vec<u8>; 3] {
    [b"a".to_vec(), b"a/b".to_vec(), vec![b'p'; 5000]]
}

fn read(folder: &Path) -> (Report, Vec<Vec<Vec<u8>>>) {
    let store = open_exclusive(&settings(folder)).unwrap();
    let report = store.verify(&|_| ()).unwrap();
    let lists = paths().map(|path| {
        let page = store.page(&ListPath::new(&path), 0, u64::MAX);
        page.unwrap_or_default().iter().rev().map(|item| item.to_vec()).collect()
    });
    (report, lists.into())
}

fn sled(folder: &Path) -> sled::Db {
    let config =
        sled::Config::new().path(folder.join(folder::names::SLED)).mode(sled::Mode::LowSpace);
    // sled's lock outlives its database by a moment.
    (0..1000)
        .find_map(|_| {
            config.open().ok().or_else(|| {
                std::thread::sleep(std::time::Duration::from_millis(5));
                None
            })
        })
        .unwrap()
}

/// Number of items, which fills more than one block.
const ITEMS: usize = 300;

/// Makes a store with three lists, from which some items were removed, and a large record.
fn fill(folder: &Path, removed: &[Index]) {
    let store = open_exclusive(&settings(folder)).unwrap();
    for path in paths() {
        let path = ListPath::new(&path);
        let item = |number: usize| format!("item {number}").into_bytes();
        let add = |number| Change::ListAdd { path: path.clone(), item: item(number) };
        make(&store, (0..ITEMS).map(add).collect());
        let gone = removed.iter().map(|index| item(index.index(ITEMS)));
        make(&store, gone.map(|item| Change::ListRemove { path: path.clone(), item }).collect());
    }
    let record = Record::new(b"large");
    make(&store, vec![Change::Write { record, contents: vec![1; 10_000].into(), secret: None }]);
}

/// Removes or changes some of the values at `keys`.
fn damage(database: &sled::Db, keys: &[sled::IVec], places: &[(Index, bool)]) {
    for (place, is_removed) in places {
        let Some(key) = keys.get(place.index(keys.len().max(1))) else { continue };
        let Some(stored) = database.get(key).unwrap() else { continue };
        if *is_removed {
            database.remove(key).unwrap();
        } else {
            let mut stored = stored.to_vec();
            *stored.last_mut().unwrap() ^= 1;
            database.insert(key, stored).unwrap();
        }
    }
}

fn keys(database: &sled::Db, kind: KeyKind) -> Vec<sled::IVec> {
    database.scan_prefix(kind.prefix()).keys().map(|key| key.unwrap()).collect()
}

/// Returns the keys of items with even numbers and of positions of items with odd ones, so never both of the same item.
fn one_of_each_pair(database: &sled::Db) -> Vec<sled::IVec> {
    let items = keys(database, KeyKind::Item);
    let is_even = |sequence: u64| sequence.is_multiple_of(2);
    let mut pairs: Vec<_> =
        items.into_iter().filter(|key| Key::number(key).is_some_and(is_even)).collect();
    for path in paths() {
        let path = ListPath::new(&path);
        for number in (1..30).step_by(2) {
            let position = path.position(format!("item {number}").as_bytes());
            pairs.push(position.encoded().into());
        }
    }
    pairs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]
    #[test]
    fn redundant_data_is_rebuilt(
        removed in proptest::collection::vec(any::<Index>(), 0..40),
        items in proptest::collection::vec(any::<(Index, bool)>(), 0..30),
        counters in proptest::collection::vec(any::<(Index, bool)>(), 0..6),
        loose in 0_u32..3,
    ) {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path(), &removed);
        let (_, before) = read(folder.path());
        {
            let database = sled(folder.path());
            damage(&database, &one_of_each_pair(&database), &items);
            let tallies = keys(&database, KeyKind::BlockCounts);
            prop_assert_eq!(tallies.len(), 3);
            let counting = [keys(&database, KeyKind::List), tallies].concat();
            damage(&database, &counting, &counters);
            for index in 0..loose {
                // These belong to a commit that was made. An open removes only the chunks of commits that were not.
                let chunk = Key::chunk(ChunkId { commit_number: 1, ordinal: 900 }, index);
                database.insert(chunk, b"loose").unwrap();
            }
        }
        let repaired = repair(&settings(folder.path()), &|_| ()).unwrap();
        let (report, after) = read(folder.path());
        prop_assert_eq!(report.problems, Findings::default());
        prop_assert_eq!(&after, &before);
        prop_assert_eq!(report.records, 1);
        // A second repair has nothing to do.
        prop_assert_eq!(repair(&settings(folder.path()), &|_| ()).unwrap(), Findings::default());
        prop_assert!(repaired.number > 0 || (loose == 0 && read(folder.path()).1 == before));
        // The lists continue where they were.
        let store = open_exclusive(&settings(folder.path())).unwrap();
        for path in paths() {
            make(&store, vec![Change::ListAdd { path: ListPath::new(&path), item: b"new".to_vec() }]);
        }
        drop(store);
        let (report, newer) = read(folder.path());
        prop_assert_eq!(report.problems, Findings::default());
        prop_assert!(newer.iter().all(|items| items.last().is_some_and(|item| item == b"new")));
    }
}

#[test]
fn damage_that_cannot_be_rebuilt_stays_and_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), &[]);
    let path = ListPath::new(b"a");
    let pieces;
    {
        let database = sled(folder.path());
        pieces = keys(&database, KeyKind::Chunk);
        let both = [path.item(4), path.position(b"item 4"), Key::record(b"large")];
        for key in both {
            let mut stored = database.get(key.encoded()).unwrap().unwrap().to_vec();
            stored[0] ^= 1;
            database.insert(key.encoded(), stored).unwrap();
        }
    }
    repair(&settings(folder.path()), &|_| ()).unwrap();
    let (report, lists) = read(folder.path());
    assert!(report.problems.number >= 2, "{report:?}");
    assert!(report.problems.described.iter().any(|problem| problem.contains("large")));
    assert_eq!(lists[1].len(), ITEMS);
    // The chunks of the damaged record are still there.
    assert_eq!(keys(&sled(folder.path()), KeyKind::Chunk), pieces);
}
