//! A write over an account or a session: when the rule about stale writes applies, and when it cannot.
//!
//! Dashboard has one secret at a time. An encrypted record can therefore be unreadable only if the secret is missing or
//! another one ("locked"). A write with a locked text on either side cannot be compared and might undo anything, so it
//! is refused:
//!
//! | stored | new | |
//! |---|---|---|
//! | an account, in plain text or under the secret | an account | the rule applies; the same for sessions |
//! | an account or a session, or locked | locked | refused |
//! | locked | an account or a session | refused |
//! | anything | anything else | stored as it is: it signs nobody in |

use super::cipher::{self, Secret};
use super::json::Object;
use super::stale::{self, Fingerprint, Outcome};
use super::Kind;
use std::borrow::Cow;

/// One of the two texts is encrypted under another secret than Dashboard's.
#[derive(Debug, PartialEq)]
pub struct Locked;

/// Returns the outcome of writing `new` over `stored`. `None` means that `new` is written as it is and the retired
/// values are forgotten.
pub fn write_over(
    kind: Kind,
    stored: &[u8],
    new: &[u8],
    retired: &[Fingerprint],
    secret: Option<&Secret>,
) -> Result<Option<Outcome>, Locked> {
    let texts = (cipher::decrypt_record(stored, secret), cipher::decrypt_record(new, secret));
    if let Some(outcome) = stale::reconcile(kind, &texts.0, &texts.1, retired) {
        return Ok(Some(outcome));
    }
    let readings =
        (Reading::of(kind, stored, texts.0, secret), Reading::of(kind, new, texts.1, secret));
    match readings {
        (Reading::Record(stored), Reading::Record(new)) => {
            Ok(stale::reconcile(kind, &stored, &new, retired))
        }
        (Reading::Record(_) | Reading::Locked, Reading::Locked)
        | (Reading::Locked, Reading::Record(_)) => Err(Locked),
        _ => Ok(None),
    }
}

/// Bytes at the key of an account or a session.
#[derive(PartialEq)]
pub(super) enum Reading<'a> {
    /// The record that the key says.
    Record(Cow<'a, str>),
    /// Bytes that are encrypted under another secret.
    Locked,
    Other,
}

impl<'a> Reading<'a> {
    /// Reads bytes that are stored, or are to be written.
    pub fn new(kind: Kind, bytes: &'a [u8], secret: Option<&Secret>) -> Self {
        Self::of(kind, bytes, cipher::decrypt_record(bytes, secret), secret)
    }

    fn of(kind: Kind, bytes: &'a [u8], text: Cow<'a, str>, secret: Option<&Secret>) -> Self {
        // Of plain texts, Dashboard's decipher can read only those of odd length.
        for text in [text, cipher::decrypt_record(bytes, None)] {
            if Object::pick(&text, &["object"]).is_some_and(|object| object.is_a(kind.object())) {
                return Self::Record(text);
            }
        }
        if cipher::is_locked(bytes, secret) {
            Self::Locked
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_that_cannot_be_compared_are_refused() {
        let secret = Secret::new(&[7; 32], &[7; 16]);
        let other = Secret::new(&[8; 32], &[7; 16]);
        let account = |more: &str| format!(r#"{{"object":"account"{more}}}"#);
        let new = account(r#","sessionKey":"k1","sessionKeyNumber":1"#);
        let stored = account(r#","sessionKey":"k2","sessionKeyNumber":2"#);
        // One of them is a byte longer: Dashboard's decipher refuses only a text of odd length.
        let plain = [stored.clone(), account(r#","sessionKey":"k20","sessionKeyNumber":2"#)];
        let encrypt = |text: &str, secret: &Option<Secret>| {
            cipher::encrypt_record(text.into(), secret.as_ref())
        };
        let write = |stored: &[u8], new: &[u8], secret: &Option<Secret>| {
            write_over(Kind::Account, stored, new, &[], secret.as_ref())
        };
        for (stored_with, new_with, with, expected) in [
            (&None, &None, &None, Ok(true)),
            (&secret, &secret, &secret, Ok(true)),
            (&None, &secret, &secret, Ok(true)),
            (&secret, &None, &secret, Ok(true)),
            (&secret, &None, &None, Err(Locked)),
            (&secret, &secret, &None, Err(Locked)),
            (&None, &secret, &None, Err(Locked)),
            (&secret, &other, &other, Err(Locked)),
            (&other, &secret, &other, Err(Locked)),
            (&None, &other, &secret, Err(Locked)),
        ] {
            for stored in &plain {
                for new in [&new, &new.replace("k1", "k10")] {
                    let outcome =
                        write(&encrypt(stored, stored_with), &encrypt(new, new_with), with);
                    let rules = outcome.map(|outcome| outcome.is_some_and(|o| o.text.is_some()));
                    assert_eq!(rules, expected, "{stored_with:?} {new_with:?} {with:?}");
                }
            }
        }
        for (stored, new) in [
            (encrypt(&stored, &secret), b"text".to_vec()),
            (encrypt(&stored, &other), b"text".to_vec()),
            (encrypt(&stored, &secret), account("").replace("account", "profile").into_bytes()),
            (b"text".to_vec(), encrypt(&new, &other)),
            (b"0123456789abcdef".to_vec(), encrypt(&new, &secret)),
            (encrypt("a text of forty hexadecimal digits", &secret), encrypt(&new, &secret)),
        ] {
            assert_eq!(write(&stored, &new, &secret), Ok(None));
        }
    }
}
