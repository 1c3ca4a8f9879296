//! Records and lists that a look-up has fetched from a database so far, and those that it lacks.

use crate::store::contents::Contents;
use crate::store::error::{Result, StoreError};
use crate::store::follow::Follow;
use crate::store::key::{Key, ListPath};
use std::cell::RefCell;
use std::collections::HashMap;

/// Something to fetch.
#[derive(Debug)]
pub enum Question {
    /// A record.
    Record(Key),
    /// A record, and the one that it names.
    Following(Key, Follow),
    /// The number of items in a list.
    Count(ListPath),
    /// Whether a list has an item.
    Has(ListPath, Vec<u8>),
    /// A page of a list: path, offset, size.
    Page(ListPath, u64, u64),
}

/// A list and an item.
type Item = (Vec<u8>, Vec<u8>);
/// A list, an offset and a size.
type Page = (Vec<u8>, u64, u64);

/// Answers by what was asked for.
#[derive(Default)]
pub struct Fetched {
    records: RefCell<HashMap<Key, Option<Contents>>>,
    versions: RefCell<HashMap<Key, u64>>,
    counts: RefCell<HashMap<Vec<u8>, u64>>,
    items: RefCell<HashMap<Item, bool>>,
    pages: RefCell<HashMap<Page, Vec<Contents>>>,
    lacking: RefCell<Vec<Question>>,
}

impl Fetched {
    /// Returns a record, or asks for it.
    pub fn record(&self, key: &Key, ask: impl FnOnce() -> Question) -> Result<Option<Contents>> {
        let found = self.records.borrow().get(key).cloned();
        found.ok_or_else(|| self.lack(ask()))
    }

    /// Returns the version that a record had before it was fetched.
    pub fn version(&self, key: &Key) -> u64 {
        self.versions.borrow().get(key).copied().unwrap_or_default()
    }

    /// Returns the number of items in a list, or asks for it.
    pub fn count(&self, path: &ListPath) -> Result<u64> {
        let found = self.counts.borrow().get(path.bytes()).copied();
        found.ok_or_else(|| self.lack(Question::Count(path.clone())))
    }

    /// Returns whether a list has an item, or asks for it.
    pub fn has(&self, path: &ListPath, item: &[u8]) -> Result<bool> {
        let found = self.items.borrow().get(&(path.bytes().to_vec(), item.to_vec())).copied();
        found.ok_or_else(|| self.lack(Question::Has(path.clone(), item.to_vec())))
    }

    /// Returns a page of a list, or asks for it.
    pub fn page(&self, path: &ListPath, offset: u64, size: u64) -> Result<Vec<Contents>> {
        let found = self.pages.borrow().get(&(path.bytes().to_vec(), offset, size)).cloned();
        found.ok_or_else(|| self.lack(Question::Page(path.clone(), offset, size)))
    }

    /// Takes the questions that the last run of the look-up had.
    pub fn take_lacking(&mut self) -> Vec<Question> {
        std::mem::take(self.lacking.get_mut())
    }

    /// Adds a record, and its version from before it was read.
    pub fn add_record(&mut self, key: Key, contents: Option<Contents>, version: u64) {
        self.versions.get_mut().insert(key.clone(), version);
        self.records.get_mut().insert(key, contents);
    }

    /// Adds the number of items in a list.
    pub fn add_count(&mut self, path: &ListPath, count: u64) {
        self.counts.get_mut().insert(path.bytes().to_vec(), count);
    }

    /// Adds whether a list has an item.
    pub fn add_item(&mut self, path: &ListPath, item: Vec<u8>, is_there: bool) {
        self.items.get_mut().insert((path.bytes().to_vec(), item), is_there);
    }

    /// Adds a page of a list.
    pub fn add_page(&mut self, path: &ListPath, offset: u64, size: u64, items: Vec<Contents>) {
        self.pages.get_mut().insert((path.bytes().to_vec(), offset, size), items);
    }

    /// Asks a question. The error that is returned ends this run of the look-up; nobody sees it.
    fn lack(&self, question: Question) -> StoreError {
        self.lacking.borrow_mut().push(question);
        StoreError::Closed
    }
}
