//! What kind of trouble an alert tells of, how urgent it is, and which source systems had it.

/// What kind of trouble: the value of the label `family`, by which Alertmanager may route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertFamily {
    /// The API does not answer.
    Availability,
    /// It answers with errors.
    Errors,
    /// It answers late.
    Latency,
    /// It runs out of something.
    Saturation,
}

impl AlertFamily {
    /// Every family, in the order of rule groups.
    pub const ALL: &'static [Self] = &[Self::Availability, Self::Errors, Self::Latency, Self::Saturation];

    /// The label's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Availability => "availability",
            Self::Errors => "errors",
            Self::Latency => "latency",
            Self::Saturation => "saturation",
        }
    }
}

/// How urgent: the default value of the label `severity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Users are hurt now; someone must look at once.
    Critical,
    /// It will hurt, or hurts few; look within the day.
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

/// One of the five systems whose alerts these continue (`docs/reference` names them).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceSystem {
    /// The system with twelve alerting rules.
    S0,
    /// The products API with its own controller.
    S1,
    /// The instrumentator's guide.
    S2,
    /// The compute service.
    S3,
    /// The users API with the eight-panel dashboard.
    S4,
}
