//! Properties of a record, as Dashboard's `StorageObject` sets and removes them.

use super::json::{self, Object};

/// A change of some properties of a record.
#[derive(Clone, Debug)]
pub struct Edit {
    /// A JSON object of the properties to set.
    pub set: String,
    /// The names of the properties to remove, each as a JSON string.
    pub remove: Vec<String>,
}

/// Returns the text of a record after `edit`. Returns `None` if the record is not an object, or the edit is invalid.
#[must_use]
pub fn apply(text: &str, edit: &Edit) -> Option<String> {
    let mut object = Object::parse(text)?;
    object.remove_all(&edit.remove);
    object.set_all(Object::parse(&edit.set)?);
    Some(object.text())
}

/// Returns `value + 1` as JavaScript computes it, as JSON. An array or an object counts as missing; no account has one.
pub(super) fn plus_one(value: Option<&str>) -> String {
    match value {
        Some("null" | "false") => "1".into(),
        Some("true") => "2".into(),
        Some(text) if text.starts_with('"') => {
            let mut text = text.to_string();
            text.insert(text.len() - 1, '1');
            text
        }
        Some(number) => json::print_number(json::number(number).map_or(f64::NAN, |n| n + 1.0)),
        None => json::print_number(f64::NAN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_set_in_place_or_at_the_end() {
        let cases = [
            (r"{}", r#"{"a":1}"#, vec![], Some(r#"{"a":1}"#)),
            (r#"{"a":1,"b":2}"#, r#"{"a":3,"c":4}"#, vec![], Some(r#"{"a":3,"b":2,"c":4}"#)),
            (r#"{"a":1,"b":2}"#, r"{}", vec![r#""a""#, r#""x""#], Some(r#"{"b":2}"#)),
            (r#"{"\"":1}"#, r"{}", vec![r#""\u0022""#], Some(r"{}")),
            (r#"{"\ud800":1,"\ufffd":2}"#, r"{}", vec![r#""\ud800""#], Some(r#"{"\ufffd":2}"#)),
            (r"[]", r#"{"a":1}"#, vec![], None),
            (r"text", r#"{"a":1}"#, vec![], None),
        ];
        for (text, set, remove, expected) in cases {
            let remove = remove.into_iter().map(Into::into).collect();
            let edit = Edit { set: set.into(), remove };
            assert_eq!(apply(text, &edit).as_deref(), expected, "{text} {edit:?}");
        }
    }

    #[test]
    fn plus_one_is_computed_as_in_javascript() {
        let cases = [
            (Some("1"), "2"),
            (Some("-0"), "1"),
            (Some("1.5"), "2.5"),
            (Some("1e21"), "1e+21"),
            (Some("1e999"), "null"),
            (Some("9007199254740992"), "9007199254740992"),
            (Some("null"), "1"),
            (Some("true"), "2"),
            (Some("false"), "1"),
            (Some("\"\""), "\"1\""),
            (Some("\"5\""), "\"51\""),
            (Some("[1]"), "null"),
            (Some("{}"), "null"),
            (None, "null"),
        ];
        for (value, expected) in cases {
            assert_eq!(plus_one(value), expected, "{value:?}");
        }
    }
}
