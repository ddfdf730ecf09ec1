//! Pages with parts taken away, renamed or added.

use controller_core::detect::{Page, detect, detect_with_proxies};
use metric_contract::DialectId;

use crate::{
    captured::{dialect, distinct, is_of_requests},
    made::{detected_as, page_of_table},
};

/// The same page with one thing changed, and what that was.
fn changes(page: &Page) -> Vec<(String, Page)> {
    let mut changed = Vec::new();
    let mut change = |what: String, change: &dyn Fn(&mut Page)| {
        let mut page = page.clone();
        change(&mut page);
        changed.push((what, page));
    };
    let mut all_labels: Vec<&String> = Vec::new();
    for (place, family) in page
        .families
        .iter()
        .enumerate()
        .filter(|(_, family)| is_of_requests(family))
    {
        change(format!("without {}", family.name), &|page| {
            page.families.remove(place);
        });
        change(format!("without the help of {}", family.name), &|page| {
            page.families[place].help.clear();
        });
        change(format!("{} renamed", family.name), &|page| {
            page.families[place].name.insert_str(0, "renamed_");
        });
        change(format!("{} with another label", family.name), &|page| {
            page.families[place]
                .labels
                .insert("tenant".to_owned(), Default::default());
        });
        for label in family.labels.keys() {
            change(format!("{} without {label}", family.name), &|page| {
                page.families[place].labels.remove(label);
            });
            all_labels.push(label);
        }
    }
    all_labels.sort();
    all_labels.dedup();
    for label in all_labels {
        change(format!("without {label}"), &|page| {
            page.families.iter_mut().for_each(|family| {
                family.labels.remove(label);
            });
        });
        change(format!("{label} renamed"), &|page| {
            for family in &mut page.families {
                if let Some(values) = family.labels.remove(label) {
                    family.labels.insert("renamed".to_owned(), values);
                }
            }
        });
    }
    change("without any help".to_owned(), &|page| {
        page.families.iter_mut().for_each(|family| family.help.clear());
    });
    change("with a prefix".to_owned(), &|page| {
        page.families
            .iter_mut()
            .for_each(|family| family.name.insert_str(0, "acme_"));
    });
    change("with a prefix, without any help".to_owned(), &|page| {
        for family in &mut page.families {
            family.name.insert_str(0, "acme_");
            family.help.clear();
        }
    });
    changed
}

/// Pages of real libraries, and of each table, with what they are of.
fn pages() -> Vec<(String, Option<DialectId>, Page)> {
    let captured = distinct()
        .into_iter()
        .map(|page| (page.name.clone(), page.expected(), page.page));
    let tables = DialectId::ALL.iter().map(|id| {
        let of = Some(detected_as(*id));
        (format!("the table of {id}"), of, page_of_table(*id))
    });
    captured.chain(tables).collect()
}

#[test]
fn a_page_with_something_removed_or_renamed_is_never_of_another_library() {
    let (mut wrong, mut right, mut tried) = (Vec::new(), 0, 0);
    for (name, expected, page) in pages() {
        let is_of_proxy = expected.is_some_and(|id| id.proxy().is_some());
        let detect = if is_of_proxy { detect_with_proxies } else { detect };
        for (what, page) in changes(&page) {
            let found = dialect(&detect(&page));
            tried += 1;
            right += usize::from(found == expected);
            // What is left of a page that has both of OpenTelemetry's names, or a counter of its own beside them, or of a page in these
            // names that no longer says which workload it is about.
            let is_left = matches!(
                (expected, found),
                (Some(DialectId::OtelHttp), Some(DialectId::OtelHttpOld))
                    | (
                        Some(DialectId::AxumOtelMetrics | DialectId::Beyla),
                        Some(DialectId::OtelHttp)
                    )
            );
            if found.is_some() && found != expected && !is_left {
                wrong.push(format!("{name} {what}: {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried}: {wrong:#?}", wrong.len());
    assert!(tried > 6_000, "{tried} changes only");
    // Most changes leave enough to know the library by.
    assert!(right * 100 > tried * 70, "{right} of {tried} are still known");
    println!("{right} of {tried} are still known");
}
