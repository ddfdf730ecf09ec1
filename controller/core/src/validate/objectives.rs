//! What is promised of the API.

use controller_api::spec;
use controller_rules::{EventSelector, Objective, ObjectiveSettings, ObjectiveType, read_objectives};

use crate::violation::Violations;

pub(super) fn objectives(given: Option<&[spec::ObjectiveSpec]>, out: &mut Violations) -> Vec<Objective> {
    let settings: Vec<_> = given.unwrap_or_default().iter().map(settings).collect();
    let (objectives, errors) = read_objectives(&settings);
    for error in errors {
        out.add(format!("spec.objectives{}", error.path), error.message);
    }
    objectives
}

fn settings(given: &spec::ObjectiveSpec) -> ObjectiveSettings {
    // No `..`: a new field that is not read here must not compile.
    let spec::ObjectiveSpec {
        name,
        type_,
        target,
        window,
        selector,
        min_events_per_hour,
        threshold,
        errors,
        total,
    } = given;
    let spec::ObjectiveSelector { routes, methods } = selector.clone().unwrap_or_default();
    ObjectiveSettings {
        name: name.clone(),
        kind: match type_ {
            spec::ObjectiveType::Availability => ObjectiveType::Availability,
            spec::ObjectiveType::Latency => ObjectiveType::Latency,
            spec::ObjectiveType::Custom => ObjectiveType::Custom,
        },
        target: target.clone(),
        window: window.map(|window| window.as_str().to_owned()),
        selector: EventSelector {
            routes: routes.unwrap_or_default(),
            methods: methods.unwrap_or_default(),
        },
        // A number that does not fit is refused as 0 is.
        min_events_per_hour: min_events_per_hour.map(|events| u32::try_from(events).unwrap_or_default()),
        threshold: threshold.clone(),
        errors: errors.clone(),
        total: total.clone(),
    }
}
