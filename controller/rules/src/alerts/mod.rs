//! The alerts.

use crate::{AlertSettings, ApiFacts, FieldError, RuleSet};

/// Everything in the settings that cannot be used, whatever the API's dialect.
#[must_use]
pub fn check_overrides(_settings: &AlertSettings) -> Vec<FieldError> {
    Vec::new()
}

/// The rules of one API.
///
/// # Errors
/// Everything in the settings that cannot be used.
pub fn build_rules(_api: &ApiFacts<'_>, settings: &AlertSettings) -> Result<RuleSet, Vec<FieldError>> {
    let errors = check_overrides(settings);
    if errors.is_empty() {
        Ok(RuleSet {
            groups: Vec::new(),
            left_out: Vec::new(),
        })
    } else {
        Err(errors)
    }
}
