//! A reader of JSON objects in the form that `JSON.stringify` gives the records of Dashboard: no white space, no escapes,
//! no nested values, whole numbers. It copies nothing, and takes less time than a complete parser. Any other text is left
//! to that parser.

/// Calls `member` with the name and the value of each member, as they are in `text`. Returns `None` if the text has
/// another form; it may be valid JSON nevertheless, and `member` may have been called.
#[must_use]
pub fn read<'a>(text: &'a str, mut member: impl FnMut(&'a str, &'a str)) -> Option<()> {
    // As one pass without an early end the compiler makes it a vector operation.
    let others = text.bytes().fold(0, |found, byte| found | u8::from(byte < b' ' || byte == b'\\'));
    let mut rest = text.strip_prefix('{').filter(|_| others == 0)?;
    if rest == "}" {
        return Some(());
    }
    loop {
        let (name, after) = string(rest)?;
        let (value, after) = value(after.strip_prefix(':')?)?;
        member(name, value);
        if after == "}" {
            return Some(());
        }
        rest = after.strip_prefix(',')?;
    }
}

/// Splits a text behind the value that it begins with.
fn value(text: &str) -> Option<(&str, &str)> {
    if text.starts_with('"') {
        return string(text);
    }
    let end = text.bytes().position(|byte| matches!(byte, b',' | b'}'))?;
    let (value, rest) = text.split_at_checked(end)?;
    (matches!(value, "true" | "false" | "null") || is_whole(value)).then_some((value, rest))
}

/// Splits a text behind the string that it begins with. The text has no escapes and no control characters.
fn string(text: &str) -> Option<(&str, &str)> {
    let end = text.strip_prefix('"')?.find('"')?;
    text.split_at_checked(end + 2)
}

fn is_whole(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number && (digits == "0" || !digits.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::value::RawValue;
    use std::collections::BTreeMap;

    fn members(text: &str) -> Option<Vec<(&str, &str)>> {
        let mut members = Vec::new();
        read(text, |name, value| members.push((name, value))).map(|()| members)
    }

    #[test]
    fn the_members_are_slices_of_the_text() {
        let text = r#"{"a":"é,}","":-12,"b":true,"a":null}"#;
        let expected =
            vec![("\"a\"", "\"é,}\""), ("\"\"", "-12"), ("\"b\"", "true"), ("\"a\"", "null")];
        assert_eq!(members(text), Some(expected));
        assert_eq!(members("{}"), Some(Vec::new()));
    }

    #[test]
    fn other_forms_are_left_to_the_parser() {
        for text in [
            r#"{"a": 1}"#,
            r#"{"a":1} "#,
            r#"{"a":"\n"}"#,
            "{\"a\":\"\n\"}",
            r#"{"a":{}}"#,
            r#"{"a":[1]}"#,
            r#"{"a":1.5}"#,
            r#"{"a":01}"#,
            r#"{"a":-}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{,"a":1}"#,
            r#"{"a"}"#,
            r#"{"a":1"#,
            r#"{"a":1}}"#,
            "{",
            "",
            "1",
        ] {
            assert_eq!(members(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_the_parser_reads(
            parts in proptest::collection::vec(r#"[{}:,"\[\]\\ ae0-2.-]|"a":|"b":"x",|true|null|"[a\x00\x{e9}]*""#, 0..12),
            is_wrapped in any::<bool>(),
        ) {
            let text = parts.concat();
            let text = if is_wrapped { format!("{{{text}}}") } else { text };
            if let Some(members) = members(&text) {
                let parsed: BTreeMap<String, &RawValue> = serde_json::from_str(&text).unwrap();
                let names: BTreeMap<String, &str> = members
                    .into_iter()
                    .map(|(name, value)| (serde_json::from_str(name).unwrap(), value))
                    .collect();
                let parsed: BTreeMap<_, _> =
                    parsed.into_iter().map(|(name, value)| (name, value.get())).collect();
                prop_assert_eq!(names, parsed);
            }
        }
    }
}
