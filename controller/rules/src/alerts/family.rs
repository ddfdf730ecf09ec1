//! The kind of trouble that an alert reports, and which source systems have an alert for it.

/// The kind of trouble: the value of the label `family`, by which Alertmanager can route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertFamily {
    /// The API does not answer.
    Availability,
    /// It answers with errors.
    Errors,
    /// It answers too slowly.
    Latency,
    /// It runs out of a resource.
    Saturation,
    /// It gets much less or much more traffic than usual.
    Traffic,
    /// Its cache does not help.
    Cache,
    /// Its metrics cannot be read, or soon not any more.
    Scrape,
    /// It uses up its error budget.
    Objectives,
}

impl AlertFamily {
    /// Every family, in the order of rule groups.
    pub const ALL: &'static [Self] = &[
        Self::Availability,
        Self::Errors,
        Self::Latency,
        Self::Saturation,
        Self::Traffic,
        Self::Cache,
        Self::Scrape,
        Self::Objectives,
    ];

    /// The label's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Availability => "availability",
            Self::Errors => "errors",
            Self::Latency => "latency",
            Self::Saturation => "saturation",
            Self::Traffic => "traffic",
            Self::Cache => "cache",
            Self::Scrape => "scrape",
            Self::Objectives => "objectives",
        }
    }
}

/// One of the five systems that this project replaces. They have no public names: `s0` to `s4` are also the names of
/// their dialects.
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
