//! A model of everything that Dashboard does with an account: each call reads and writes it whole, in any order.

use super::import::{import, Import};
use super::reset;
use super::stale::{reconcile, remember, Fingerprint, REMEMBERED};
use super::Kind;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{json, Map, Value};
use std::collections::HashSet;

/// One of Dashboard's calls. Steps of other calls may go in between its steps.
#[derive(Clone, Copy, Debug)]
enum Call {
    /// A sign-in.
    SignIn,
    /// The administrator's reset: atomic, by `ResetSessionKey.patch`.
    Reset,
    /// As many resets as push every remembered value out.
    ManyResets,
    /// The user's "end all sessions": key, time and number in three changes, all with the number from before the call.
    UserReset,
    /// The user's change of the password: hash and time in two changes.
    Password,
    /// A new password by a code: everything in one change.
    PasswordByCode,
    /// The import of an earlier state, however old it is.
    Import(Index),
}

/// A call in progress.
struct Running {
    call: Call,
    step: usize,
    /// The number at the time when the call began.
    number: f64,
    /// The account as it was read, until it is written.
    read: Option<Map<String, Value>>,
}

/// The account in the store, and every value that it ever had.
struct Store {
    text: String,
    retired: Vec<Fingerprint>,
    replaced: HashSet<String>,
    /// Every text that ever stood there.
    past: Vec<String>,
    fresh: u64,
    clock: u64,
}

impl Store {
    fn new() -> Self {
        let text = json!({
            "object": "account", "sessionKey": "key 0", "sessionKeyNumber": 1, "passwordHash": "hash 0"
        });
        Self {
            text: text.to_string(),
            retired: Vec::new(),
            replaced: HashSet::new(),
            past: Vec::new(),
            fresh: 0,
            clock: 0,
        }
    }

    fn read(&self) -> Map<String, Value> {
        serde_json::from_str(&self.text).unwrap()
    }

    fn text_of(&self, name: &str) -> String {
        self.read().get(name).map(ToString::to_string).unwrap_or_default()
    }

    fn number(&self) -> f64 {
        self.read()["sessionKeyNumber"].as_f64().unwrap()
    }

    fn fresh(&mut self, what: &str) -> String {
        self.fresh += 1;
        format!("{what} {}", self.fresh)
    }

    /// Stores `text`, and checks that no value that was replaced comes back.
    fn put(&mut self, text: String, retires: &[Fingerprint]) {
        let names = ["sessionKey", "passwordHash"];
        let (before, number) = (names.map(|name| self.text_of(name)), self.number());
        self.past.push(std::mem::replace(&mut self.text, text));
        self.retired = remember(&self.retired, retires);
        for (name, before) in names.into_iter().zip(before) {
            let after = self.text_of(name);
            if before != after {
                self.replaced.insert(before);
            }
            assert!(!self.replaced.contains(&after), "{after} came back");
        }
        assert!(self.number() >= number, "the number fell");
    }

    fn reset(&mut self) {
        self.clock += 1;
        let key = self.fresh("key");
        #[expect(clippy::cast_precision_loss, reason = "the clock of a test")]
        let reset = reset::reset(&self.text, &key, self.clock as f64).unwrap();
        self.put(reset.text, &reset.retires);
    }

    /// Imports an earlier state twice: the second time changes nothing.
    fn import(&mut self, index: Index) {
        if self.past.is_empty() {
            return;
        }
        let new = index.get(&self.past).clone();
        self.import_text(new.clone());
        let once = self.text.clone();
        self.import_text(new);
        assert_eq!(self.text, once);
    }

    fn import_text(&mut self, new: String) {
        let texts = [self.text.as_bytes(), new.as_bytes()];
        let outcome = import(Kind::Account, texts[0], texts[1], &self.retired, None, usize::MAX);
        match outcome.unwrap() {
            Import::Taken { retires } => self.put(new, &retires),
            Import::Merged { text, retires } => self.put(text, &retires),
            Import::Kept => panic!("both are accounts"),
        }
    }

    fn write(&mut self, record: Map<String, Value>) {
        let new = Value::Object(record).to_string();
        let outcome = reconcile(Kind::Account, &self.text, &new, &self.retired).unwrap();
        self.put(outcome.text.unwrap_or(new), &outcome.retires);
    }
}

impl Running {
    fn new(call: Call) -> Self {
        Self { call, step: 0, number: 0.0, read: None }
    }

    /// Does one step: a read or a write. Returns `false` when the call is complete.
    fn advance(&mut self, store: &mut Store) -> bool {
        let resets = match self.call {
            Call::Reset => 1,
            Call::ManyResets => REMEMBERED + 1,
            _ => 0,
        };
        if let Call::Import(index) = self.call {
            store.import(index);
            return false;
        }
        if resets > 0 {
            (0..resets).for_each(|_| store.reset());
            return false;
        }
        let changes = match self.call {
            Call::UserReset => 3,
            Call::Password => 2,
            _ => 1,
        };
        let Some(mut record) = self.read.take() else {
            if self.step == 0 {
                self.number = store.number();
            }
            self.read = Some(store.read());
            return true;
        };
        store.clock += 1;
        let number = json!(self.number + 1.0);
        let time = json!(store.clock);
        let key_before = store.text_of("sessionKey");
        match (self.call, self.step) {
            (Call::SignIn, _) => {
                record.insert("lastSignedIn".into(), time.clone());
                store.write(record);
                assert_eq!(store.text_of("lastSignedIn"), time.to_string());
            }
            (Call::UserReset, 0) => {
                record.insert("sessionKey".into(), store.fresh("key").into());
                store.write(record);
                assert_ne!(store.text_of("sessionKey"), key_before, "sessions live on");
            }
            (Call::UserReset, 1) => {
                record.insert("sessionKeyLastReset".into(), time);
                store.write(record);
            }
            (Call::UserReset, _) => {
                record.insert("sessionKeyNumber".into(), number);
                store.write(record);
                assert!(store.number() > self.number, "sessions do not show their end");
            }
            (Call::Password, 0) => {
                let hash = store.fresh("hash");
                record.insert("passwordHash".into(), hash.clone().into());
                store.write(record);
                assert_eq!(store.text_of("passwordHash"), json!(hash).to_string());
            }
            (Call::Password, _) => {
                record.insert("passwordLastChanged".into(), time);
                store.write(record);
            }
            _ => {
                let hash = store.fresh("hash");
                record.insert("passwordHash".into(), hash.clone().into());
                record.insert("passwordLastChanged".into(), time.clone());
                record.insert("sessionKey".into(), store.fresh("key").into());
                record.insert("sessionKeyLastReset".into(), time);
                record.insert("sessionKeyNumber".into(), number);
                store.write(record);
                assert_eq!(store.text_of("passwordHash"), json!(hash).to_string());
                assert_ne!(store.text_of("sessionKey"), key_before, "sessions live on");
                assert!(store.number() > self.number, "sessions do not show their end");
            }
        }
        self.step += 1;
        self.step < changes
    }
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        4 => Just(Call::SignIn),
        2 => Just(Call::Reset),
        1 => Just(Call::ManyResets),
        3 => Just(Call::UserReset),
        2 => Just(Call::Password),
        2 => Just(Call::PasswordByCode),
        2 => any::<Index>().prop_map(Call::Import),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn nothing_that_was_replaced_comes_back_in_any_order(
        calls in proptest::collection::vec(call(), 1..8),
        order in proptest::collection::vec(any::<Index>(), 60),
    ) {
        let mut store = Store::new();
        let mut running: Vec<_> = calls.into_iter().map(Running::new).collect();
        for index in order {
            if running.is_empty() {
                break;
            }
            let at = index.index(running.len());
            if !running[at].advance(&mut store) {
                running.remove(at);
            }
        }
    }
    /// A store that was itself imported remembers nothing: numbers and times tell what is older.
    #[test]
    fn nothing_comes_back_by_an_import_where_nothing_is_remembered(
        calls in proptest::collection::vec((call(), any::<bool>()), 1..12),
    ) {
        let mut store = Store::new();
        for (call, forgets) in calls {
            let mut running = Running::new(call);
            while running.advance(&mut store) {}
            if forgets {
                store.retired.clear();
            }
        }
    }
}
