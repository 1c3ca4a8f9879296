//! Properties of a record, as Dashboard's `StorageObject` sets and removes them.

use super::json::Object;

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
}
