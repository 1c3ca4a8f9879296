//! Compares the store with maps in memory: random changes, reads in every way, reopens.

use crate::store::change::Record;
use crate::store::sled::format::batch::Changed;
use crate::store::sled::test_store::{settings, temporary};
use crate::store::sled::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::mpsc;

#[derive(Clone, Debug)]
enum Step {
    Write(usize, usize),
    Remove(usize),
    Append(usize),
    Fail(usize),
    Add(usize, usize),
    Discard(usize, usize),
    Wipe,
    Reopen,
}

/// Returns names of all kinds: short ones, ones that are long enough to be hashed, and prefixes of others.
fn name(number: usize) -> Vec<u8> {
    match number % 6 {
        0 => b"a".to_vec(),
        1 => b"a/b".to_vec(),
        2 => vec![b'k'; 189 + number],
        3 => vec![b'k'; 396 + number],
        4 => vec![0, 255, b'/'],
        _ => format!("name {number}").into_bytes(),
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let size = prop_oneof![0..50_usize, 4090..4100_usize, 0..20_000_usize];
    let step = prop_oneof![
        8 => (0..12_usize, size).prop_map(|(n, size)| Step::Write(n, size)),
        3 => (0..12_usize).prop_map(Step::Remove),
        4 => (0..12_usize).prop_map(Step::Append),
        1 => (0..12_usize).prop_map(Step::Fail),
        8 => (0..4_usize, 0..30_usize).prop_map(|(list, item)| Step::Add(list, item)),
        5 => (0..4_usize, 0..30_usize).prop_map(|(list, item)| Step::Discard(list, item)),
        1 => Just(Step::Wipe),
        2 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..80)
}

#[derive(Default)]
struct Model {
    records: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Oldest first.
    lists: BTreeMap<usize, Vec<Vec<u8>>>,
}

impl Model {
    fn apply(&mut self, step: &Step, number: usize) {
        match *step {
            Step::Write(n, size) => drop(self.records.insert(name(n), contents(number, size))),
            Step::Remove(n) => drop(self.records.remove(&name(n))),
            Step::Append(n) => self.records.entry(name(n)).or_default().push(b'+'),
            Step::Add(list, item) => {
                let items = self.lists.entry(list).or_default();
                if !items.contains(&name(item)) {
                    items.push(name(item));
                }
            }
            Step::Discard(list, item) => {
                self.lists.entry(list).or_default().retain(|found| *found != name(item));
            }
            Step::Wipe => *self = Self::default(),
            Step::Fail(_) | Step::Reopen => {}
        }
    }
}

fn contents(number: usize, size: usize) -> Vec<u8> {
    (0..size).map(|index| (index * 7 + number).to_le_bytes()[0]).collect()
}

fn change(step: &Step, number: usize) -> Option<Change> {
    let record = |n: usize| Record::new(&name(n));
    let path = |list: usize| ListPath::new(&name(list));
    Some(match *step {
        Step::Write(n, size) => {
            let contents = contents(number, size).into();
            Change::Write { record: record(n), contents, secret: None }
        }
        Step::Remove(n) => Change::Remove { record: record(n) },
        Step::Append(n) => Change::Update {
            record: record(n),
            edit: Box::new(|stored| {
                let contents = [stored.unwrap_or_default(), b"+"].concat();
                Ok(Some(Contents::from(contents).into()))
            }),
            size: 0,
            secret: None,
        },
        Step::Fail(n) => Change::Update {
            record: record(n),
            edit: Box::new(|_| Err(StoreError::Refused("refused"))),
            size: 0,
            secret: None,
        },
        Step::Add(list, item) => Change::ListAdd { path: path(list), item: name(item) },
        Step::Discard(list, item) => Change::ListRemove { path: path(list), item: name(item) },
        Step::Wipe | Step::Reopen => return None,
    })
}

fn check(store: &Store, model: &Model) {
    for n in 0..12 {
        let key = Record::new(&name(n)).key;
        let expected = model.records.get(&name(n)).map(Vec::as_slice);
        assert_eq!(store.read(&key).unwrap().as_deref(), expected, "{n}");
        if let Ok(known) = store.peek(&key) {
            assert_eq!(known.as_deref(), expected, "{n} in memory");
        }
    }
    for list in 0..4 {
        let path = ListPath::new(&name(list));
        let items = model.lists.get(&list).cloned().unwrap_or_default();
        assert_eq!(store.count(&path).unwrap(), items.len() as u64);
        for offset in [0, 1, items.len() / 2, items.len()] {
            let page = store.page(&path, offset as u64, 5).unwrap();
            let expected: Vec<_> = items.iter().rev().skip(offset).take(5).collect();
            assert!(page.iter().map(|item| item.to_vec()).eq(expected.into_iter().cloned()));
        }
        for item in 0..30 {
            assert_eq!(store.has(&path, &name(item)).unwrap(), items.contains(&name(item)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_store_behaves_like_maps_in_memory(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(&folder.path().join("store"));
        let mut store = open(&settings).unwrap();
        let mut model = Model::default();
        let (done, results) = mpsc::channel();
        for (number, step) in steps.iter().enumerate() {
            let done = done.clone();
            let completion: Completion = Box::new(move |result| done.send(result).unwrap());
            match (change(step, number), step) {
                (Some(change), _) => store.submit(vec![change], completion),
                (None, Step::Wipe) => store.wipe(completion),
                (None, _) => {
                    drop(store);
                    store = open(&settings).unwrap();
                    completion(Ok(()));
                }
            }
            model.apply(step, number);
            // Some changes are awaited, others are left to follow each other.
            if number % 3 == 0 {
                check_results(&results);
                store.settle(Box::new(|_| ()));
            }
        }
        drop(done);
        let (done, settled) = mpsc::channel();
        store.settle(Box::new(move |result| done.send(result).unwrap()));
        settled.recv().unwrap().unwrap();
        check(&store, &model);
        let report = store.verify(&|_| ()).unwrap();
        prop_assert_eq!(report.problems.described, Vec::<String>::new());
        drop(store);
        let store = open(&settings).unwrap();
        check(&store, &model);
        let copy = folder.path().join("copy");
        store.copy(&copy, [8; 16], &|_| ()).unwrap();
        drop(store);
        check(&open(&Settings { path: copy, ..settings }).unwrap(), &model);
        let blobs = folder.path().join("store").join("sled").join("blobs");
        prop_assert_eq!(std::fs::read_dir(blobs).unwrap().count(), 0);
    }
}

/// Asserts that only changes that were made to fail have failed.
fn check_results(results: &mpsc::Receiver<Result<()>>) {
    while let Ok(result) = results.try_recv() {
        if let Err(error) = result {
            assert_eq!(error.slug(), "refused");
        }
    }
}

#[test]
fn every_read_returns_the_changes_of_a_failed_commit() {
    let (_folder, store) = temporary();
    let key = Record::new(b"a").key;
    let changed = Changed::from([(key.clone(), Some(b"new".as_slice().into()))]);
    assert_eq!(store.read(&key).unwrap(), None);
    assert!(store.shared.failed_commit.set(changed).is_ok());
    assert_eq!(store.read(&key).unwrap().as_deref(), Some(b"new".as_slice()));
    assert_eq!(store.peek(&key).unwrap().as_deref(), Some(b"new".as_slice()));
}
