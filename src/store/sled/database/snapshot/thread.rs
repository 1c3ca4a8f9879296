//! The thread that writes snapshots while the store is used.

use crate::store::sled::database::release::Held;
use crate::store::sled::database::snapshot::{advance, Schedule};
use crate::store::sled::database::thread_priority::lower_thread_priority;
use std::sync::Arc;
use std::thread::Builder;

/// Counts a change of `bytes`, and starts to write a snapshot on a thread of its own if one is due. The thread ends soon
/// after `schedule` is stopped.
/// Errors are ignored, because the last snapshot stays: the next open takes longer, and nothing else changes.
pub fn begin_if_due(held: &Arc<Held>, schedule: &Arc<Schedule>, bytes: usize) {
    let Some(disk) = held.disk() else { return };
    if !schedule.add(bytes) {
        return;
    }
    let (own, own_schedule) = (Arc::clone(held), Arc::clone(schedule));
    let work = move || {
        lower_thread_priority();
        if let Some(disk) = own.disk() {
            let _ = advance(disk.folder(), &|| !own_schedule.is_stopped());
            own_schedule.start_again(disk.folder());
        }
    };
    let begun = Builder::new().name("dashboard-sled snapshot".into()).spawn(work);
    if begun.is_err() {
        schedule.start_again(disk.folder());
    }
}
