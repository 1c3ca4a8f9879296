//! What an operator is told about a store that works.

/// Something that an operator should know, though the store works.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Stable, for programs.
    pub code: &'static str,
    /// For people.
    pub text: String,
}

impl Notice {
    /// What an open has repaired by itself.
    #[must_use]
    pub fn repaired(text: String) -> Self {
        Self { code: "DASHBOARD_SLED_REPAIRED", text }
    }
}
