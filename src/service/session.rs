//! Dashboard's `global.api.administrator.Session`.

use super::{record_key, with_read, Found, Give, Lookup};
use crate::record::account::Account;
use crate::record::cipher::Secret;
use crate::record::session::Session;
use crate::store::{Key, Result};

/// A parsed session, and the key of its account.
struct Owned {
    session: Session,
    account: Key,
}

/// Passes the session to `give` as JSON at `now` in seconds, without `tokenHash`, and with `ended` if the session is no
/// longer valid.
pub fn get(
    lookup: &Lookup,
    appid: &[u8],
    sessionid: &[u8],
    now: f64,
    secret: Option<&Secret>,
    give: &mut Give,
) -> Result<Found> {
    let Some(session) = lookup(&record_key(appid, "session", sessionid))? else {
        return Ok(Found::NotCached);
    };
    let Some(session) = session else {
        return Ok(Found::NeedsJavaScript);
    };
    let read = |text: &str| {
        let session = Session::read(text)?;
        let account = record_key(appid, "account", session.accountid.as_bytes());
        Some(Owned { session, account })
    };
    let Some(account) = with_read(&session, secret, read, |owned| Some(owned.account.clone()))
    else {
        return Ok(Found::NeedsJavaScript);
    };
    let Some(account) = lookup(&account)? else {
        return Ok(Found::NotCached);
    };
    Ok(Found::answered_if(account.and_then(|account| {
        with_read(&account, secret, Account::read, |account| {
            with_read(&session, secret, read, |owned| {
                owned.session.at(now, account).map(|text| give(&text))
            })
        })
    })))
}
