//! Benchmarks the functions that do no input or output: parsing accounts and sessions, resets, stale writes, the
//! cipher, keys.

use criterion::{criterion_group, criterion_main, Criterion};
use dashboard_sled::record::account::Account;
use dashboard_sled::record::cipher::{self, Secret};
use dashboard_sled::record::session::Session;
use dashboard_sled::record::{reset, stale, Kind};
use dashboard_sled::store::key::ChunkId;
use dashboard_sled::store::sled::format::value;
use dashboard_sled::store::{Key, ListPath};
use std::hint::black_box;

const SESSION: &str = concat!(
    r#"{"object":"session","sessionid":"session_85ebca6b","accountid":"account_c2b2ae35","#,
    r#""tokenHash":"85ebca6b85ebca6b85ebca6b85ebca6b85ebca6b85ebca6b85ebca6b85ebca6b85ebca6b85ebca6b85ebca6b85ebca6b85ebca6b85ebca6b85ebca6b85ebca6b","#,
    r#""created":1764000000,"expires":1766592000,"sessionKeyNumber":1,"lastVerified":1764000000}"#
);
const ACCOUNT: &str = concat!(
    r#"{"object":"account","accountid":"account_c2b2ae35","#,
    r#""usernameHash":"c2b2ae35c2b2ae35c2b2ae35c2b2ae35c2b2ae35c2b2ae35c2b2ae35c2b2ae35c2b2ae35c2b2ae35c2b2ae35c2b2ae35c2b2ae35c2b2ae35c2b2ae35c2b2ae35","#,
    r#""passwordHash":"$2a$10$c2b2ae35c2b2ae35c2b2ae35c2b2ae35c2b2ae35c2b2ae35c2b2a","#,
    r#""sessionKey":"c2b2ae35c2b2ae35c2b2ae35c2b2ae35c2b2ae35c2b2ae35c2b2ae35c2b2ae35","#,
    r#""sessionKeyNumber":2,"created":1764000000,"sessionKeyLastReset":1764000100}"#
);
const NEW_KEY: &str = "85ebca6b85ebca6b85ebca6b85ebca6b85ebca6b85ebca6b85ebca6b85ebca6b";
const NOW: f64 = 1_764_000_200.0;

fn records(criterion: &mut Criterion) {
    criterion.bench_function("session/read", |bench| {
        bench.iter(|| Session::read(black_box(SESSION)));
    });
    criterion.bench_function("account/read", |bench| {
        bench.iter(|| Account::read(black_box(ACCOUNT)));
    });
    let both = Session::read(SESSION).zip(Account::read(ACCOUNT));
    criterion.bench_function("session/at, ended by a reset", |bench| {
        bench.iter(|| {
            let (session, account) = black_box(&both).as_ref()?;
            session.at(black_box(NOW), account, None)
        });
    });
    criterion.bench_function("reset", |bench| {
        bench.iter(|| reset::reset(black_box(ACCOUNT), black_box(NEW_KEY), black_box(NOW)));
    });
    let newer = reset::reset(ACCOUNT, NEW_KEY, NOW).map(|reset| reset.text).unwrap_or_default();
    criterion.bench_function("stale/account, with the maximum of retired values", |bench| {
        let retired = [[7; 8]; stale::REMEMBERED];
        bench.iter(|| stale::reconcile(Kind::Account, black_box(ACCOUNT), &newer, &retired));
    });
    criterion.bench_function("stale/session", |bench| {
        bench.iter(|| stale::reconcile(Kind::Session, black_box(SESSION), SESSION, &[]));
    });
    let secret = Secret::new(&[7; 32], &[7; 16]);
    let sealed = cipher::encrypt_record(ACCOUNT.into(), secret.as_ref());
    criterion.bench_function("cipher/encrypt an account", |bench| {
        bench.iter(|| cipher::encrypt_record(black_box(ACCOUNT).into(), secret.as_ref()));
    });
    criterion.bench_function("cipher/decrypt an account", |bench| {
        bench.iter(|| cipher::decrypt_record(black_box(&sealed), secret.as_ref()));
    });
}

fn keys(criterion: &mut Criterion) {
    let name = b"dashboard/session/session_85ebca6b";
    criterion.bench_function("key/record", |bench| {
        bench.iter(|| Key::record(black_box(name)));
    });
    criterion.bench_function("key/record, hashed because it is long", |bench| {
        let long = [b'a'; 1_000];
        bench.iter(|| Key::record(black_box(&long)));
    });
    criterion.bench_function("key/kind of a record", |bench| {
        bench.iter(|| Kind::of(black_box(name)));
    });
    let key = Key::record(name);
    let id = ChunkId { commit_number: 7, ordinal: 0 };
    let contents = SESSION.as_bytes().into();
    let stored = value::encode(&key, &contents, id).head;
    criterion.bench_function("value/encode a session", |bench| {
        bench.iter(|| value::encode(&key, black_box(&contents), id).head);
    });
    criterion.bench_function("value/decode a session", |bench| {
        bench.iter(|| value::decode(key.encoded(), black_box(&stored)).is_some());
    });
}

/// Measures the keys that a page of a list computes: from an item to its place, and from a key back to its number.
fn lists(criterion: &mut Criterion) {
    let path = ListPath::new(b"dashboard/account/sessions/account_c2b2ae35");
    criterion.bench_function("list/item", |bench| {
        bench.iter(|| path.item(black_box(500_000)));
    });
    criterion.bench_function("list/tally", |bench| {
        bench.iter(|| path.tally(black_box(7)));
    });
    criterion.bench_function("list/position", |bench| {
        bench.iter(|| path.position(black_box(b"session_85ebca6b")));
    });
    criterion.bench_function("list/number of an item", |bench| {
        let item = path.item(500_000);
        bench.iter(|| Key::number(black_box(item.encoded())));
    });
}

criterion_group!(benches, records, keys, lists);
criterion_main!(benches);
