//! The families and labels by which [Sloth](https://github.com/slok/sloth) v0.16.0 records objectives, as its
//! `pkg/common/conventions` names them. Dashboards that were made for Sloth read these.

/// Share of events that failed; the name ends in the length of the window, as Prometheus writes a duration (`4w`).
pub const ERROR_RATIO: &str = "slo:sli_error:ratio_rate";
/// The target, as a ratio.
pub const OBJECTIVE_RATIO: &str = "slo:objective:ratio";
/// The share of events that may fail.
pub const ERROR_BUDGET: &str = "slo:error_budget:ratio";
/// Days of the objective's window.
pub const PERIOD_DAYS: &str = "slo:time_period:days";
/// How many times faster than allowed the budget is spent now.
pub const CURRENT_BURN_RATE: &str = "slo:current_burn_rate:ratio";
/// How many times faster than allowed the budget was spent over the objective's window.
pub const PERIOD_BURN_RATE: &str = "slo:period_burn_rate:ratio";
/// Share of the error budget that is left.
pub const BUDGET_REMAINING: &str = "slo:period_error_budget_remaining:ratio";
/// 1, with labels that tell of the objective.
pub const INFO: &str = "sloth_slo_info";

/// Every family, without the length of a window.
pub const FAMILIES: &[&str] = &[
    ERROR_RATIO,
    OBJECTIVE_RATIO,
    ERROR_BUDGET,
    PERIOD_DAYS,
    CURRENT_BURN_RATE,
    PERIOD_BURN_RATE,
    BUDGET_REMAINING,
    INFO,
];

/// Identifies an objective among all.
pub const ID: &str = "sloth_id";
/// The service that an objective belongs to.
pub const SERVICE: &str = "sloth_service";
/// The objective's name within its service.
pub const SLO: &str = "sloth_slo";
/// The length of a window, on every family that is computed over one.
pub const WINDOW: &str = "sloth_window";
/// On alerts: [`SEVERITY_PAGE`] or [`SEVERITY_TICKET`].
pub const SEVERITY: &str = "sloth_severity";
/// An alert that somebody must see at once.
pub const SEVERITY_PAGE: &str = "page";
/// An alert that can wait for working hours.
pub const SEVERITY_TICKET: &str = "ticket";
/// On [`INFO`]: what made the rules.
pub const MODE: &str = "sloth_mode";
/// On [`INFO`]: the version of Sloth whose names these are.
pub const VERSION: &str = "sloth_version";
/// On [`INFO`]: the kind of file in which the objective was written.
pub const SPEC: &str = "sloth_spec";
/// On [`INFO`]: the target in percent.
pub const OBJECTIVE: &str = "sloth_objective";
/// The version of Sloth whose names these are.
pub const NAMES_OF_VERSION: &str = "v0.16.0";

/// Minutes and spelling of the windows that Sloth records for every objective, whatever the length of its period.
pub const WINDOWS: [(u32, &str); 7] = [
    (5, "5m"),
    (30, "30m"),
    (60, "1h"),
    (120, "2h"),
    (360, "6h"),
    (1_440, "1d"),
    (4_320, "3d"),
];
