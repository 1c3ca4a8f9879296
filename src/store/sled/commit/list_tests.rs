//! Lists that are longer than blocks and segments, compared with a vector in memory.

use crate::store::sled::read::list::SEGMENT;
use crate::store::sled::test_store::{make, temporary};
use crate::store::sled::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    /// Add this number of items.
    Add(u32),
    /// Remove a range of the list, given in thousandths from the oldest item.
    Discard(usize, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (1..600_u32).prop_map(Step::Add),
        2 => (0..=1000_usize, 0..=1000_usize).prop_map(|(a, b)| Step::Discard(a.min(b), a.max(b))),
        1 => (900..=1000_usize).prop_map(|from| Step::Discard(from, 1000)),
    ];
    proptest::collection::vec(step, 1..8)
}

struct List {
    store: Lease,
    path: ListPath,
    /// Oldest first.
    items: Vec<u32>,
    added: u32,
}

impl List {
    fn new(store: Lease) -> Self {
        Self { store, path: ListPath::new(b"list"), items: Vec::new(), added: 0 }
    }

    fn take(&mut self, step: &Step) {
        let path = || self.path.clone();
        let changes = match *step {
            Step::Add(count) => {
                let new = self.added..self.added + count;
                self.added = new.end;
                self.items.extend(new.clone());
                new.map(|item| Change::ListAdd { path: path(), item: name(item) }).collect()
            }
            Step::Discard(from, to) => {
                let [from, to] = [from, to].map(|part| self.items.len() * part / 1000);
                let old = self.items.drain(from..to);
                old.map(|item| Change::ListRemove { path: path(), item: name(item) }).collect()
            }
        };
        make(&self.store, changes);
    }

    fn check(&self) {
        let length = self.items.len();
        assert_eq!(self.store.count(&self.path).unwrap(), length as u64);
        let offsets = (0..20).map(|part| length * part / 20).chain([255, 256, 257, length]);
        for offset in offsets {
            let page = self.store.page(&self.path, offset as u64, 3).unwrap();
            let expected = self.items.iter().rev().skip(offset).take(3).map(|item| name(*item));
            assert!(page.iter().map(|item| item.to_vec()).eq(expected), "{offset} of {length}");
        }
        let problems = self.store.verify(&|_| ()).unwrap().problems;
        assert_eq!(problems.described, Vec::<String>::new());
    }
}

fn name(item: u32) -> Vec<u8> {
    format!("item {item}").into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn counts_and_offsets_are_right_across_blocks(steps in steps()) {
        let (_folder, store) = temporary();
        let mut list = List::new(store);
        for step in &steps {
            list.take(step);
            list.check();
        }
    }
}

#[test]
fn counts_and_offsets_are_right_across_segments() {
    let (_folder, store) = temporary();
    let mut list = List::new(store);
    for _ in 0..=SEGMENT / 4096 {
        list.take(&Step::Add(4096));
    }
    list.check();
    for step in [Step::Discard(100, 990), Step::Discard(500, 501), Step::Discard(0, 1000)] {
        list.take(&step);
        list.check();
    }
}
