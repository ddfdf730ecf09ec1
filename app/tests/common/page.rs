//! A strict reader of exposition pages, of both formats: what a scraper would stumble over fails the test.

use std::collections::{BTreeMap, BTreeSet};

/// A family as it stands on a page.
#[derive(Debug, Default, PartialEq)]
pub struct Family {
    pub kind: String,
    pub help: String,
    /// Names of labels that some sample has.
    pub labels: BTreeSet<String>,
    pub samples: usize,
}

/// Reads a page: HELP, TYPE, then samples of that family, each series once; histograms whose buckets add up.
pub fn parse(page: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut current = String::new();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            current = name.to_owned();
            let new = Family {
                help: help.to_owned(),
                ..Family::default()
            };
            assert_eq!(families.insert(current.clone(), new), None, "{name} stands twice");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(name, current);
            families.get_mut(name).unwrap().kind = kind.to_owned();
        } else if line == "# EOF" {
            assert_eq!(lines.peek(), None, "something follows the end");
        } else {
            let (series, value) = sample(line);
            value.parse::<f64>().unwrap();
            assert!(seen.insert(series.to_owned()), "{series} stands twice");
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            let family = families.get_mut(&current).unwrap();
            let suffix = name.strip_prefix(current.as_str()).unwrap_or("?");
            assert!(
                suffixes(&family.kind).contains(&suffix),
                "{name} under {current}, a {}",
                family.kind
            );
            family.samples += 1;
            family.labels.extend(names(labels.strip_suffix('}').unwrap()));
        }
    }
    histograms_add_up(page);
    families
}

/// A sample's series and value, without an exemplar.
pub fn sample(line: &str) -> (&str, &str) {
    let line = line.split_once(" # ").map_or(line, |(sample, _)| sample);
    line.rsplit_once(' ').unwrap()
}

fn suffixes(kind: &str) -> &'static [&'static str] {
    match kind {
        "counter" => &["", "_total"],
        "gauge" => &[""],
        "histogram" => &["_bucket", "_sum", "_count"],
        "summary" => &["", "_sum", "_count"],
        _ => &[],
    }
}

/// Names of labels. No label value of ours holds a comma that follows a quote.
fn names(labels: &str) -> impl Iterator<Item = String> {
    let labels = labels.split("\",").filter(|label| !label.is_empty());
    labels.map(|label| label.split('=').next().unwrap().to_owned())
}

/// Of a bucket's series: what stands before its `le`, and the bound.
pub fn le(series: &str) -> Option<(&str, &str)> {
    let split = series.split_once(",le=\"").or_else(|| series.split_once("{le=\""));
    split.map(|(before, bound)| (before, bound.split('"').next().unwrap()))
}

fn histograms_add_up(page: &str) {
    let samples: BTreeMap<&str, f64> = page
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(sample)
        .map(|(series, value)| (series, value.parse().unwrap()))
        .collect();
    let mut below = 0.0;
    for line in page.lines().filter(|line| le(line).is_some()) {
        let (series, value) = sample(line);
        let value: f64 = value.parse().unwrap();
        assert!(value >= below, "{series} holds less than the bucket below");
        below = value;
        if let Some((rest, "+Inf")) = le(series) {
            let rest = rest.replacen("_bucket", "_count", 1);
            let count = if rest.contains('{') { format!("{rest}}}") } else { rest };
            assert_eq!(samples.get(count.as_str()), Some(&value), "{count}");
            below = 0.0;
        }
    }
}

/// Checks what OpenMetrics asks for beside that: `_total` of counters and of nothing else, one end, no sample that two
/// families could mean.
pub fn must_be_open_metrics(page: &str) -> BTreeMap<String, Family> {
    assert!(page.ends_with("\n# EOF\n"));
    assert_eq!(page.matches("# EOF").count(), 1);
    let families = parse(page);
    let mut current = "";
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            current = rest.split_once(' ').unwrap().0;
        } else if !line.starts_with('#') {
            let (series, _) = sample(line);
            let name = series.split('{').next().unwrap();
            let is_counter = families[current].kind == "counter";
            assert_eq!(is_counter, name == format!("{current}_total"), "{name}");
            if let Some((_, exemplar)) = line.split_once(" # ") {
                assert!(name.ends_with("_bucket"), "{line}");
                let (labels, rest) = exemplar.split_once("} ").unwrap();
                let id = labels
                    .strip_prefix("{trace_id=\"")
                    .and_then(|id| id.strip_suffix('"'))
                    .unwrap();
                assert!(id.len() == 32 && id.chars().all(|c| c.is_ascii_hexdigit()), "{line}");
                let (value, at) = rest.split_once(' ').unwrap();
                assert!(
                    value.parse::<f64>().unwrap() >= 0.0 && at.parse::<f64>().unwrap() > 1e9,
                    "{line}"
                );
            }
        }
    }
    for (name, family) in &families {
        for suffix in ["_total", "_bucket", "_sum", "_count", "_created"] {
            let other = format!("{name}{suffix}");
            assert!(!families.contains_key(&other), "{other} beside {name}");
        }
        assert!(!family.help.is_empty() && !family.kind.is_empty(), "{name}");
    }
    families
}
