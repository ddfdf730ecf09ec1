//! The check `object-size`.

use super::{check::Check, finding::Mistake};

/// Most bytes of the rules of one object, as JSON. etcd takes 1.5 MiB, and the API server keeps an object several times.
const MAX_RULES_BYTES: usize = 512 * 1024;
/// Most bytes of a dashboard. A ConfigMap takes 1 MiB, and Grafana draws a larger dashboard slowly.
const MAX_DASHBOARD_BYTES: usize = 200 * 1024;

/// Checks the size of the rules of one object.
pub(super) fn check_rules(bytes: usize) -> Option<Mistake> {
    let hint = "use fewer objectives, shorter labels (each stands on every alert) or shorter patterns of routes";
    check("the rules", bytes, MAX_RULES_BYTES, hint)
}

/// Checks the size of a dashboard.
pub(super) fn check_dashboard(bytes: usize) -> Option<Mistake> {
    check(
        "the dashboard",
        bytes,
        MAX_DASHBOARD_BYTES,
        "split it, or shorten what every query repeats, such as excluded routes",
    )
}

fn check(what: &str, bytes: usize, most: usize, hint: &str) -> Option<Mistake> {
    let sentence = || {
        let (has, may) = (bytes.div_ceil(1024), most / 1024);
        format!("{what} have {has} KiB, and more than {may} KiB are not written")
            .replace("dashboard have", "dashboard has")
    };
    (bytes > most).then(|| Mistake::new(Check::ObjectSize, sentence(), hint))
}
