//! The use cases, named as the host names them. They compute on text; JavaScript parses it, so that
//! an object is exactly what `JSON.parse` makes of it.
//!
//! A use case handles what Dashboard writes itself. What is odd (a missing or differently typed
//! property, text that is no JSON) it leaves to JavaScript, whose coercions the host relies on.

pub mod account;
pub mod end_sessions;
pub mod purge;
pub mod recovery;
pub mod reset_session_key;
pub mod session;
pub mod session_lists;
pub mod usage;

use crate::record::cipher::{self, Secret};
use crate::store::{Contents, Key, Result};
use std::any::Any;

/// What stands at a key, if it is known: looks in memory alone, or on the disk as well.
pub type Lookup<'a> = dyn Fn(&Key) -> Result<Option<Option<Contents>>> + 'a;

/// Takes the answer, which is JSON.
pub type Give<'a> = dyn FnMut(&str) + 'a;

/// What became of a look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The answer was given.
    Answered,
    /// It is left to JavaScript.
    NeedsJavaScript,
    /// It is not in memory.
    NotCached,
}

impl Found {
    fn answered_if(answer: Option<()>) -> Self {
        answer.map_or(Self::NeedsJavaScript, |()| Self::Answered)
    }
}

/// What was read from a record, and under which secret.
struct Read<T> {
    secret: Option<Secret>,
    read: Option<T>,
}

/// Hands what `read` makes of the text in `contents` to `use_it`. It is kept beside the contents for
/// the next time, which usually has the same secret.
fn with_read<T: Any + Send + Sync, R>(
    contents: &Contents,
    secret: Option<&Secret>,
    read: impl Fn(&str) -> Option<T>,
    use_it: impl FnOnce(&T) -> Option<R>,
) -> Option<R> {
    let make = |bytes: &[u8]| read(&cipher::decrypt_record(bytes, secret));
    let kept = contents.derived(|bytes| Read { secret: secret.cloned(), read: make(bytes) });
    match kept {
        Some(kept) if kept.secret.as_ref() == secret => kept.read.as_ref().and_then(use_it),
        _ => make(contents).as_ref().and_then(use_it),
    }
}

/// The host's key of a record: `<appid>/account/<id>`, `<appid>/session/<id>`.
fn record_name(appid: &[u8], folder: &str, id: &[u8]) -> Vec<u8> {
    [appid, b"/", folder.as_bytes(), b"/", id].concat()
}

fn record_key(appid: &[u8], folder: &str, id: &[u8]) -> Key {
    Key::record(&record_name(appid, folder, id))
}
