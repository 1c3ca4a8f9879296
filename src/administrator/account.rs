//! `global.api.administrator.Account` of the host.

use super::{record_key, with_read, Answer, Lookup};
use crate::record::account::Account;
use crate::record::cipher::Secret;
use crate::store::Result;

/// Gives the account as JSON without its secrets.
pub fn get<T>(
    lookup: impl Lookup,
    appid: &[u8],
    accountid: &[u8],
    secret: Option<&Secret>,
    give: impl FnOnce(&str) -> T,
) -> Result<Answer<T>> {
    let Some(found) = lookup(&record_key(appid, "account", accountid))? else {
        return Ok(None);
    };
    Ok(Some(found.and_then(|contents| {
        with_read(&contents, secret, Account::read, |account| Some(give(&account.redacted)))
    })))
}
