//! The values that calls return to JavaScript.

use super::handle::NativeStore;
use super::hex_key::to_hex;
use crate::service::session;
use crate::store::{wtf8, Contents, Findings, Lease, Parts, Records};
use napi::bindgen_prelude::{BufferSlice, JsObjectValue, Null, Object, ToNapiValue};
use napi::{check_status, sys, Env, JsValue, Result};
use std::ptr;

/// A result on its way to JavaScript.
pub enum Answer {
    /// `undefined`: no value.
    Undefined,
    /// `null`: memory does not hold the answer.
    NotCached,
    /// `false`: JavaScript has to compute the answer.
    NeedsJavaScript,
    /// A boolean.
    Flag(bool),
    /// A number of items.
    Count(u64),
    /// A record as text, or undefined.
    Text(Option<Contents>),
    /// JSON text.
    Json(String),
    /// The JSON text of a session, and the versions of the records that it depends on.
    Session(session::Found),
    /// A record as a Buffer, or undefined.
    Bytes(Option<Contents>),
    /// Records as text, in the order in which they were asked for.
    Texts(Vec<Option<Contents>>),
    /// Items of a list.
    Items(Vec<Contents>),
    /// A page of records by key, and the damaged ones.
    Records(Records),
    /// A page of parts of lists, and the damage in them.
    Parts(Parts),
    /// A store that was opened.
    Opened(Lease),
}

impl ToNapiValue for Answer {
    unsafe fn to_napi_value(env: sys::napi_env, answer: Self) -> Result<sys::napi_value> {
        match answer {
            Answer::Undefined | Answer::Bytes(None) => value(env, ()),
            Answer::NotCached => value(env, Null),
            Answer::NeedsJavaScript => value(env, false),
            Answer::Flag(flag) => value(env, flag),
            #[expect(clippy::cast_precision_loss, reason = "no list has 2^53 items")]
            Answer::Count(count) => value(env, count as f64),
            Answer::Json(json) => text(env, json.as_bytes()),
            Answer::Session(found) => {
                let versions =
                    [found.session_version, found.account_version, found.application_version];
                let json = text(env, found.json.as_bytes())?;
                #[expect(clippy::cast_precision_loss, reason = "versions stay below 2^53")]
                let [session, account, application] = versions.map(|version| version as f64);
                let elements =
                    [json, value(env, session)?, value(env, account)?, value(env, application)?];
                array(env, &elements, |element| Ok(*element))
            }
            Answer::Text(contents) => text_or_undefined(env, contents.as_deref()),
            Answer::Bytes(Some(contents)) => buffer(env, &contents),
            Answer::Texts(records) => {
                array(env, &records, |record| text_or_undefined(env, record.as_deref()))
            }
            Answer::Items(items) => array(env, &items, |item| name(env, item)),
            Answer::Records(page) => {
                let records = array(env, &page.records, |(key, contents)| {
                    let key = name(env, key.name().unwrap_or_default())?;
                    object(env, &[("record", key), ("contents", buffer(env, contents)?)])
                })?;
                let damaged = findings(env, &page.damaged)?;
                let next = value(env, page.next.map(|key| to_hex(key.encoded())))?;
                object(env, &[("records", records), ("damaged", damaged), ("next", next)])
            }
            Answer::Parts(page) => {
                let parts = array(env, &page.parts, |part| {
                    let path = name(env, &part.path)?;
                    let items = array(env, &part.items, |item| name(env, item))?;
                    #[expect(clippy::cast_precision_loss, reason = "no list has had 2^53 items")]
                    let last = value(env, part.last as f64)?;
                    object(env, &[("list", path), ("items", items), ("last", last)])
                })?;
                let damaged = findings(env, &page.damaged)?;
                let is_end = value(env, page.is_end)?;
                object(env, &[("parts", parts), ("damaged", damaged), ("isEnd", is_end)])
            }
            Answer::Opened(lease) => value(env, NativeStore::new(lease)),
        }
    }
}

fn findings(env: sys::napi_env, findings: &Findings) -> Result<sys::napi_value> {
    let described = array(env, &findings.described, |one| text(env, one.as_bytes()))?;
    #[expect(clippy::cast_precision_loss, reason = "no store has 2^53 keys")]
    let number = value(env, findings.number as f64)?;
    object(env, &[("number", number), ("described", described)])
}

fn value(env: sys::napi_env, from: impl ToNapiValue) -> Result<sys::napi_value> {
    // SAFETY: `env` is the environment that this call runs in.
    unsafe { ToNapiValue::to_napi_value(env, from) }
}

fn text_or_undefined(env: sys::napi_env, contents: Option<&[u8]>) -> Result<sys::napi_value> {
    match contents {
        Some(contents) => text(env, contents),
        None => value(env, ()),
    }
}

/// Makes a string of UTF-8. Invalid bytes become U+FFFD, as in `Buffer.toString`.
pub fn text(env: sys::napi_env, contents: &[u8]) -> Result<sys::napi_value> {
    let mut string = ptr::null_mut();
    let length = contents.len().cast_signed();
    let start = contents.as_ptr().cast();
    // SAFETY: `start` and `length` describe `contents`. ASCII is also Latin-1, so it needs no conversion.
    check_status!(unsafe {
        if contents.is_ascii() {
            sys::napi_create_string_latin1(env, start, length, &raw mut string)
        } else {
            sys::napi_create_string_utf8(env, start, length, &raw mut string)
        }
    })?;
    Ok(string)
}

/// Returns the string that a name was made from.
fn name(env: sys::napi_env, bytes: &[u8]) -> Result<sys::napi_value> {
    if std::str::from_utf8(bytes).is_ok() {
        return text(env, bytes);
    }
    let units = wtf8::decode(bytes);
    let mut string = ptr::null_mut();
    // SAFETY: the pointer and the length describe `units`.
    check_status!(unsafe {
        sys::napi_create_string_utf16(
            env,
            units.as_ptr(),
            units.len().cast_signed(),
            &raw mut string,
        )
    })?;
    Ok(string)
}

fn buffer(env: sys::napi_env, contents: &[u8]) -> Result<sys::napi_value> {
    value(env, &BufferSlice::copy_from(&Env::from_raw(env), contents)?)
}

fn object(env: sys::napi_env, properties: &[(&str, sys::napi_value)]) -> Result<sys::napi_value> {
    let mut object = Object::new(&Env::from_raw(env))?;
    for (name, value) in properties {
        object.set_named_property(name, Object::from_raw(env, *value))?;
    }
    Ok(object.raw())
}

fn array<T>(
    env: sys::napi_env,
    values: &[T],
    to_value: impl Fn(&T) -> Result<sys::napi_value>,
) -> Result<sys::napi_value> {
    let length = u32::try_from(values.len())
        .map_err(|error| napi::Error::new(napi::Status::GenericFailure, error.to_string()))?;
    let mut array = ptr::null_mut();
    // SAFETY: `env` is the environment that this call runs in.
    check_status!(unsafe {
        sys::napi_create_array_with_length(env, values.len(), &raw mut array)
    })?;
    for (index, value) in (0..length).zip(values) {
        let element = to_value(value)?;
        // SAFETY: both values were just made in `env`.
        check_status!(unsafe { sys::napi_set_element(env, array, index, element) })?;
    }
    Ok(array)
}
