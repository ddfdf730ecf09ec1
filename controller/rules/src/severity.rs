//! How urgent an alert is.

/// How urgent an alert is: the default value of the label `severity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Users are affected now; someone must look at once.
    Critical,
    /// Few users are affected, or none yet; look within the day.
    Warning,
}

impl Severity {
    /// The label's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
        }
    }
}
