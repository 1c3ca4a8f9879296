//! Feeds arbitrary bytes to every function that reads from the disk: value heads, bodies, keys, the guard, names.
#![no_main]

use dashboard_sled::store::key::{Key, ListPath};
use dashboard_sled::store::sled::folder::rollback_guard;
use dashboard_sled::store::sled::format::value;
use dashboard_sled::store::wtf8;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (name, stored) = bytes.split_at(bytes.len() / 2);
    let key = Key::record(name);
    // Bytes that were not written for this key pass as its value with a probability of one in 2^32.
    let _ = value::decode(key.encoded(), stored);
    let _ = value::chunks_of(key.encoded(), stored);
    let form = value::Form(stored.first().copied().unwrap_or_default());
    let _ = value::split_body(stored, form);
    let found = Key::found(bytes, None);
    let _ = (found.name(), found.display(), found.list_path(), Key::kind_of(bytes), Key::number(bytes));
    let full = Key::found(bytes, Some(stored));
    let _ = (full.name(), full.display(), Key::chunk_id(bytes));
    let path = ListPath::new(name);
    assert!(path.position(stored).encoded().len() <= 400);
    let _ = rollback_guard::newest(bytes);
    let units = wtf8::decode(bytes);
    assert_eq!(wtf8::decode(&wtf8::encode(&units)), units);
    // Reading returns what was written.
    let id = dashboard_sled::store::key::ChunkId { commit_number: 1, ordinal: 2 };
    let encoded = value::encode(&key, &stored.into(), id);
    assert!(value::decode(key.encoded(), &encoded.head).is_some());
});
