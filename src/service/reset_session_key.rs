//! Dashboard's `global.api.administrator.ResetSessionKey`.

use super::record_name;
use crate::record::cipher::{self, Secret};
use crate::record::reset::{self, Refusal, Reset};
use crate::store::{Change, Edited, Record, Result, Store, StoreError};
use std::sync::{Arc, OnceLock};

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
    let answer = Arc::new(OnceLock::new());
    let given = Arc::clone(&answer);
    let opened_with = secret.clone();
    let change = Change::Update {
        record: Record::new(&record_name(appid, "account", accountid)),
        edit: Box::new(move |stored| {
            let secret = opened_with.as_ref();
            let text = stored.map(|stored| cipher::decrypt_record(stored, secret));
            let text = text.ok_or(StoreError::Refused("invalid-accountid"))?;
            let Reset { text, redacted, retires } = reset::reset(&text, &session_key, now)?;
            // Never set before: an edit is called once.
            let _ = given.set(redacted);
            let contents = cipher::encrypt_record(text, secret).into();
            Ok(Some(Edited { contents, retires: Some(retires) }))
        }),
        size: 0,
        secret,
    };
    let done = move |result: Result<()>| {
        completion(result.map(|()| answer.get().cloned().unwrap_or_default()));
    };
    store.submit(vec![change], Box::new(done));
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(match refusal {
            Refusal::InvalidAccountid => "invalid-accountid",
            Refusal::InvalidAccount => "invalid-account",
        })
    }
}
