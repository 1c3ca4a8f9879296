//! Computes the changes of a batch from the stored records. Each request sees the changes of those before it.
//!
//! Requests that meet at a record or an item form a group: a later one was computed from what an earlier one changes, so
//! they are done together, or computed again together.

use crate::record::cipher::Secret;
use crate::record::ending::Ending;
use crate::store::change::{Change, Edit, Edited, Record};
use crate::store::contents::Contents;
use crate::store::error::Result;
use crate::store::findings::Findings;
use crate::store::key::Key;
use crate::store::panics::caught;
use crate::store::postgres::commit::rows::{ItemChange, ItemRow, Quarantine, RecordRow};
use crate::store::rule;
use std::collections::{BTreeMap, HashMap};
use std::sync::PoisonError;
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

type Item = (Vec<u8>, Vec<u8>);

/// The computed changes of a batch.
#[derive(Default)]
pub struct Transaction {
    stored: HashMap<Key, Contents>,
    records: HashMap<Key, RecordRow>,
    items: BTreeMap<Item, ItemRow>,
    quarantine: Option<Quarantine>,
    /// Number of writes of which a part was stale, and therefore refused.
    pub stale_writes: u64,
    positions: usize,
    /// The first request that met a key or an item.
    met: HashMap<Key, usize>,
    met_items: HashMap<Item, usize>,
    /// Group of each request, as a forest: a request that points to itself is the first of its group.
    groups: Vec<usize>,
    /// Changes of the current request.
    staged: HashMap<Key, RecordRow>,
    staged_items: BTreeMap<Item, ItemRow>,
}

impl Transaction {
    /// Returns an empty transaction over the `stored` records, in which a key that was not found is missing.
    pub fn new(stored: HashMap<Key, Contents>) -> Self {
        Self { stored, ..Self::default() }
    }

    /// Returns the keys of the records that a request has to know.
    pub fn reads(changes: &[Change]) -> impl Iterator<Item = &Key> {
        changes.iter().filter_map(|change| match change {
            Change::Write { record, .. } | Change::Import { record, .. } => {
                record.kind.is_some().then_some(&record.key)
            }
            Change::Update { record, .. } => Some(&record.key),
            // To see what it ends.
            Change::Attributed { change, .. } => change.record().map(|record| &record.key),
            _ => None,
        })
    }

    /// Accepts all changes of the next request, or none if one of them fails.
    pub fn take(&mut self, changes: &[Change]) -> Result<()> {
        let request = self.groups.len();
        self.groups.push(request);
        self.staged.clear();
        self.staged_items.clear();
        let quarantine = self.quarantine;
        // An earlier computation of the same request may have added to it.
        for change in changes {
            if let Change::Import { kept, .. } = change {
                *kept.lock().unwrap_or_else(PoisonError::into_inner) = Findings::default();
            }
        }
        for change in changes {
            if let Err(error) = caught("compute a change", || self.stage(request, change)) {
                self.quarantine = quarantine;
                return Err(error);
            }
        }
        let changes_nothing = self.staged.values().all(|row| row.is_kept)
            && self.staged_items.is_empty()
            && self.quarantine == quarantine;
        if !changes_nothing {
            self.records.extend(self.staged.drain());
            self.items.append(&mut self.staged_items);
        }
        Ok(())
    }

    /// Returns the first request of the group of `request`.
    pub fn group(&self, mut request: usize) -> usize {
        while let Some(&parent) = self.groups.get(request).filter(|parent| **parent != request) {
            request = parent;
        }
        request
    }

    /// Returns the rows to write, with their keys.
    pub fn records(&self) -> impl Iterator<Item = (&Key, &RecordRow)> {
        self.records.iter()
    }

    /// Returns the stored contents of `key`, before this transaction.
    pub fn stored(&self, key: &Key) -> Option<&Contents> {
        self.stored.get(key)
    }

    /// Returns the items to change, with their list and name.
    pub fn items(&self) -> impl Iterator<Item = (&Item, &ItemRow)> {
        self.items.iter()
    }

    /// Returns what becomes of the quarantine.
    pub fn quarantine(&self) -> Option<Quarantine> {
        self.quarantine
    }

    /// Returns whether other nodes may have the record at `key` in memory, or remember that it is missing.
    pub fn may_be_known(&self, key: &Key, row: &RecordRow) -> bool {
        let is_told =
            !row.is_computed || self.stored.contains_key(key) || rule::is_remembered_missing(key);
        is_told && !row.is_kept
    }

    /// Returns whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.items.is_empty() && self.quarantine.is_none()
    }

    fn stage(&mut self, request: usize, change: &Change) -> Result<()> {
        match change {
            Change::Write { record, contents, secret } => {
                let stored = self.get_ruled(request, record);
                self.write(request, record, contents.clone(), stored, secret.as_ref())?;
            }
            Change::Import { record, contents, secret, kept } => {
                let stored = self.get_ruled(request, record);
                let (contents, is_changed) =
                    rule::import(record, contents.clone(), stored.as_ref(), secret.as_ref())?;
                if is_changed {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).add(record.key.display());
                }
                if let Some(contents) = contents {
                    self.put(request, &record.key, Some(contents));
                }
            }
            Change::Remove { record } => self.put(request, &record.key, None),
            Change::Update { record, edit, secret, .. } => {
                self.update(request, record, edit, secret.as_ref())?;
            }
            Change::Attributed { change, attribution, secret } => {
                self.stage_attributed(request, change, attribution, secret.as_ref())?;
            }
            Change::Append { entry } => self.append(request, entry.clone()),
            Change::Quarantine => self.quarantine = Some(Quarantine { is_set: true, request }),
            Change::ClearQuarantine => {
                self.quarantine = Some(Quarantine { is_set: false, request });
            }
            Change::ListAdd { path, item } => self.change_item(request, path.bytes(), item, true),
            Change::ListRemove { path, item } => {
                self.change_item(request, path.bytes(), item, false);
            }
        }
        Ok(())
    }

    fn stage_attributed(
        &mut self,
        request: usize,
        change: &Change,
        attribution: &str,
        secret: Option<&Secret>,
    ) -> Result<()> {
        let Some(record) = change.record() else { return self.stage(request, change) };
        let stored = self.get(request, &record.key);
        let known = match change {
            Change::Update { record, edit, secret, .. } => {
                self.update(request, record, edit, secret.as_ref())?
            }
            change => {
                self.stage(request, change)?;
                None
            }
        };
        let new = self.get(request, &record.key);
        let ending = known.or_else(|| rule::ending(record, stored.as_ref(), new.as_ref(), secret));
        let entry = ending.and_then(|ending| rule::entry(record, &ending, attribution, secret));
        if let Some(entry) = entry {
            self.append(request, entry);
        }
        Ok(())
    }

    /// Adds an entry about sessions that ended. Its place among those of other nodes is by the clocks of both.
    fn append(&mut self, request: usize, entry: Contents) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let random = Uuid::new_v4().as_u128() & u128::from(u64::MAX >> 16);
        self.positions += 1;
        let position = self.positions as u128 & 0xffff;
        let order = since.as_micros() << 64 | position << 48 | random;
        self.put(request, &rule::entry_key(order), Some(entry));
    }

    fn update(
        &mut self,
        request: usize,
        record: &Record,
        edit: &Edit,
        secret: Option<&Secret>,
    ) -> Result<Option<Ending>> {
        let stored = self.get(request, &record.key);
        let Some(Edited { contents, retires, ends }) = edit(stored.as_deref())? else {
            self.keep(request, &record.key, stored);
            return Ok(None);
        };
        rule::check_size(record, &contents, stored.as_ref(), retires.is_some())?;
        let Some(retires) = retires else {
            self.write(request, record, contents, stored, secret)?;
            return Ok(ends);
        };
        let remembered = stored.as_ref().map(Contents::retired).unwrap_or_default();
        let contents = rule::remember(contents, remembered, &retires);
        self.put(request, &record.key, Some(contents));
        Ok(ends)
    }

    /// Writes a record over the `stored` one, which matters only if the rule about stale writes applies to the record.
    fn write(
        &mut self,
        request: usize,
        record: &Record,
        contents: Contents,
        stored: Option<Contents>,
        secret: Option<&Secret>,
    ) -> Result<()> {
        let contents = match (record.kind, stored) {
            (Some(kind), Some(stored)) => {
                let (contents, is_stale) = rule::reconcile(kind, contents, &stored, secret)?;
                self.stale_writes += u64::from(is_stale);
                contents
            }
            _ => contents,
        };
        self.put(request, &record.key, Some(contents));
        Ok(())
    }

    fn get_ruled(&mut self, request: usize, record: &Record) -> Option<Contents> {
        record.kind.and_then(|_| self.get(request, &record.key))
    }

    /// Returns a record after the changes so far. From here on its row must be as it was read.
    fn get(&mut self, request: usize, key: &Key) -> Option<Contents> {
        self.meet(request, key);
        if let Some(row) = self.staged.get(key).or_else(|| self.records.get(key)) {
            return row.contents.clone();
        }
        self.stored.get(key).cloned()
    }

    /// Requires the row of a record to be as it was read, although it is not written: what else the request changes
    /// depends on that.
    fn keep(&mut self, request: usize, key: &Key, contents: Option<Contents>) {
        if !self.staged.contains_key(key) && !self.records.contains_key(key) {
            let row = RecordRow { contents, is_computed: true, is_kept: true, request };
            self.staged.insert(key.clone(), row);
        }
    }

    fn put(&mut self, request: usize, key: &Key, contents: Option<Contents>) {
        let is_first = !self.met.contains_key(key);
        self.meet(request, key);
        let before = self.staged.get(key).or_else(|| self.records.get(key));
        let is_computed = before.map_or(!is_first, |row| row.is_computed);
        self.staged
            .insert(key.clone(), RecordRow { contents, is_computed, is_kept: false, request });
    }

    fn change_item(&mut self, request: usize, path: &[u8], item: &[u8], is_added: bool) {
        let key = (path.to_vec(), item.to_vec());
        let first = *self.met_items.entry(key.clone()).or_insert(request);
        self.join(first, request);
        self.positions += 1;
        let position = self.positions;
        let before = self.staged_items.get(&key).or_else(|| self.items.get(&key)).copied();
        let row = match (is_added, before) {
            (false, _) => ItemRow { change: ItemChange::Removed, position, request },
            (true, None) => ItemRow { change: ItemChange::Added, position, request },
            (true, Some(ItemRow { change: ItemChange::Removed, .. })) => {
                ItemRow { change: ItemChange::Moved, position, request }
            }
            // It is there already, and keeps its place.
            (true, Some(before)) => before,
        };
        self.staged_items.insert(key, row);
    }

    fn meet(&mut self, request: usize, key: &Key) {
        let first = *self.met.entry(key.clone()).or_insert(request);
        self.join(first, request);
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.group(one), self.group(other));
        if let Some(parent) = self.groups.get_mut(one.max(other)) {
            *parent = one.min(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::error::StoreError;
    use crate::store::key::ListPath;

    fn write(name: &str, text: &str) -> Change {
        let record = Record::new(name.as_bytes());
        Change::Write { record, contents: text.as_bytes().into(), secret: None }
    }

    fn append(name: &str) -> Change {
        Change::update(Record::new(name.as_bytes()), None, 0, |stored| {
            let text = [stored.unwrap_or_default(), b"+"].concat();
            Ok(Some(Contents::from(text).into()))
        })
    }

    fn item(is_added: bool) -> Change {
        let (path, item) = (ListPath::new(b"l"), b"i".to_vec());
        if is_added {
            Change::ListAdd { path, item }
        } else {
            Change::ListRemove { path, item }
        }
    }

    #[test]
    fn only_what_was_read_has_to_be_unchanged() {
        let mut transaction = Transaction::default();
        transaction.take(&[write("a", "1"), append("b"), append("a")]).unwrap();
        let row = |name: &str| transaction.records.get(&Key::record(name.as_bytes())).unwrap();
        assert_eq!((row("a").is_computed, row("b").is_computed), (false, true));
        assert_eq!(row("a").contents.as_deref(), Some(b"1+".as_slice()));
    }

    #[test]
    fn what_a_request_depends_on_is_kept_if_it_changes_anything() {
        let depends = || Change::update(Record::new(b"g"), None, 0, |_| Ok(None));
        let mut transaction = Transaction::default();
        transaction.take(&[depends()]).unwrap();
        assert!(transaction.is_empty());
        transaction.take(&[depends(), write("a", "1")]).unwrap();
        let row = |transaction: &Transaction| {
            let (_, row) = transaction.records().find(|(key, _)| key.name() == Some(b"g")).unwrap();
            (row.is_kept, row.is_computed, row.contents.clone())
        };
        assert_eq!(row(&transaction), (true, true, None));
        transaction.take(&[append("g")]).unwrap();
        assert_eq!(row(&transaction), (false, true, Some(Contents::from(b"+".as_slice()))));
        // The first request met the record as well, although it has no row.
        let groups: Vec<_> = (0..3).map(|request| transaction.group(request)).collect();
        assert_eq!(groups, [0, 0, 0]);
    }

    #[test]
    fn requests_that_meet_form_a_group_and_a_failed_one_leaves_no_trace() {
        let mut transaction = Transaction::default();
        transaction.take(&[append("a")]).unwrap();
        transaction.take(&[append("b")]).unwrap();
        let fails = Change::update(Record::new(b"a"), None, 0, |_| Err(StoreError::Closed));
        assert!(transaction.take(&[write("c", "x"), fails]).is_err());
        transaction.take(&[append("a"), append("d")]).unwrap();
        transaction.take(&[append("b"), append("d")]).unwrap();
        let groups: Vec<_> = (0..5).map(|request| transaction.group(request)).collect();
        assert_eq!(groups, [0, 0, 0, 0, 0]);
        assert!(!transaction.records.contains_key(&Key::record(b"c")));
        let mut apart = Transaction::default();
        apart.take(&[append("a")]).unwrap();
        apart.take(&[append("b")]).unwrap();
        assert_ne!(apart.group(0), apart.group(1));
    }

    #[test]
    fn an_item_that_is_removed_and_added_becomes_the_newest() {
        let change = |changes: &[bool]| {
            let mut transaction = Transaction::default();
            for is_added in changes {
                transaction.take(&[item(*is_added)]).unwrap();
            }
            let row = *transaction.items().next().unwrap().1;
            (row.change, row.position)
        };
        assert_eq!(change(&[true, true]), (ItemChange::Added, 1));
        assert_eq!(change(&[true, false]), (ItemChange::Removed, 2));
        assert_eq!(change(&[false, true, true]), (ItemChange::Moved, 2));
    }
}
