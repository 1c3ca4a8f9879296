//! The places of pages in sled's log, as a snapshot has them, and the changes in them.
//!
//! ```text
//! snapshot = end + 1 (i64) | number 0 | pages, in the order of their numbers | length u64 | checksum u32
//! page     = 0 u8 | position | kind u8 | offset                                  a free page
//!          | count u8 | count times: position | kind u8 | offset | size          the page, and the changes of it
//! position = i64, all little-endian
//! offset, size = numbers of variable length: up to 240 as one byte, up to 67,823 as two or three, larger ones as a
//!          byte that tells how many bytes follow
//! ```

use crc32fast::Hasher;
use std::collections::HashMap;
use std::io::{self, Write};

/// Kind of a place in the log itself.
const INLINE: u8 = 0;
/// Largest size of a place in a snapshot, in bytes: the position, the kind, and two numbers.
const MOST_PLACE_BYTES: usize = 8 + 1 + 9 + 9;
/// Number of pages that are written before `goes_on` is asked again.
const PAGES: u64 = 4096;

/// Place of a message in the log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Position in the sequence of everything that was ever written.
    pub position: u64,
    /// Offset in the file.
    pub offset: u64,
    /// Size of the message, in bytes. Not stored for a free page.
    pub size: u64,
}

#[derive(Clone, Debug, PartialEq)]
enum Page {
    Free(Place),
    Present(Vec<Place>),
}

/// Changes that the log makes in the pages, by their numbers.
#[derive(Default)]
pub struct Changes(HashMap<u64, Change>);

#[derive(Default)]
struct Change {
    /// The page, if it was written anew or freed.
    page: Option<Page>,
    /// Changes of the page in the snapshot, if it was not.
    links: Vec<Place>,
}

impl Changes {
    /// Records that a page was freed.
    pub fn free(&mut self, page: u64, place: Place) {
        self.0.insert(page, Change { page: Some(Page::Free(place)), links: Vec::new() });
    }

    /// Records that a page was written anew.
    pub fn replace(&mut self, page: u64, place: Place) {
        self.0.insert(page, Change { page: Some(Page::Present(vec![place])), links: Vec::new() });
    }

    /// Records a change of a page. A free page does not change: that is the rest of a page that was written elsewhere.
    pub fn link(&mut self, page: u64, place: Place) {
        let change = self.0.entry(page).or_default();
        match &mut change.page {
            Some(Page::Present(places)) => places.push(place),
            Some(Page::Free(_)) => {}
            None => change.links.push(place),
        }
    }

    /// Returns the most bytes that the changes add to a snapshot.
    pub fn size(&self) -> usize {
        let places = |change: &Change| match &change.page {
            Some(Page::Present(places)) => places.len(),
            Some(Page::Free(_)) => 1,
            None => change.links.len(),
        };
        self.0.values().map(|change| 1 + places(change) * MOST_PLACE_BYTES).sum()
    }

    /// Returns the page after the changes, or `None` if it does not exist.
    fn apply(&self, number: u64, before: Option<Page>) -> Option<Page> {
        let Some(change) = self.0.get(&number) else {
            return before;
        };
        if change.page.is_some() {
            return change.page.clone();
        }
        match before {
            Some(Page::Present(mut places)) => {
                places.extend(&change.links);
                Some(Page::Present(places))
            }
            other => other,
        }
    }

    /// Returns whether every page from number `known` on is there.
    pub fn has_all_from(&self, known: u64) -> bool {
        let new = || self.0.iter().filter(move |(number, _)| **number >= known);
        let end = new().map(|(number, _)| number + 1).max().unwrap_or(known);
        new().filter(|(_, change)| change.page.is_some()).count() as u64 == end - known
    }

    /// Returns the number of the last page, plus 1.
    fn end(&self) -> u64 {
        self.0.keys().map(|number| number + 1).max().unwrap_or(0)
    }
}

/// A snapshot that was read.
#[derive(Default)]
pub struct Snapshot {
    /// Position in the log at which it ends.
    pub end: u64,
    pages: Vec<u8>,
    count: u64,
}

impl Snapshot {
    /// Decodes a file; `None` if it is damaged.
    pub fn decode(mut bytes: Vec<u8>) -> Option<Self> {
        let (rest, checksum) = bytes.split_last_chunk()?;
        let (rest, length) = rest.split_last_chunk()?;
        let is_right = u64::from_le_bytes(*length) == rest.len() as u64
            && u32::from_le_bytes(*checksum) == crc32fast::hash(rest);
        let mut pages = rest;
        let end = u64::try_from(i64::from_le_bytes(*take(&mut pages)?)).ok()?.checked_sub(1)?;
        take_number(&mut pages)?;
        let (first, last) = (rest.len() - pages.len(), rest.len());
        let mut count = 0;
        while !pages.is_empty() {
            take_page(&mut pages)?;
            count += 1;
        }
        bytes.truncate(last);
        bytes.drain(..first);
        is_right.then_some(Self { end, pages: bytes, count })
    }

    /// Returns the number of pages.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the size in bytes.
    pub fn size(&self) -> usize {
        self.pages.len()
    }

    /// Writes the snapshot after `changes`, which ends at `end`. Returns `false` if a page is missing or has too many
    /// changes, or if `goes_on` does.
    pub fn write_with(
        &self,
        changes: &Changes,
        end: u64,
        to: &mut impl Write,
        goes_on: &dyn Fn() -> bool,
    ) -> io::Result<bool> {
        let mut rest = self.pages.as_slice();
        let mut encoded = Vec::new();
        encoded.extend((end + 1).to_le_bytes());
        // The segment in which sled goes on is another one.
        put_number(&mut encoded, 0);
        let (mut checksum, mut length) = (Hasher::new(), 0);
        for number in 0..self.count.max(changes.end()) {
            let before = if rest.is_empty() { None } else { take_page(&mut rest) };
            match changes.apply(number, before) {
                Some(page) if put_page(&mut encoded, &page).is_some() => {}
                _ => return Ok(false),
            }
            if (number + 1) % PAGES == 0 {
                if !goes_on() {
                    return Ok(false);
                }
                checksum.update(&encoded);
                length += encoded.len() as u64;
                to.write_all(&encoded)?;
                encoded.clear();
            }
        }
        checksum.update(&encoded);
        length += encoded.len() as u64;
        encoded.extend(length.to_le_bytes());
        encoded.extend(checksum.finalize().to_le_bytes());
        to.write_all(&encoded)?;
        Ok(true)
    }
}

fn take_page(bytes: &mut &[u8]) -> Option<Page> {
    let [count] = *take(bytes)?;
    if count == 0 {
        return Some(Page::Free(take_place(bytes, false)?));
    }
    (0..count).map(|_| take_place(bytes, true)).collect::<Option<_>>().map(Page::Present)
}

fn take_place(bytes: &mut &[u8], has_size: bool) -> Option<Place> {
    let position = u64::try_from(i64::from_le_bytes(*take(bytes)?)).ok()?;
    let [kind] = *take(bytes)?;
    let offset = take_number(bytes)?;
    let size = if has_size { take_number(bytes)? } else { 0 };
    (kind == INLINE).then_some(Place { position, offset, size })
}

fn put_page(bytes: &mut Vec<u8>, page: &Page) -> Option<()> {
    match page {
        Page::Free(place) => {
            bytes.push(0);
            put_place(bytes, place);
        }
        Page::Present(places) => {
            bytes.push(u8::try_from(places.len()).ok()?);
            for place in places {
                put_place(bytes, place);
                put_number(bytes, place.size);
            }
        }
    }
    Some(())
}

fn put_place(bytes: &mut Vec<u8>, place: &Place) {
    bytes.extend(place.position.to_le_bytes());
    bytes.push(INLINE);
    put_number(bytes, place.offset);
}

/// Takes the first `N` bytes.
pub fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(first)
}

/// Takes a number of variable length.
pub fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let [first] = *take(bytes)?;
    Some(match first {
        0..=240 => first.into(),
        241..=248 => {
            let [low] = *take(bytes)?;
            240 + 256 * (u64::from(first) - 241) + u64::from(low)
        }
        249 => {
            let [high, low] = *take(bytes)?;
            2288 + 256 * u64::from(high) + u64::from(low)
        }
        _ => {
            let (number, rest) = bytes.split_at_checked(usize::from(first) - 247)?;
            *bytes = rest;
            let mut padded = [0; 8];
            padded.get_mut(..number.len())?.copy_from_slice(number);
            u64::from_le_bytes(padded)
        }
    })
}

#[expect(clippy::cast_possible_truncation, reason = "each byte is what the ranges leave of it")]
fn put_number(bytes: &mut Vec<u8>, number: u64) {
    match number {
        0..=240 => bytes.push(number as u8),
        241..=2287 => {
            bytes.extend([((number - 240) / 256 + 241) as u8, ((number - 240) % 256) as u8]);
        }
        2288..=67_823 => {
            bytes.extend([249, ((number - 2288) / 256) as u8, ((number - 2288) % 256) as u8]);
        }
        _ => {
            let length = 8 - (number.leading_zeros() / 8) as usize;
            bytes.push(247 + length as u8);
            bytes.extend(number.to_le_bytes().iter().take(length));
        }
    }
}
