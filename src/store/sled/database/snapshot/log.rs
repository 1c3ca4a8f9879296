//! Messages of sled's log.
//!
//! ```text
//! log      = segments of 512 KiB, in any order, each with its own position in the sequence of all that was ever written
//! segment  = checksum u32 | position | durable position | messages
//! message  = checksum u32 | kind u8 | length | number of the segment | page | body      the numbers as in `pages`
//! ```

use crate::store::sled::database::snapshot::pages::{take, take_number, Changes, Place};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;

/// Size of a segment. sled cannot change it once a log exists.
pub const SEGMENT_BYTES: u64 = 512 << 10;
const SEGMENT: usize = 512 << 10;
const SEGMENT_HEADER: usize = 20;
/// Bytes at the end of a segment in which no message begins.
const SEGMENT_REST: usize = 32;

const CANCELED: u8 = 1;
const CAP: u8 = 2;
const BATCH: u8 = 3;
const FREE: u8 = 4;
const COUNTER: u8 = 5;
const META: u8 = 6;
const NODE: u8 = 8;
const LINK: u8 = 10;

/// A log that is read while sled writes it.
pub struct Reading<'a> {
    file: &'a File,
    begin: u64,
    /// Position of the segment up to which it was read. Everything before it is durable.
    pub end: u64,
    /// The messages that were read.
    pub changes: Changes,
    /// Position and offset of the segments with a message that is damaged, or was being written over.
    doubtful: Vec<(u64, u64)>,
    /// Position of the end of the last batch.
    batch_end: u64,
}

/// Offsets in the file by position, and the position up to which all is durable.
type Segments = (BTreeMap<u64, u64>, u64);

struct Header {
    position: u64,
    durable: u64,
}

impl<'a> Reading<'a> {
    /// Starts to read `file` at the position `begin`.
    pub fn new(file: &'a File, begin: u64) -> Self {
        let (changes, doubtful, batch_end) = Default::default();
        Self { file, begin, end: begin, changes, doubtful, batch_end }
    }

    /// Reads everything that is durable now. Returns `false` if `goes_on` does.
    pub fn read_on(&mut self, goes_on: &dyn Fn() -> bool) -> io::Result<bool> {
        let Some((_, durable)) = self.find_segments(goes_on)? else { return Ok(false) };
        // Another look: a segment before `durable` may have been written where the first look had already been.
        let Some((segments, _)) = self.find_segments(goes_on)? else { return Ok(false) };
        let from = self.end;
        self.end = from.max(durable / SEGMENT_BYTES * SEGMENT_BYTES);
        let mut segment = vec![0; SEGMENT];
        for (start, offset) in segments {
            if start + SEGMENT_BYTES <= from || start >= self.end {
                continue;
            }
            if !goes_on() {
                return Ok(false);
            }
            if read_at(self.file, &mut segment, offset)? == SEGMENT
                && Header::decode(&segment).is_some_and(|header| header.position == start)
                && self.read_segment(&segment, start, offset).is_none()
            {
                self.doubtful.push((start, offset));
            }
        }
        self.forget_written_over()?;
        Ok(true)
    }

    /// Returns whether nothing is missing up to the end. The pages up to number `known` are known from before.
    pub fn is_complete(&self, known: u64) -> bool {
        self.doubtful.is_empty() && self.batch_end < self.end && self.changes.has_all_from(known)
    }

    /// Returns the offsets in the file by position, and the position up to which all is durable. Returns `None` if
    /// `goes_on` returns `false`.
    fn find_segments(&self, goes_on: &dyn Fn() -> bool) -> io::Result<Option<Segments>> {
        let mut segments = BTreeMap::new();
        let mut durable = 0;
        for number in 0..self.file.metadata()?.len() / SEGMENT_BYTES {
            #[cfg(test)]
            hook::run(number);
            if !goes_on() {
                return Ok(None);
            }
            let mut header = [0; SEGMENT_HEADER];
            let offset = number * SEGMENT_BYTES;
            read_at(self.file, &mut header, offset)?;
            if let Some(header) = Header::decode(&header) {
                durable = durable.max(header.durable);
                segments.insert(header.position, offset);
            }
        }
        Ok(Some((segments, durable)))
    }

    /// A segment that has a new position now was empty before.
    fn forget_written_over(&mut self) -> io::Result<()> {
        for (start, offset) in std::mem::take(&mut self.doubtful) {
            let mut header = [0; SEGMENT_HEADER];
            read_at(self.file, &mut header, offset)?;
            if Header::decode(&header).is_some_and(|header| header.position == start) {
                self.doubtful.push((start, offset));
            }
        }
        Ok(())
    }

    /// Returns `None` if a message is damaged, or is written over at the moment.
    fn read_segment(&mut self, segment: &[u8], start: u64, offset: u64) -> Option<()> {
        let mut at = SEGMENT_HEADER;
        while at + SEGMENT_REST <= segment.len() {
            let message = Message::decode(segment.get(at..)?)?;
            if message.segment_number != start / SEGMENT_BYTES {
                return None;
            }
            let size = message.size as u64;
            let place = Place { position: start + at as u64, offset: offset + at as u64, size };
            at += message.size;
            if message.kind == CAP {
                break;
            }
            if place.position < self.begin {
                continue;
            }
            match message.kind {
                CANCELED => {}
                // sled undoes a batch whose end is missing.
                BATCH => self.batch_end = u64::from_le_bytes(message.body.try_into().ok()?),
                FREE => self.changes.free(message.page, place),
                COUNTER | META | NODE => self.changes.replace(message.page, place),
                LINK => self.changes.link(message.page, place),
                // Values beside the log, which this store never makes, or a damaged kind.
                _ => return None,
            }
        }
        Some(())
    }
}

impl Header {
    /// Returns `None` if the segment was never used, or if its header is damaged.
    fn decode(mut bytes: &[u8]) -> Option<Self> {
        let expected = !u32::from_le_bytes(*take(&mut bytes)?);
        if crc32fast::hash(bytes.get(..16)?) != expected {
            return None;
        }
        // sled flips the bits, so that a position is never all zeros.
        let mut number = || {
            let flipped = i64::from_le_bytes(*take(&mut bytes)?) ^ i64::MAX;
            u64::try_from(flipped).ok()
        };
        Some(Self { position: number()?, durable: number().unwrap_or(0) })
    }
}

struct Message<'a> {
    kind: u8,
    segment_number: u64,
    page: u64,
    body: &'a [u8],
    /// Number of bytes in the log, header included.
    size: usize,
}

impl<'a> Message<'a> {
    fn decode(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = bytes;
        let expected = !u32::from_le_bytes(*take(&mut rest)?);
        let [kind] = *take(&mut rest)?;
        let length = usize::try_from(take_number(&mut rest)?).ok()?;
        let segment_number = take_number(&mut rest)?;
        let page = take_number(&mut rest)?;
        let header = bytes.len() - rest.len();
        let body = rest.get(..length)?;
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(body);
        checksum.update(bytes.get(4..header)?);
        let message = Self { kind, segment_number, page, body, size: header + length };
        (checksum.finalize() == expected).then_some(message)
    }
}

/// Reads until `buffer` is full or the file ends, and returns the number of bytes.
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut read = 0;
    while let Some(rest @ [_, ..]) = buffer.get_mut(read..) {
        match file.read_at(rest, offset + read as u64) {
            Ok(0) => break,
            Ok(bytes) => read += bytes,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// Lets a test change the log while it is read.
#[cfg(test)]
pub mod hook {
    use std::cell::RefCell;

    type Hook = (u64, Box<dyn FnOnce()>);

    thread_local! {
        /// Runs before the header of the segment with this number is read, once.
        pub static BEFORE_HEADER: RefCell<Option<Hook>> = RefCell::default();
    }

    pub fn run(number: u64) {
        let due = BEFORE_HEADER.with_borrow_mut(|hook| hook.take_if(|(at, _)| *at == number));
        if let Some((_, run)) = due {
            run();
        }
    }
}
