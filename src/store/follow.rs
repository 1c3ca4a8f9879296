//! A hint for a look-up that reads a record and then another one that the first names.

/// How a record names another one that the same look-up reads next. An engine may read both at once. It is a hint: the
/// look-up reads the second record itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follow {
    /// The beginning of the second record's name.
    pub prefix: Vec<u8>,
    /// The property of the first record with the rest of the name.
    pub property: &'static str,
}
