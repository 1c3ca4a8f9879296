//! Dashboard's `global.api.administrator.Account`.

use super::{record_key, with_read, Found, Give, Lookup};
use crate::record::account::Account;
use crate::record::cipher::Secret;
use crate::store::Result;

/// Passes the account to `give` as JSON without its secrets.
pub fn get(
    lookup: &Lookup,
    appid: &[u8],
    accountid: &[u8],
    secret: Option<&Secret>,
    give: &mut Give,
) -> Result<Found> {
    let Some(account) = lookup(&record_key(appid, "account", accountid))? else {
        return Ok(Found::NotCached);
    };
    Ok(Found::answered_if(account.and_then(|account| {
        with_read(&account, secret, Account::read, |account| {
            give(&account.redacted);
            Some(())
        })
    })))
}
