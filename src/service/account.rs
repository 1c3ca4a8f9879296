//! Dashboard's `global.api.administrator.Account`.

use super::lookup::Source;
use super::record_key;
use crate::record::cipher::{self, Secret};
use crate::record::{account, Kind};

/// Returns the account as JSON without its secrets. Returns `None` where JavaScript has to compute the answer.
pub fn get<S: Source>(
    source: &S,
    appid: &[u8],
    accountid: &[u8],
    secret: Option<&Secret>,
) -> Result<Option<String>, S::Failure> {
    let contents = source.read(&record_key(appid, Kind::Account, accountid))?;
    Ok(contents.and_then(|contents| account::redacted(&cipher::decrypt_record(&contents, secret))))
}
