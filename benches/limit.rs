//! Measures the bare cost of a durable commit: one batch, sled's `flush()`, `fdatasync` of its log, and a write of the
//! guard file, repeated on one thread with an unmodified sled.
//!
//! `limit <folder> <milliseconds> <records in a batch>` prints one line of JSON, times in microseconds.

use std::error::Error;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

const ACCOUNTS: u64 = 2_000;
/// Size of a Dashboard account in bytes.
const ACCOUNT_BYTES: usize = 450;
const GUARD_BYTES: usize = 49;
const GUARD_SYNC: Duration = Duration::from_secs(1);
const PAGE_CACHE_BYTES: u64 = 32 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds the flag `--bench`.
    let args: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let folder = args.first().map_or_else(|| PathBuf::from("target/bench/limit"), PathBuf::from);
    let limit = Duration::from_millis(args.get(1).map_or(Ok(1_000), |text| text.parse())?);
    let width: u64 = args.get(2).map_or(Ok(1), |text| text.parse())?;

    std::fs::create_dir_all(&folder)?;
    let sled_folder = folder.join("sled");
    let database = sled::Config::new()
        .path(&sled_folder)
        .mode(sled::Mode::LowSpace)
        .flush_every_ms(Some(500))
        .cache_capacity(PAGE_CACHE_BYTES)
        .use_compression(false)
        .open()?;
    let log = File::open(sled_folder.join("db"))?;
    let mut guard = File::create(folder.join("guard"))?;

    for number in 0..ACCOUNTS {
        database.insert(key(number), account(0))?;
    }
    database.flush()?;
    log.sync_data()?;

    let (mut syncs, mut commits) = (Vec::new(), Vec::new());
    let started = Instant::now();
    let mut guarded = started;
    let mut sequence = 0;
    while started.elapsed() < limit {
        let begun = Instant::now();
        let mut batch = sled::Batch::default();
        for _ in 0..width {
            sequence += 1;
            batch.insert(key(sequence * 7_919 % ACCOUNTS).as_slice(), account(sequence));
        }
        batch.insert(b"applied", sequence.to_be_bytes().as_slice());
        database.apply_batch(batch)?;
        let applied = Instant::now();
        database.flush()?;
        log.sync_data()?;
        syncs.push(applied.elapsed());
        guard.seek(SeekFrom::Start(sequence % 2 * 4_096))?;
        guard.write_all(&[0; GUARD_BYTES])?;
        commits.push(begun.elapsed());
        if guarded.elapsed() >= GUARD_SYNC {
            guard.sync_data()?;
            guarded = Instant::now();
        }
    }
    let report = serde_json::json!({
        "calls": sequence,
        "flushAndSync": median(&mut syncs),
        "commit": median(&mut commits),
        "perSecond": precise(sequence) / started.elapsed().as_secs_f64(),
    });
    println!("{report}");
    Ok(())
}

fn key(number: u64) -> Vec<u8> {
    format!("dashboard/account/account_{number:08x}").into_bytes()
}

/// Returns a different text for each number, because sled does not write a value that is already stored.
fn account(sequence: u64) -> Vec<u8> {
    format!("{sequence:0ACCOUNT_BYTES$}").into_bytes()
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
}

fn precise(number: u64) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}
