//! Changes of lists, made in the overlay of a transaction.

use crate::store::error::Result;
use crate::store::key::ListPath;
use crate::store::sled::commit::overlay::Overlay;
use crate::store::sled::format::value::damaged;
use crate::store::sled::read::list::{BlockCounts, Head, BLOCK, SEGMENT};

/// Adds `item` as the newest. An item that the list has already keeps its place.
pub fn add(overlay: &mut Overlay, path: &ListPath, item: &[u8]) -> Result<()> {
    let position = path.position(item);
    if overlay.get(&position)?.is_some() {
        return Ok(());
    }
    let mut head = Head::read(path, overlay.get(&path.head())?.as_deref())?;
    let sequence = head.next;
    if sequence % BLOCK == 0 && head.newest > 0 {
        let full = u16::try_from(head.newest).map_err(|_| damaged(&path.head()))?;
        tally(overlay, path, head.last(), |_| full)?;
        head.newest = 0;
    }
    head.count += 1;
    head.next += 1;
    head.newest += 1;
    head.changed_in = overlay.commit_number();
    overlay.put(position, sequence.to_be_bytes().as_slice().into());
    overlay.put_first(path.item(sequence), item.into());
    overlay.put(path.head(), head.contents());
    Ok(())
}

/// Removes `item` if the list has it.
pub fn discard(overlay: &mut Overlay, path: &ListPath, item: &[u8]) -> Result<()> {
    let position = path.position(item);
    let Some(sequence) = overlay.get(&position)? else {
        return Ok(());
    };
    let sequence = sequence.as_ref().try_into().map_err(|_| damaged(&position))?;
    let sequence = u64::from_be_bytes(sequence);
    let mut head = Head::read(path, overlay.get(&path.head())?.as_deref())?;
    head.count = head.count.saturating_sub(1);
    head.changed_in = overlay.commit_number();
    if head.is_in_newest_block(sequence) {
        head.newest = head.newest.saturating_sub(1);
    } else {
        tally(overlay, path, sequence, |count| count.saturating_sub(1))?;
    }
    overlay.remove(position);
    overlay.remove(path.item(sequence));
    if head.count == 0 {
        overlay.remove(path.head());
    } else {
        overlay.put(path.head(), head.contents());
    }
    Ok(())
}

fn tally(
    overlay: &mut Overlay,
    path: &ListPath,
    sequence: u64,
    change: impl FnOnce(u16) -> u16,
) -> Result<()> {
    let segment = sequence / SEGMENT;
    let key = path.tally(segment);
    let mut tally = BlockCounts::read(path, segment, overlay.get(&key)?.as_deref())?;
    tally.change(sequence, change);
    if tally.is_empty() {
        overlay.remove(key);
    } else {
        overlay.put(key, tally.contents());
    }
    Ok(())
}
