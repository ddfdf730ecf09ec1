//! A strict reader of exposition pages, of both formats: what a scraper would stumble over fails the test.

use std::collections::{BTreeMap, BTreeSet};

use exposition::{Format, Limits, MetricFamily, check, read, text::type_name};

/// A family as it stands on a page.
#[derive(Debug, Default, PartialEq)]
pub struct Family {
    pub kind: String,
    pub help: String,
    /// Names of labels that some sample has.
    pub labels: BTreeSet<String>,
    pub samples: usize,
}

/// Reads a page: HELP and TYPE of each family once, then its samples; each series once; histograms whose buckets add up.
pub fn parse(page: &str) -> BTreeMap<String, Family> {
    let format = match page.ends_with("# EOF\n") {
        true => Format::OpenMetrics,
        false => Format::Text,
    };
    let read = read(page.as_bytes(), format, &Limits::default()).unwrap();
    assert_eq!(check::problems(&read), []);
    let metadata: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("# ") && *line != "# EOF")
        .collect();
    assert_eq!(
        metadata.len(),
        2 * read.len(),
        "each family has one HELP and one TYPE: {metadata:?}"
    );
    let mut family_of: BTreeMap<&str, &str> = BTreeMap::new();
    for family in &read {
        family_of.insert(&family.name, &family.name);
        family_of.extend(
            family
                .samples
                .iter()
                .map(|sample| (sample.name.as_str(), family.name.as_str())),
        );
    }
    let mut order: Vec<&str> = Vec::new();
    for line in page.lines().filter(|line| *line != "# EOF") {
        let name = match line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE ")) {
            Some(rest) => rest.split(' ').next().unwrap(),
            None => line.split(['{', ' ']).next().unwrap(),
        };
        if order.last() != Some(&family_of[name]) {
            order.push(family_of[name]);
        }
    }
    assert_eq!(
        order.len(),
        read.len(),
        "the lines of each family stand together: {order:?}"
    );
    read.iter().map(family).collect()
}

fn family(read: &MetricFamily) -> (String, Family) {
    let labels = read.samples.iter().flat_map(|sample| &sample.labels);
    let family = Family {
        kind: type_name(read.metric_type, Format::Text).unwrap().to_owned(),
        help: read.help.clone().unwrap(),
        labels: labels.map(|(name, _)| name.clone()).collect(),
        samples: read.samples.len(),
    };
    (read.name.clone(), family)
}

/// A sample's series and value, without an exemplar.
pub fn sample(line: &str) -> (&str, &str) {
    let line = line.split_once(" # ").map_or(line, |(sample, _)| sample);
    line.rsplit_once(' ').unwrap()
}

/// Of a bucket's series: what stands before its `le`, and the bound.
pub fn le(series: &str) -> Option<(&str, &str)> {
    let split = series.split_once(",le=\"").or_else(|| series.split_once("{le=\""));
    split.map(|(before, bound)| (before, bound.split('"').next().unwrap()))
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
