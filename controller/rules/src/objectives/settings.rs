//! From `spec.objectives`, as unchecked strings, to objectives. One pass names everything that cannot be used.

use std::collections::BTreeSet;

use super::counters::read_counters;
use crate::{
    CounterSum, EventSelector, FieldError, Objective, ObjectiveEvents, ObjectiveWindow,
    promql::{Decimal, PromDuration, check_pattern},
    settings::quoted,
};

/// The fewest events per hour for which an objective's alerts fire, unless a user sets another number.
pub const DEFAULT_MIN_EVENTS_PER_HOUR: u32 = 10;
/// Most digits after the point of a target.
const TARGET_DIGITS: usize = 4;

/// What kind of promise an objective is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectiveType {
    /// Requests are answered without a server error.
    Availability,
    /// Requests are answered within a time.
    Latency,
    /// Events that the API itself counts do not fail.
    Custom,
}

/// One entry of `spec.objectives`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectiveSettings {
    /// Its name.
    pub name: String,
    /// What kind of promise it is.
    pub kind: ObjectiveType,
    /// Percent, such as `99.9`.
    pub target: String,
    /// One of [`ObjectiveWindow::ALL`]. `None`: 28d.
    pub window: Option<String>,
    /// Which requests count.
    pub selector: EventSelector,
    /// `None`: [`DEFAULT_MIN_EVENTS_PER_HOUR`].
    pub min_events_per_hour: Option<u32>,
    /// The time of a latency objective, as a Prometheus duration.
    pub threshold: Option<String>,
    /// The failed events of a custom objective.
    pub errors: Option<String>,
    /// All events of a custom objective.
    pub total: Option<String>,
}

/// The objectives that can be used, and what is wrong with the others. Paths are relative to `spec.objectives`.
#[must_use]
pub fn read_objectives(settings: &[ObjectiveSettings]) -> (Vec<Objective>, Vec<FieldError>) {
    let mut names = BTreeSet::new();
    let mut objectives = Vec::new();
    let mut errors = Vec::new();
    for (index, given) in settings.iter().enumerate() {
        let mut reader = Reader {
            path: format!("[{index}]"),
            errors: &mut errors,
        };
        if !names.insert(&given.name) {
            let name = quoted(&given.name);
            reader.error(
                "name",
                format!("{name} is not a valid name of a second objective: use another name"),
            );
        }
        objectives.extend(reader.objective(given));
    }
    (objectives, errors)
}

struct Reader<'a> {
    path: String,
    errors: &'a mut Vec<FieldError>,
}

impl Reader<'_> {
    fn error(&mut self, field: &str, message: String) {
        self.errors.push(FieldError {
            path: format!("{}.{field}", self.path),
            message,
        });
    }

    fn objective(&mut self, given: &ObjectiveSettings) -> Option<Objective> {
        // No `..`: a new field that is not read here must not compile.
        let ObjectiveSettings {
            name,
            kind,
            target,
            window,
            selector,
            min_events_per_hour,
            threshold,
            errors,
            total,
        } = given;
        if !is_name(name) {
            self.error(
                "name",
                format!(
                    "{} is not a valid name: use at most 63 lower case letters, digits and hyphens, beginning with a letter and \
                     ending with a letter or digit, for example availability",
                    quoted(name)
                ),
            );
        }
        let target = self.target(target);
        let window = self.window(window.as_deref());
        self.selector(selector);
        let min_events_per_hour = min_events_per_hour.unwrap_or(DEFAULT_MIN_EVENTS_PER_HOUR);
        if min_events_per_hour == 0 {
            self.error(
                "minEventsPerHour",
                "0 is not a valid number of events: use 1 or more, for example 10".to_owned(),
            );
        }
        let threshold = self.threshold(*kind, threshold.as_deref());
        let errors = self.counters(
            *kind,
            "errors",
            "payments_total{result=\"declined\"}",
            errors.as_deref(),
        );
        let total = self.counters(*kind, "total", "payments_total", total.as_deref());
        if *kind == ObjectiveType::Custom && !selector.is_everything() {
            self.error(
                "selector",
                "is not for objectives of the type Custom: write matchers into errors and total".to_owned(),
            );
        }
        let events = match kind {
            ObjectiveType::Availability => Some(ObjectiveEvents::Availability),
            ObjectiveType::Latency => threshold.map(|threshold| ObjectiveEvents::Latency { threshold }),
            ObjectiveType::Custom => errors
                .zip(total)
                .map(|(errors, total)| ObjectiveEvents::Custom { errors, total }),
        };
        Some(Objective {
            name: name.clone(),
            events: events?,
            target: target?,
            window: window?,
            selector: selector.clone(),
            min_events_per_hour,
        })
    }

    fn target(&mut self, text: &str) -> Option<Decimal> {
        let digits = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let target = text.parse::<Decimal>().ok().filter(|target| {
            let below_hundred = Decimal::whole(100)
                .minus(*target)
                .is_some_and(|budget| budget != Decimal::ZERO);
            *target != Decimal::ZERO && below_hundred && digits <= TARGET_DIGITS
        });
        if target.is_none() {
            self.error(
                "target",
                format!(
                    "{} is not a valid percentage: use a number above 0 and below 100 with at most {TARGET_DIGITS} digits after \
                     the point, for example \"99.9\"",
                    quoted(text)
                ),
            );
        }
        target
    }

    fn window(&mut self, text: Option<&str>) -> Option<ObjectiveWindow> {
        let Some(text) = text else {
            return Some(ObjectiveWindow::default());
        };
        let window = ObjectiveWindow::ALL.iter().find(|window| window.as_str() == text);
        if window.is_none() {
            let all: Vec<_> = ObjectiveWindow::ALL.iter().map(|window| window.as_str()).collect();
            let message = format!("{} is not a valid window: use one of {}", quoted(text), all.join(", "));
            self.error("window", message);
        }
        window.copied()
    }

    fn selector(&mut self, EventSelector { routes, methods }: &EventSelector) {
        for (index, pattern) in routes.iter().enumerate() {
            let field = format!("selector.routes[{index}]");
            if pattern.is_empty() {
                self.error(&field, "is empty: remove it".to_owned());
            } else if let Err(error) = check_pattern(pattern) {
                let pattern = quoted(pattern);
                self.error(
                    &field,
                    format!(
                        "{pattern} is not a valid regular expression (RE2), because {error}: use one that Prometheus accepts, for \
                         example /orders/.*"
                    ),
                );
            }
        }
        for (index, method) in methods.iter().enumerate() {
            let upper = (1..=16).contains(&method.len()) && method.bytes().all(|byte| byte.is_ascii_uppercase());
            if !upper {
                let method = quoted(method);
                self.error(
                    &format!("selector.methods[{index}]"),
                    format!("{method} is not a valid method: use upper case letters, for example GET"),
                );
            }
        }
    }

    /// The threshold of a latency objective. `None`: there is none, or what is wrong with it was named.
    fn threshold(&mut self, kind: ObjectiveType, text: Option<&str>) -> Option<PromDuration> {
        match (kind, text) {
            (ObjectiveType::Availability | ObjectiveType::Custom, None) => None,
            (ObjectiveType::Availability | ObjectiveType::Custom, Some(_)) => {
                self.error(
                    "threshold",
                    "is for objectives of the type Latency: remove it, or use type: Latency".to_owned(),
                );
                None
            }
            (ObjectiveType::Latency, None) => {
                self.error(
                    "threshold",
                    "is missing: use the time within which requests must be answered, for example 300ms".to_owned(),
                );
                None
            }
            (ObjectiveType::Latency, Some(text)) => {
                let above_zero = |threshold: &PromDuration| threshold.millis() > 0;
                let threshold = PromDuration::parse_up_to_hours(text).ok().filter(above_zero);
                if threshold.is_none() {
                    let message = format!(
                        "{} is not a valid duration: use h, m, s and ms and more than 0, for example 300ms",
                        quoted(text)
                    );
                    self.error("threshold", message);
                }
                threshold
            }
        }
    }

    /// The counters of a custom objective. `None`: there are none, or what is wrong with them was named.
    fn counters(
        &mut self,
        kind: ObjectiveType,
        field: &'static str,
        example: &str,
        text: Option<&str>,
    ) -> Option<CounterSum> {
        match (kind, text) {
            (ObjectiveType::Availability | ObjectiveType::Latency, None) => None,
            (ObjectiveType::Availability | ObjectiveType::Latency, Some(_)) => {
                let message = "is for objectives of the type Custom: remove it, or use type: Custom";
                self.error(field, message.to_owned());
                None
            }
            (ObjectiveType::Custom, None) => {
                self.error(
                    field,
                    format!("is missing: use a counter of the API, for example {example}"),
                );
                None
            }
            (ObjectiveType::Custom, Some(text)) => match read_counters(text) {
                Ok(counters) => Some(counters),
                Err(error) => {
                    let text = quoted(text);
                    self.error(
                        field,
                        format!("{text} is not a valid query of counters, because {error}, for example {example}"),
                    );
                    None
                }
            },
        }
    }
}

fn is_name(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase();
    let inner = |byte: u8| letter(byte) || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().next().is_some_and(letter)
        && !text.ends_with('-')
        && text.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(change: impl FnOnce(&mut ObjectiveSettings)) -> ObjectiveSettings {
        let mut settings = ObjectiveSettings {
            name: "availability".to_owned(),
            kind: ObjectiveType::Availability,
            target: "99.9".to_owned(),
            window: None,
            selector: EventSelector::default(),
            min_events_per_hour: None,
            threshold: None,
            errors: None,
            total: None,
        };
        change(&mut settings);
        settings
    }

    fn told(settings: &[ObjectiveSettings]) -> Vec<String> {
        read_objectives(settings).1.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn fields_that_are_left_out_have_their_defaults() {
        let (objectives, errors) = read_objectives(&[given(|_| ())]);
        assert_eq!(errors, []);
        assert_eq!(objectives[0].window, ObjectiveWindow::Days28);
        assert_eq!(objectives[0].min_events_per_hour, 10);
        assert_eq!(objectives[0].budget().to_string(), "0.001");
    }

    #[test]
    fn a_target_is_a_percentage_that_leaves_a_budget() {
        for target in ["99.9", "99.9999", "50", "0.5", "99.90"] {
            assert_eq!(
                told(&[given(|given| given.target = target.to_owned())]),
                [""; 0],
                "{target}"
            );
        }
        for target in [
            "", "0", "0.0", "100", "100.0", "99.99999", "99,9", "99.9%", "-1", "101", "1e1", "NaN",
        ] {
            let told = told(&[given(|given| given.target = target.to_owned())]);
            assert!(
                told.len() == 1 && told[0].starts_with("[0].target: "),
                "{target}: {told:?}"
            );
        }
    }

    #[test]
    fn a_name_is_a_dns_label_that_begins_with_a_letter() {
        let long = ["a".repeat(63), "a".repeat(64)];
        for (name, is_good) in [
            ("a", true),
            ("a-1", true),
            (&long[0], true),
            (&long[1], false),
            ("", false),
            ("1a", false),
            ("-a", false),
            ("a-", false),
            ("a_b", false),
            ("aB", false),
        ] {
            let told = told(&[given(|given| given.name = name.to_owned())]);
            assert_eq!(told.is_empty(), is_good, "{name}: {told:?}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let wrong = given(|given| {
            given.name = "Availability!".to_owned();
            given.target = "100".to_owned();
            given.window = Some("8d".to_owned());
            given.selector.routes = vec![String::new(), "(".to_owned()];
            given.selector.methods = vec!["get".to_owned()];
            given.min_events_per_hour = Some(0);
            given.threshold = Some("300ms".to_owned());
        });
        let fields: Vec<_> = read_objectives(&[wrong.clone(), wrong])
            .1
            .into_iter()
            .map(|error| error.path)
            .collect();
        let of_one = |index: usize| {
            let fields = [
                "name",
                "target",
                "window",
                "selector.routes[0]",
                "selector.routes[1]",
                "selector.methods[0]",
                "minEventsPerHour",
                "threshold",
            ];
            fields.map(|field| format!("[{index}].{field}"))
        };
        let expected: Vec<_> = of_one(0)
            .into_iter()
            .chain(["[1].name".to_owned()])
            .chain(of_one(1))
            .collect();
        assert_eq!(fields, expected);
    }

    #[test]
    fn a_latency_objective_needs_a_threshold() {
        let latency = |threshold: Option<&str>| {
            told(&[given(|given| {
                given.kind = ObjectiveType::Latency;
                given.threshold = threshold.map(str::to_owned);
            })])
        };
        assert_eq!(latency(Some("300ms")), [""; 0]);
        for wrong in [None, Some("0s"), Some("0.3"), Some("fast"), Some("1d")] {
            assert!(latency(wrong)[0].starts_with("[0].threshold: "), "{wrong:?}");
        }
    }

    #[test]
    fn a_custom_objective_needs_its_counters_and_no_other_has_any() {
        let custom = |errors: Option<&str>, total: Option<&str>| {
            told(&[given(|given| {
                given.kind = ObjectiveType::Custom;
                given.errors = errors.map(str::to_owned);
                given.total = total.map(str::to_owned);
            })])
        };
        let good = "payments_total{result=\"declined\"}";
        assert_eq!(custom(Some(good), Some("payments_total")), [""; 0]);
        let missing = custom(None, None);
        assert!(missing[0].starts_with("[0].errors: is missing") && missing[1].starts_with("[0].total: is missing"));
        let wrong = custom(Some("rate(payments_total[5m])"), Some("payments_total"));
        assert!(
            wrong[0].starts_with("[0].errors: \"rate(payments_total[5m])\" is not"),
            "{wrong:?}"
        );
        let others = told(&[given(|given| given.errors = Some(good.to_owned()))]);
        assert_eq!(
            others,
            ["[0].errors: is for objectives of the type Custom: remove it, or use type: Custom"]
        );
        let selected = told(&[given(|given| {
            given.kind = ObjectiveType::Custom;
            given.errors = Some(good.to_owned());
            given.total = Some("payments_total".to_owned());
            given.selector.methods = vec!["GET".to_owned()];
        })]);
        assert!(selected[0].starts_with("[0].selector: "), "{selected:?}");
    }
}
