//! Takes the pages of one dialect in one version, and keeps them beside its program.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use integration_tests::workspace;

use super::{
    dialects::{Dialect, Release, Runtime},
    install::install,
    service::{Page, Service},
    traefik,
};

/// Largest page that is kept, in bytes: OpenTelemetry's with two spellings at once, after few requests.
const LARGEST: usize = 160 * 1024;
/// The formats: what is asked for, what the answer's `Content-Type` begins with, the end of the file's name.
/// OpenMetrics is asked for with names of any letters and with any other format as the last choice, as Prometheus 3
/// does.
const FORMATS: [(&str, &str, &str); 2] = [
    ("text/plain", "text/plain", "text"),
    (
        "application/openmetrics-text; version=1.0.0; escaping=allow-utf-8, */*;q=0.1",
        "application/openmetrics-text",
        "openmetrics",
    ),
];

/// Installs the library, and takes the pages of each variant before and after the first requests. Gives back the paths
/// of the pages below the checkout's root; pages of variants that are no longer in the table are removed.
///
/// # Errors
/// When a step fails; the pages that were there stay.
pub(crate) fn capture(dialect: &Dialect, release: &Release) -> Result<Vec<String>> {
    let installed = install(dialect, release).context("install")?;
    let cluster = match dialect.runtime {
        Runtime::Traefik => Some(traefik::cluster()?),
        Runtime::Python | Runtime::Node | Runtime::Go | Runtime::Rust | Runtime::Java => None,
    };
    let mut pages = Vec::new();
    for variant in release.variants() {
        let taken = take(dialect, variant, &|variant| match &cluster {
            Some(cluster) => traefik::start(cluster, &installed, variant),
            None => Service::start(&installed, variant, dialect.port),
        });
        pages.extend(taken.with_context(|| format!("variant {variant}"))?);
    }
    let relative = format!("tests/dialects/{}/pages/{}", dialect.id, release.version);
    let folder = workspace::root()?.join(&relative);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("remove {relative}"))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("create {relative}"))?;
    let mut written = Vec::new();
    for (name, body) in pages {
        fs::write(folder.join(&name), body).with_context(|| format!("write {relative}/{name}"))?;
        written.push(format!("{relative}/{name}"));
    }
    Ok(written)
}

/// The pages of one variant: file names and bytes.
fn take(dialect: &Dialect, variant: &str, start: &dyn Fn(&str) -> Result<Service>) -> Result<Vec<(String, Vec<u8>)>> {
    let service = start(variant)?;
    let mut pages = Vec::new();
    for moment in ["before", "after"] {
        if moment == "after" {
            service.traffic(dialect.traffic)?;
        }
        for (accept, content_type, format) in FORMATS {
            let page = service.page(dialect.metrics, accept)?;
            // A program that doesn't have this format answers in one that it has.
            if page.content_type.starts_with(content_type) {
                let name = format!("{variant}.{moment}.{format}");
                check(&page).with_context(|| name.clone())?;
                pages.push((name, page.body));
            }
        }
    }
    if pages.is_empty() {
        bail!("{} answers neither text nor OpenMetrics", dialect.metrics);
    }
    Ok(pages)
}

/// A page is small, and doesn't name the machine that it was taken on.
fn check(page: &Page) -> Result<()> {
    if page.body.len() > LARGEST {
        bail!("the page has {} bytes: give the variant fewer series", page.body.len());
    }
    let text = String::from_utf8_lossy(&page.body);
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let home = std::env::home_dir().unwrap_or_default();
    let cache = workspace::cache()?;
    let names = [Path::new(host.trim()), &home, &cache];
    for name in names.iter().filter_map(|name| name.to_str()) {
        if name.len() > 1 && text.lines().any(|line| !line.starts_with('#') && has_word(line, name)) {
            bail!("the page names this machine by {name}: turn that off in the program");
        }
    }
    Ok(())
}

/// Whether a line has this word or path, and not only as a part of another word.
fn has_word(line: &str, word: &str) -> bool {
    let of_a_word = |end: Option<char>| end.is_some_and(|end| end.is_alphanumeric() || end == '_');
    line.match_indices(word).any(|(start, _)| {
        let (before, rest) = line.split_at(start);
        let after = rest.strip_prefix(word).unwrap_or_default();
        !of_a_word(before.chars().next_back()) && !of_a_word(after.chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::has_word;

    #[test]
    fn a_name_of_the_machine_is_found_as_a_word_and_as_the_begin_of_a_path() {
        assert!(has_word("up{host=\"vm\"} 1", "vm"));
        assert!(has_word("up{path=\"/home/me/service\"} 1", "/home/me"));
        assert!(!has_word("jvm_info{vendor=\"vmware\"} 1", "vm"));
    }
}
