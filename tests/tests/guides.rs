//! The documentation, checked against what it is about: links lead somewhere, every guide is found from the README, every MonitoredApi
//! in a guide is valid, and the guides that name reasons, alerts and metrics name those that exist.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use integration_tests::{operator::Operator, workspace};
use serde_json::Value;

fn root() -> PathBuf {
    workspace::root().unwrap()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every page, relative to the root.
fn pages() -> Vec<String> {
    let mut folders = vec![root()];
    let mut pages = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            // What was built or fetched here.
            let is_ours = !name.starts_with('.') && !["target", "node_modules"].contains(&name);
            if is_ours && path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if is_ours && name.ends_with(".md") {
                pages.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    pages.sort();
    pages
}

/// The text outside of blocks of code.
fn prose(page: &str) -> String {
    page.split("```").step_by(2).collect()
}

/// The targets of the links of a page.
fn links(page: &str) -> Vec<String> {
    let prose = prose(page);
    let rest = prose.split("](").skip(1);
    rest.filter_map(|rest| rest.split([')', ' ']).next().map(str::to_owned))
        .collect()
}

/// The anchors that GitHub gives to the headings of a page.
fn anchors(page: &str) -> BTreeSet<String> {
    let prose = prose(page);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let text = line.trim_start_matches('#').trim().to_lowercase();
        let kept = text
            .chars()
            .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    let mut broken = Vec::new();
    let mut checked = 0;
    for page in pages() {
        let text = read(&page);
        let folder = Path::new(&page).parent().unwrap();
        for link in links(&text)
            .iter()
            .filter(|link| !link.contains("://") && !link.starts_with("mailto:"))
        {
            checked += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() {
                root().join(&page)
            } else {
                root().join(folder).join(path)
            };
            let has_anchor = || anchors(&fs::read_to_string(&target).unwrap()).contains(anchor);
            if !target.exists() || (!anchor.is_empty() && !has_anchor()) {
                broken.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(checked > 100, "only {checked} links were found");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_guide_is_linked_from_the_readme() {
    let readme = read("README.md");
    let (_, guides) = readme.split_once("## Guides").unwrap();
    let (guides, _) = guides.split_once("## More").unwrap();
    for page in pages().iter().filter(|page| page.starts_with("docs/guides/")) {
        assert!(
            guides.contains(&format!("]({page})")),
            "README.md, Guides: no row links {page}"
        );
    }
}

/// A whole manifest of a block of a guide, if it is about a MonitoredApi: fragments begin with `spec:`.
fn manifest(block: &str) -> Option<String> {
    const HEAD: &str =
        "apiVersion: monitoredapi.io/v1alpha1\nkind: MonitoredApi\nmetadata: {name: orders, namespace: shop}\n";
    let whole = if block.contains("\nkind: MonitoredApi\n") {
        block.to_owned()
    } else if block.starts_with("spec:") {
        format!("{HEAD}{block}")
    } else {
        return None;
    };
    let api: Value = serde_yaml::from_str(&whole).unwrap();
    let reference = &api["spec"]["workloadRef"];
    Some(match reference["name"].as_str() {
        Some(name) => whole + &workload(reference["kind"].as_str().unwrap(), name),
        // As in the README, the image is one of the dialect `native`, unless the fragment says something of its metrics.
        None if api["spec"]["image"].is_null() => {
            let preset = if api["spec"]["metrics"].is_null() {
                "native"
            } else {
                "auto"
            };
            let begin = format!("spec:\n  image: ghcr.io/acme/orders:1.4.2\n  preset: {preset}\n");
            whole.replacen("spec:\n", &begin, 1)
        }
        None => whole,
    })
}

/// A workload to which a MonitoredApi refers.
fn workload(kind: &str, name: &str) -> String {
    format!(
        "---\n{{apiVersion: apps/v1, kind: {kind}, metadata: {{name: {name}, namespace: shop}}, spec: {{selector: {{matchLabels: {{app: \
         a}}}}, template: {{metadata: {{labels: {{app: a}}}}, spec: {{containers: [{{name: a, image: a, ports: [{{containerPort: \
         8000}}]}}]}}}}}}}}\n"
    )
}

#[test]
fn every_monitored_api_in_a_guide_is_valid() {
    let mut found = 0;
    let guides = pages()
        .into_iter()
        .filter(|page| page.starts_with("docs/guides/") || *page == "README.md");
    for page in guides {
        let text = read(&page);
        let blocks = text
            .split("```yaml\n")
            .skip(1)
            .map(|rest| rest.split("```").next().unwrap());
        for manifest in blocks.filter_map(manifest) {
            found += 1;
            let mut command = Command::new(Operator::binary().unwrap());
            command
                .args(["lint", "-f", "-"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped());
            let mut lint = command.stderr(Stdio::piped()).spawn().unwrap();
            lint.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
            let output = lint.wait_with_output().unwrap();
            assert!(output.status.success(), "{page}:\n{manifest}\n{output:?}");
        }
    }
    assert!(found > 10, "only {found} were found");
}

/// The cells of the rows of a table that has this many columns.
fn rows(page: &str, columns: usize) -> Vec<Vec<String>> {
    let lines = page
        .lines()
        .filter(|line| line.starts_with("| ") && line.ends_with(" |"));
    let rows = lines.map(|line| {
        line[2..line.len() - 2]
            .split(" | ")
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    rows.filter(|row| row.len() == columns).collect()
}

#[test]
fn the_guide_for_troubleshooting_names_every_reason_that_asks_for_something() {
    let guide = read("docs/guides/troubleshooting.md");
    let reference = read("docs/reference/status.md");
    let reasons = rows(&reference, 4).into_iter().skip(1);
    let asking: BTreeSet<_> = reasons
        .filter(|row| !["Nothing.", "Wait."].contains(&row[3].as_str()) && !row[3].starts_with("Nothing, "))
        .map(|row| row[1].clone())
        .filter(|reason| reason.starts_with('`'))
        .collect();
    assert!(asking.len() > 60, "{asking:?}");
    let missing: Vec<_> = asking.iter().filter(|reason| !guide.contains(*reason)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_guide_about_fastapi_names_metrics_of_the_library_and_the_thresholds_of_alerts() {
    let guide = read("docs/guides/from-fastapi-instrumentator.md");
    let page = read("tests/dialects/fastapi-instrumentator/pages/8.1.0/default.after.text");
    let alerts = read("docs/reference/alerts.md");
    let queries: Vec<_> = rows(&guide, 2)
        .into_iter()
        .filter(|row| row[1].contains("panel") || row[1].contains("Api"))
        .collect();
    assert!(queries.len() > 8, "{queries:?}");
    for row in queries {
        let words = row[0].split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for metric in words.filter(|word| word.starts_with("http_") || word.starts_with("process_")) {
            let is_there = page.lines().any(|line| {
                line.strip_prefix(metric)
                    .is_some_and(|rest| rest.starts_with([' ', '{']))
            });
            assert!(is_there, "{metric}");
        }
        for alert in row[1].split("[Api").skip(1) {
            let (name, rest) = alert.split_once(']').unwrap();
            let (_, rest) = rest.split_once(')').unwrap();
            let Some(said) = rest.strip_prefix(" at ") else {
                continue;
            };
            let line = alerts
                .lines()
                .find(|line| line.starts_with(&format!("| [Api{name}]")))
                .unwrap();
            let threshold = line.split(" | ").nth(3).unwrap();
            assert!(
                said.starts_with(threshold),
                "Api{name}: {threshold}, and the guide says {said}"
            );
        }
    }
}

/// The parts of a text between two marks.
fn between(text: &str, mark: char) -> impl Iterator<Item = &str> {
    text.split(mark).skip(1).step_by(2)
}

#[test]
fn panels_queries_and_alerts_in_the_place_of_the_source_systems_exist() {
    let guide = read("docs/guides/one-machine.md");
    let (_, section) = guide.split_once("The panels, by title").unwrap();
    let alerts = between(section, '`').filter(|name| name.starts_with("Api"));
    let names: BTreeSet<_> = between(section, '*').chain(alerts).collect();
    assert!(names.len() >= 40, "{names:?}");
    for name in names {
        let mut explain = Command::new(Operator::binary().unwrap());
        let output = explain.args(["explain", name]).output().unwrap();
        assert!(
            output.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
