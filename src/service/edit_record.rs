//! Dashboard's `StorageObject`: properties of a record are set and removed as one change.

use crate::record::cipher::{self, Secret};
use crate::record::properties::{self, Edit};
use crate::store::{Change, Contents, Record, Result, StoreError};

/// Returns the change that applies `edit` to `record`. If there is no record, it is created when `creates` is set, else
/// nothing happens.
pub fn change(record: Record, edit: Edit, creates: bool, secret: Option<Secret>) -> Change {
    let size = edit.set.len() + edit.remove.iter().map(String::len).sum::<usize>();
    let opened_with = secret.clone();
    Change::update(record, secret, size, move |stored| {
        let contents = new_contents(stored, &edit, creates, opened_with.as_ref())?;
        Ok(contents.map(|contents| Contents::from(contents).into()))
    })
}

/// Returns the new contents of a record. Returns `None` if the record does not change.
fn new_contents(
    stored: Option<&[u8]>,
    edit: &Edit,
    creates: bool,
    secret: Option<&Secret>,
) -> Result<Option<Vec<u8>>> {
    let text = match stored {
        // To Dashboard an empty record is a missing one.
        None | Some([]) if creates => "{}".into(),
        None | Some([]) => return Ok(None),
        Some(stored) => cipher::decrypt_record(stored, secret),
    };
    let text = properties::apply(&text, edit).ok_or(StoreError::Refused("invalid-object"))?;
    Ok(Some(cipher::encrypt_record(text, secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> Edit {
        Edit { set: text.into(), remove: Vec::new() }
    }

    #[test]
    fn a_missing_or_empty_record_is_created_or_left_alone() {
        for stored in [None, Some(b"".as_slice())] {
            let created = new_contents(stored, &set(r#"{"a":1}"#), true, None).unwrap();
            assert_eq!(created.as_deref(), Some(br#"{"a":1}"#.as_slice()));
            assert_eq!(new_contents(stored, &set(r#"{"a":1}"#), false, None).unwrap(), None);
        }
    }

    #[test]
    fn an_encrypted_record_stays_encrypted() {
        let secret = Secret::new(&[1; 32], &[2; 16]).unwrap();
        let edit = Edit { set: r#"{"b":2}"#.into(), remove: vec![r#""a""#.into()] };
        let stored = secret.encrypt(r#"{"a":1}"#);
        let contents = new_contents(Some(&stored), &edit, false, Some(&secret)).unwrap();
        assert_eq!(contents, Some(secret.encrypt(r#"{"b":2}"#)));
    }

    #[test]
    fn text_that_is_not_an_object_is_refused() {
        let error = new_contents(Some(b"[]"), &set(r#"{"a":1}"#), true, None).unwrap_err();
        assert_eq!(error.slug(), "invalid-object");
    }
}
