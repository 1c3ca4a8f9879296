//! Notices for the operator of a working store.

/// Something that an operator should know, although the store works.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Stable code for programs.
    pub code: &'static str,
    /// Text for people.
    pub text: String,
}

impl Notice {
    /// Returns the notice about a repair that an open has made.
    #[must_use]
    pub fn repaired(text: String) -> Self {
        Self { code: "DASHBOARD_SLED_REPAIRED", text }
    }
}
