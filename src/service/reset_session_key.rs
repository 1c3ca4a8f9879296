//! Dashboard's `global.api.administrator.ResetSessionKey`.

use super::record_name;
use crate::record::cipher::{self, Secret};
use crate::record::reset::{self, Refusal, Reset};
use crate::store::{Edited, Outcome, Record, Result, Store, StoreError};

/// Ends all sessions of an account, as one atomic change. `completion` gets the account as JSON without its secrets
/// once the change is durable.
pub fn patch(
    store: &Store,
    appid: &[u8],
    accountid: &[u8],
    now: f64,
    session_key: String,
    secret: Option<Secret>,
    completion: impl FnOnce(Result<String>) + Send + 'static,
) {
    let record = Record::new(&record_name(appid, "account", accountid));
    let opened_with = secret.clone();
    let edit = move |stored: Option<&[u8]>| {
        let secret = opened_with.as_ref();
        let text = stored.map(|stored| cipher::decrypt_record(stored, secret));
        let text = text.ok_or(StoreError::Refused("invalid-accountid"))?;
        let Reset { text, redacted, retires } = reset::reset(&text, &session_key, now)?;
        let contents = cipher::encrypt_record(text, secret).into();
        Ok(Outcome { edited: Some(Edited { contents, retires: Some(retires) }), value: redacted })
    };
    store.update(record, secret, 0, edit, completion);
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(match refusal {
            Refusal::InvalidAccountid => "invalid-accountid",
            Refusal::InvalidAccount => "invalid-account",
        })
    }
}
