//! Dashboard's `global.api.administrator.Account`.

use super::lookup::Source;
use super::{parsed, record_key};
use crate::record::account::Account;
use crate::record::cipher::Secret;
use crate::record::Kind;
use std::sync::Arc;

/// Returns the account as JSON without its secrets. Returns `None` where JavaScript has to compute the answer.
pub fn get<S: Source>(
    source: &S,
    appid: &[u8],
    accountid: &[u8],
    secret: Option<&Secret>,
) -> Result<Option<Arc<str>>, S::Failure> {
    let Some(contents) = source.read(&record_key(appid, Kind::Account, accountid))? else {
        return Ok(None);
    };
    let account = parsed(&contents, secret, Account::read);
    Ok(account.map(|account| Arc::clone(&account.redacted)))
}
