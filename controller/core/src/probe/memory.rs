//! What is known of the pods' metrics of one API, and how answers change it.
//!
//! The first page of which the dialect is clear counts at once. After that what is known only grows, because a page before the first
//! request lacks families; it becomes another only after several equal answers. Pages that could not be read, and pages on which
//! there is nothing yet, change nothing that is known: the pod may have restarted, or nobody may have asked it anything.

use std::sync::Arc;
use std::time::Duration;

use metric_contract::{DialectId, Spelling};

use super::{KnownPage, PageError};
use crate::detect::{CustomOnPage, Detection, NotOnPage, Outcome};
use crate::dialect_choice::DialectChoice;

/// Answers that must agree before what is known becomes something else.
const ANSWERS: u8 = 3;
/// The time over which they must agree.
const AGREED_FOR: Duration = Duration::from_secs(2 * 60);
/// Answers that must agree before another trouble is shown in the place of one.
const TROUBLES: u8 = 2;

/// Why nothing, or not enough, is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The pages could not be read.
    Unread(PageError),
    /// They are not those of one library.
    Unclear(Outcome, Vec<DialectId>),
    /// They are of this dialect, and the spec or the preset names another.
    Other(DialectId),
    /// They do not have these names of `spec.metrics.custom`: each with its field.
    Absent(Vec<String>),
}

/// What a page turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// Which library wrote it.
    Detected(Detection),
    /// What it has of the names of `spec.metrics.custom`.
    ByHand(CustomOnPage),
}

impl Reading {
    /// Its name as the value of a label.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Detected(detection) => detection.outcome.as_str(),
            Self::ByHand(on_page) if on_page.absent.is_empty() => "custom",
            Self::ByHand(_) => "custom-absent",
        }
    }
}

/// What is known of the pods' metrics of one API.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PageFinding {
    /// How the pods spell them. `None`: not known, and where the spec or the preset names the dialect, as its table has it.
    pub known: Option<Arc<KnownPage>>,
    /// The pods that were read last with this result: their `pod-template-hash`.
    pub template: Option<Box<str>>,
    /// What is wrong. `None` with nothing known: no pod was asked yet.
    pub trouble: Option<Trouble>,
}

impl PageFinding {
    /// How the metrics are spelled, where pods showed it.
    #[must_use]
    pub fn spelling(&self) -> Option<&Spelling> {
        self.known.as_ref().map(|known| &*known.spelling)
    }
}

/// What an answer changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    Nothing,
    /// What the status shows.
    Status,
    /// What the rules are built from, and what the status shows.
    Rules,
}

/// What is to be found out of the pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing is known, or not of these pods.
    Search,
    /// The last answer differs from what is known, so others must tell.
    Agreement,
    /// Something may still be missing.
    Growth,
    /// Everything is known.
    Nothing,
}

/// Answers in a row that differ from what is known or shown.
#[derive(Debug, Clone, PartialEq)]
struct Differing {
    answer: Differs,
    count: u8,
    /// When the first of them came.
    since: Duration,
}

#[derive(Debug, Clone, PartialEq)]
enum Differs {
    Page(KnownPage),
    Trouble(Trouble),
}

/// What is known of one API, and the answers that do not agree with it yet.
#[derive(Debug, Clone, PartialEq)]
pub struct PageMemory {
    /// The dialect that the spec or the preset names.
    declared: Option<DialectChoice>,
    finding: PageFinding,
    differing: Option<Box<Differing>>,
}

impl PageMemory {
    /// With what was known before, if it is of the dialect that the spec or the preset names.
    #[must_use]
    pub fn new(declared: Option<DialectChoice>, known: Option<KnownPage>, template: Option<&str>) -> Self {
        let known = known.filter(|known| known.is_of(declared.as_ref()));
        // What was declared and is not any more was never proven.
        let is_proven = known
            .as_ref()
            .is_some_and(|known| declared.is_some() || known.confidence.is_some());
        Self {
            declared,
            finding: PageFinding {
                known: known.map(Arc::new),
                template: template.filter(|_| is_proven).map(Into::into),
                trouble: None,
            },
            differing: None,
        }
    }

    /// What is known.
    #[must_use]
    pub const fn finding(&self) -> &PageFinding {
        &self.finding
    }

    /// The dialect that the spec or the preset names.
    #[must_use]
    pub const fn declared(&self) -> Option<&DialectChoice> {
        self.declared.as_ref()
    }

    /// What is to be found out, where the pods are of this template.
    #[must_use]
    pub fn need(&self, template: &str) -> Need {
        let is_of_these = self.finding.template.as_deref() == Some(template);
        let lacks = |known: &Arc<KnownPage>| self.declared.is_none() && !known.missing().is_empty();
        if self.differing.is_some() {
            Need::Agreement
        } else if !is_of_these {
            Need::Search
        } else if self.finding.trouble.is_some() || self.finding.known.as_ref().is_some_and(lacks) {
            Need::Growth
        } else {
            Need::Nothing
        }
    }

    /// Forgets answers that differ: pods of two versions run, so answers are of one or of the other.
    pub fn interrupt(&mut self) {
        self.differing = None;
    }

    /// Takes what a pod of this template answered, at `now` since any fixed moment.
    pub fn take(&mut self, answer: Result<&Reading, PageError>, template: &str, now: Duration) -> Change {
        let before = self.finding.clone();
        match answer {
            Ok(Reading::Detected(detection)) => self.take_detection(detection, template, now),
            Ok(Reading::ByHand(on_page)) => self.take_by_hand(on_page, template, now),
            Err(error) => self.take_trouble(Trouble::Unread(error), template, now),
        }
        if self.rules_read(&before) != self.rules_read(&self.finding) {
            Change::Rules
        } else if before != self.finding {
            Change::Status
        } else {
            Change::Nothing
        }
    }

    fn take_detection(&mut self, detection: &Detection, template: &str, now: Duration) {
        let Some(found) = &detection.found else {
            let trouble = Trouble::Unclear(detection.outcome, detection.candidates.clone());
            return self.take_trouble(trouble, template, now);
        };
        match self.declared.as_ref().map(DialectChoice::table) {
            Some(Some(declared)) if found.dialect != declared && found.fits(declared.spelling()) => {
                self.settle(None, template);
            }
            Some(Some(declared)) if found.dialect != declared => {
                self.differ(Differs::Trouble(Trouble::Other(found.dialect)), template, now);
            }
            // An answer to a question that was asked before the spec named its metrics.
            Some(None) => {}
            Some(Some(_)) | None => self.take_page(KnownPage::of(found), template, now),
        }
    }

    fn take_by_hand(&mut self, on_page: &CustomOnPage, template: &str, now: Duration) {
        let page = KnownPage::by_hand(&on_page.spelling);
        if !page.is_of(self.declared.as_ref()) {
            return;
        }
        if on_page.absent.is_empty() {
            return self.take_page(page, template, now);
        }
        // What is there counts, whatever else is missing.
        let known = self.finding.known.as_ref();
        if known.is_none_or(|known| known.agrees_with(&page)) {
            let known = known.map_or_else(|| page.clone(), |known| known.grown_by(&page));
            self.know(known);
        }
        let absent = on_page
            .absent
            .iter()
            .map(|NotOnPage { field, name, .. }| format!("{name} ({field})"));
        self.differ(Differs::Trouble(Trouble::Absent(absent.collect())), template, now);
    }

    /// What rules are built from.
    fn rules_read<'a>(&self, finding: &'a PageFinding) -> Option<&'a Spelling> {
        let base = self.base();
        let differs = |spelling: &&Spelling| base.as_ref().is_none_or(|base| *base.spelling != **spelling);
        finding.spelling().filter(differs)
    }

    /// What is known of what the spec or the preset names, before any page.
    fn base(&self) -> Option<KnownPage> {
        Some(match self.declared.as_ref()? {
            DialectChoice::Table(dialect) => KnownPage::of_table(*dialect),
            DialectChoice::Custom(spelling) => KnownPage::by_hand(spelling),
        })
    }

    fn take_page(&mut self, page: KnownPage, template: &str, now: Duration) {
        let page = match self.base() {
            Some(base) => {
                let page = KnownPage {
                    confidence: None,
                    ..page
                };
                base.with_families_of(&page)
            }
            None => page,
        };
        let known = match &self.finding.known {
            Some(known) if known.agrees_with(&page) => known.grown_by(&page),
            Some(known) if self.finding.template.is_some() || known.dialect != page.dialect => {
                return self.differ(Differs::Page(page), template, now);
            }
            Some(known) => known.with_families_of(&page),
            None => page,
        };
        self.settle(Some(known), template);
    }

    /// What was shown holds for pods of this template.
    fn settle(&mut self, known: Option<KnownPage>, template: &str) {
        if let Some(known) = known {
            self.know(known);
        }
        if self.finding.template.as_deref() != Some(template) {
            self.finding.template = Some(template.into());
        }
        self.finding.trouble = None;
        self.differing = None;
    }

    fn know(&mut self, known: KnownPage) {
        if self.finding.known.as_deref() != Some(&known) {
            self.finding.known = Some(Arc::new(known));
        }
    }

    fn take_trouble(&mut self, trouble: Trouble, template: &str, now: Duration) {
        let is_known = self.finding.known.is_some() || self.declared.is_some();
        let speaks_against = match &trouble {
            // The library may have been replaced by one that is not known.
            Trouble::Unclear(Outcome::Ambiguous | Outcome::Unknown, _) => true,
            Trouble::Unclear(Outcome::NoHttpMetrics | Outcome::NoSamplesYet | Outcome::Empty | Outcome::Match, _)
            | Trouble::Unread(_)
            | Trouble::Other(_)
            | Trouble::Absent(_) => false,
        };
        if !is_known || speaks_against {
            self.differ(Differs::Trouble(trouble), template, now);
        }
    }

    /// Counts an answer that differs, and shows it once enough agree.
    fn differ(&mut self, answer: Differs, template: &str, now: Duration) {
        let is_shown = matches!(&answer, Differs::Trouble(trouble) if self.finding.trouble.as_ref() == Some(trouble));
        if is_shown {
            self.differing = None;
            return;
        }
        let is_known = self.finding.known.is_some() || self.declared.is_some();
        let differing = match self.differing.take() {
            Some(before) if now >= before.since && same(&before.answer, &answer) => Differing {
                answer: both(before.answer, answer),
                count: before.count.saturating_add(1),
                since: before.since,
            },
            Some(_) | None => Differing {
                answer,
                count: 1,
                since: now,
            },
        };
        let agreed = now.saturating_sub(differing.since);
        let is_enough = match (is_known, &self.finding.trouble) {
            (true, _) => differing.count >= ANSWERS && agreed >= AGREED_FOR,
            (false, Some(_)) => differing.count >= TROUBLES,
            (false, None) => true,
        };
        match differing.answer {
            answer if !is_enough => self.differing = Some(Box::new(Differing { answer, ..differing })),
            Differs::Page(page) => self.settle(Some(page), template),
            Differs::Trouble(trouble) => self.finding.trouble = Some(trouble),
        }
    }
}

/// Whether two answers say the same. Of a page the later one may show more.
fn same(one: &Differs, other: &Differs) -> bool {
    match (one, other) {
        (Differs::Page(one), Differs::Page(other)) => one.agrees_with(other),
        (Differs::Trouble(one), Differs::Trouble(other)) => one == other,
        (Differs::Page(_), Differs::Trouble(_)) | (Differs::Trouble(_), Differs::Page(_)) => false,
    }
}

fn both(one: Differs, other: Differs) -> Differs {
    match (one, other) {
        (Differs::Page(one), Differs::Page(other)) => Differs::Page(one.grown_by(&other)),
        (_, other) => other,
    }
}

#[cfg(test)]
mod tests;
