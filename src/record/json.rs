//! JSON objects as slices of their text.
//!
//! Text that a rule does not touch stays as it was written, to the byte: numbers, escapes and unpaired surrogates are
//! never parsed and printed again. The order of the members stays as well.

use super::compact;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::fmt;

/// Number of members that memory is reserved for. Records of Dashboard have about ten.
const EXPECTED: usize = 16;

/// An object, cut into its members.
#[derive(Clone, Debug)]
pub struct Object<'a> {
    members: Vec<Member<'a>>,
}

#[derive(Clone, Debug)]
struct Member<'a> {
    /// The name with its quotes, as in the text.
    name: Cow<'a, str>,
    value: Cow<'a, str>,
}

impl<'a> Object<'a> {
    /// Parses `text`. Returns `None` unless it is one JSON object.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        Members { wanted: None }.parse(text)
    }

    /// Parses `text`, but keeps only the members with one of `names`; of repeated members it keeps the last. One pass
    /// and almost no memory, however many members there are.
    #[must_use]
    pub fn pick(text: &'a str, names: &[&str]) -> Option<Self> {
        Members { wanted: Some(names) }.parse(text)
    }

    /// Returns the JSON text of the member `name`. Of repeated members, the last counts, as in JavaScript.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.members.iter().rev().find(|member| member.is(name)).map(|member| &*member.value)
    }

    /// Returns whether the `object` property is `kind`, such as `account` or `session`.
    #[must_use]
    pub fn is_a(&self, object: &str) -> bool {
        self.get("object").is_some_and(|value| is_text(value, object))
    }

    /// Returns whether a member is repeated. JavaScript never writes such a text.
    #[must_use]
    pub fn repeats(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.members.iter().filter(|member| member.is(name)).count() > 1)
    }

    /// Sets `name`, which is not an array index, to the JSON text `value`: in place, or at the end, as in JavaScript.
    pub fn set(&mut self, name: &str, value: impl Into<Cow<'a, str>>) {
        let value = value.into();
        let mut is_set = false;
        self.members.retain_mut(|member| {
            if !member.is(name) {
                return true;
            }
            // Repeated members would override the new value.
            let is_first = !std::mem::replace(&mut is_set, true);
            if is_first {
                member.value.clone_from(&value);
            }
            is_first
        });
        if !is_set {
            self.members.push(Member { name: format!("\"{name}\"").into(), value });
        }
    }

    /// Removes the member `name`.
    pub fn remove(&mut self, name: &str) {
        self.members.retain(|member| !member.is(name));
    }

    /// Removes every member with one of `names`, each a JSON string.
    pub fn remove_all(&mut self, names: &[String]) {
        let names: HashSet<_> = names.iter().map(|name| unescaped(name)).collect();
        self.members.retain(|member| !names.contains(&unescaped(&member.name)));
    }

    /// Sets every member of `other`, in linear time. Of repeated members the last value counts, at the place of the
    /// first. Array indexes come first, as JavaScript prints them.
    pub fn set_all(&mut self, other: Object<'a>) {
        let mut places = HashMap::new();
        let mut members: Vec<Member> = Vec::with_capacity(self.members.len() + other.members.len());
        for member in self.members.drain(..).chain(other.members) {
            let name = match &member.name {
                Cow::Borrowed(name) => unescaped(name),
                Cow::Owned(name) => unescaped(name).into_owned().into(),
            };
            let place = *places.entry(name).or_insert(members.len());
            match members.get_mut(place) {
                Some(same) => same.value = member.value,
                None => members.push(member),
            }
        }
        members.sort_by_key(|member| array_index(&member.name).map_or((1, 0), |index| (0, index)));
        self.members = members;
    }

    /// Returns the text of the object.
    #[must_use]
    pub fn text(&self) -> String {
        let length = self.members.iter().map(|m| m.name.len() + m.value.len() + 2).sum::<usize>();
        let mut text = String::with_capacity(length + 2);
        text.push('{');
        for (index, member) in self.members.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(&member.name);
            text.push(':');
            text.push_str(&member.value);
        }
        text.push('}');
        text
    }
}

impl Member<'_> {
    fn is(&self, name: &str) -> bool {
        is_text(&self.name, name)
    }
}

/// Returns whether the JSON value is the string `text`, however it is escaped. Allocates nothing, because a text may
/// have millions of escaped names.
#[must_use]
pub fn is_text(json: &str, text: &str) -> bool {
    let Some(body) = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return false;
    };
    // An escape is longer than the character that it encodes.
    match body.len().cmp(&text.len()) {
        Ordering::Less => false,
        Ordering::Equal => body == text && !body.contains('\\'),
        Ordering::Greater => body.contains('\\') && is_escaped_text(body, text),
    }
}

fn is_escaped_text(mut body: &str, mut text: &str) -> bool {
    while let Some((plain, escape)) = body.split_once('\\') {
        let Some((character, rest)) = unescape(escape) else {
            return false;
        };
        match text.strip_prefix(plain).and_then(|text| text.strip_prefix(character)) {
            Some(remaining) => (body, text) = (rest, remaining),
            None => return false,
        }
    }
    body == text
}

/// Returns the character of the escape behind a backslash, and the text after it. Returns `None` for an unpaired
/// surrogate.
fn unescape(escape: &str) -> Option<(char, &str)> {
    let mut characters = escape.chars();
    let character = match characters.next()? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'u' => return unescape_unicode(characters.as_str()),
        other => other,
    };
    Some((character, characters.as_str()))
}

fn unescape_unicode(digits: &str) -> Option<(char, &str)> {
    let unit = |digits: &str| u16::from_str_radix(digits, 16).ok();
    let (first, rest) = digits.split_at_checked(4)?;
    let first = unit(first)?;
    if let Some(character) = char::from_u32(first.into()) {
        return Some((character, rest));
    }
    let (second, rest) = rest.strip_prefix("\\u")?.split_at_checked(4)?;
    let character = char::decode_utf16([first, unit(second)?]).next()?.ok()?;
    Some((character, rest))
}

/// Returns a JSON string without its escapes, and any other value unchanged. Unpaired surrogates stay escaped:
/// JavaScript escapes them in one way only.
#[must_use]
pub fn unescaped(json: &str) -> Cow<'_, str> {
    match plain_text(json) {
        Some(plain) => Cow::Borrowed(plain),
        None => serde_json::from_str::<String>(json).map_or(Cow::Borrowed(json), Cow::Owned),
    }
}

/// Returns the number of a property that is an array index. JavaScript prints these first, by number.
fn array_index(quoted: &str) -> Option<u32> {
    let name = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let canonical = name == "0" || !name.starts_with('0');
    let digits = name.bytes().all(|byte| byte.is_ascii_digit());
    (canonical && digits).then(|| name.parse().ok()).flatten().filter(|index| *index != u32::MAX)
}

/// Reads a JSON number. Returns `None` for any other value.
#[must_use]
pub fn number(json: &str) -> Option<f64> {
    json.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        .then(|| json.parse().ok())
        .flatten()
}

/// Reads a JSON string. Returns `None` for any other value.
#[must_use]
pub fn plain_text(json: &str) -> Option<&str> {
    json.strip_prefix('"')?.strip_suffix('"').filter(|text| !text.contains('\\'))
}

/// Returns whether JavaScript treats the JSON value as true.
#[must_use]
pub fn is_truthy(json: &str) -> bool {
    match json {
        "null" | "false" | "\"\"" => false,
        _ => number(json).is_none_or(|number| number != 0.0),
    }
}

/// Prints a number as `JSON.stringify` does.
#[must_use]
pub fn print_number(number: f64) -> String {
    if number.is_finite() {
        // JSON.stringify(-0) is 0.
        let number = if number == 0.0 { 0.0 } else { number };
        ryu_js::Buffer::new().format_finite(number).into()
    } else {
        "null".into()
    }
}

/// Which members to keep: all, or those with one of these names.
#[derive(Clone, Copy)]
struct Members<'n> {
    wanted: Option<&'n [&'n str]>,
}

impl Members<'_> {
    fn parse(self, text: &str) -> Option<Object<'_>> {
        let mut members = Vec::with_capacity(EXPECTED);
        if compact::read(text, |name, value| self.take(&mut members, name, value)).is_some() {
            return Some(Object { members });
        }
        drop(members); // They may be millions.
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let object = (&mut deserializer).deserialize_map(self).ok()?;
        deserializer.end().ok().map(|()| object)
    }

    /// Adds a member if it is wanted.
    fn take<'a>(self, members: &mut Vec<Member<'a>>, name: &'a str, value: &'a str) {
        if let Some(wanted) = self.wanted {
            let Some(wanted) = wanted.iter().find(|wanted| is_text(name, wanted)) else { return };
            if let Some(earlier) = members.iter_mut().find(|member| member.is(wanted)) {
                earlier.value = Cow::Borrowed(value);
                return;
            }
        }
        members.push(Member { name: Cow::Borrowed(name), value: Cow::Borrowed(value) });
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Object<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(EXPECTED);
        while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            self.take(&mut members, name.get(), value.get());
        }
        Ok(Object { members })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn untouched_text_stays_the_same_to_the_byte() {
        let text =
            r#"{"2":1e21,"a":-0,"b":1.50,"c":"\ud800","d":{"x" : [1, 2]},"\u0065":"é","f":""}"#;
        let mut object = Object::parse(text).unwrap();
        assert_eq!(object.text(), text);
        object.set("b", "2");
        object.remove("e");
        object.set("g", "null");
        let expected = r#"{"2":1e21,"a":-0,"b":2,"c":"\ud800","d":{"x" : [1, 2]},"f":"","g":null}"#;
        assert_eq!(object.text(), expected);
    }

    #[test]
    fn array_indexes_come_first_by_number() {
        let mut object = Object::parse(r#"{"2":0,"10":0,"a":0}"#).unwrap();
        object
            .set_all(Object::parse(r#"{"b":1,"3":1,"0":1,"01":1,"11":1,"4294967295":1}"#).unwrap());
        let expected = r#"{"0":1,"2":0,"3":1,"10":0,"11":1,"a":0,"b":1,"01":1,"4294967295":1}"#;
        assert_eq!(object.text(), expected);
    }

    #[test]
    fn the_last_of_repeated_members_counts_and_setting_it_removes_the_others() {
        let mut object = Object::parse(r#"{"a":1,"b":2,"\u0061":3}"#).unwrap();
        assert_eq!(object.get("a"), Some("3"));
        assert!(object.repeats(&["a"]));
        assert!(!object.repeats(&["b", "c"]));
        object.set("a", "4");
        assert_eq!(object.text(), r#"{"a":4,"b":2}"#);
    }

    #[test]
    fn picking_a_repeated_member_returns_the_last() {
        let text = r#"{"a":1,"b":2,"\u0061":3,"c":4,"a\n":5}"#;
        assert_eq!(Object::pick(text, &["a", "c", "d"]).unwrap().text(), r#"{"a":3,"c":4}"#);
        for text in ["[]", r#"{"a":1} {}"#, r#"{"a":1"#] {
            assert!(Object::pick(text, &["a"]).is_none(), "{text}");
        }
    }

    #[test]
    fn only_objects_are_parsed() {
        for text in
            ["", "1", "[]", "\"a\"", "null", "{", "{\"a\"}", "{\"a\":1,}", "{} {}", "{'a':1}"]
        {
            assert!(Object::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn truth_is_that_of_javascript() {
        for falsy in ["null", "false", "\"\"", "0", "-0", "0.0", "0e9"] {
            assert!(!is_truthy(falsy), "{falsy}");
        }
        for truthy in ["true", "\"0\"", "1", "-1", "0.1", "[]", "{}", "1e999"] {
            assert!(is_truthy(truthy), "{truthy}");
        }
    }

    #[test]
    fn numbers_print_as_in_javascript() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (1.5, "1.5"),
            (1e21, "1e+21"),
            (1e20, "100000000000000000000"),
            (1e-7, "1e-7"),
            (f64::NAN, "null"),
            (f64::INFINITY, "null"),
        ];
        for (number, text) in cases {
            assert_eq!(print_number(number), text);
        }
    }

    proptest! {
        #[test]
        fn an_escaped_text_is_what_the_parser_makes_of_it(
            body in r#"([ab\x{e9}]|\\[n"\\/bfrt]|\\u00[0-9a-f]{2}|\\u[dD][89abAB][0-9a-f]{2}|\\ud83d\\ude00){0,5}"#,
            other in "[ab\n\u{e9}]{0,3}",
        ) {
            let json = format!("\"{body}\"");
            match serde_json::from_str::<String>(&json) {
                Ok(text) => {
                    prop_assert!(is_text(&json, &text));
                    prop_assert_eq!(is_text(&json, &other), text == other);
                }
                // An unpaired surrogate, which a Rust string cannot hold.
                Err(_) => prop_assert!(!is_text(&json, &other)),
            }
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in ".{0,60}") {
            let _ = Object::parse(&text);
            let _ = (number(&text), plain_text(&text), is_truthy(&text), array_index(&text));
        }
    }
}
