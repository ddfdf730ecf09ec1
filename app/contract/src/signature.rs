//! How a page of a library is recognised, whatever its user renamed, added or left out.

use crate::{Attribute, DialectRow, MetricId, MetricKind, Signal};

/// How the pages of a dialect are recognised.
#[derive(Debug, Clone, Copy)]
pub struct Signature {
    /// What may stand before the names of [`Signature::forms`].
    pub prefix: Prefix,
    /// The families of the library, each with the labels that it may have. A family whose labels depend on the version has a
    /// form for each; those of one metric are tried in order.
    pub forms: &'static [Form],
    /// What together tells the dialect where no form does so alone. Empty: nothing does.
    pub together: &'static [MetricId],
    /// A family of the library's runtime that must be there for [`Signature::together`], whatever it is.
    pub beside: Option<&'static str>,
    /// The beginning of names of another library's families, beside which [`Signature::together`] tells nothing.
    pub not_beside: Option<&'static str>,
    /// Prefixes behind which the names are those of another library.
    pub not_behind: &'static [&'static str],
    /// Which setting of the library gives what its pages lack by default, for people.
    pub hints: &'static [(Signal, &'static str)],
}

/// What stands before the names of a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// The names are written in the program: nothing.
    Fixed,
    /// A user of the library chooses it; this is the default. It ends with `_`, or is empty.
    Free(&'static str),
}

impl Prefix {
    /// That of a page on which nothing was changed.
    #[must_use]
    pub const fn usual(self) -> &'static str {
        match self {
            Self::Fixed => "",
            Self::Free(prefix) => prefix,
        }
    }
}

/// A family of a library in one of its forms.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// The family as it is by default.
    pub row: DialectRow,
    /// Other types that the library's settings give it.
    pub other_kinds: &'static [MetricKind],
    /// Labels that settings or versions add, or take from those of the row.
    pub optional: &'static [(&'static str, Attribute)],
    /// The texts by which versions of the library describe it; one that ends with `*` stands for all that begin so. Empty: not
    /// known. An empty text: it does not describe it.
    pub helps: &'static [&'static str],
    /// What of it no other library has: each alone shows the library.
    pub marks: &'static [Mark],
}

/// What alone shows from which library a family is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Its name behind the library's own prefix, with the labels.
    OwnName,
    /// Its name behind any prefix, with the labels.
    Name,
    /// The names of its labels, whatever its own name is.
    Labels,
    /// The text that describes it, whatever its own name and labels are: one that nobody would copy.
    Help,
    /// The text that describes it, with the labels: people who count by hand copy texts and choose labels. A form without labels of
    /// every case must have no other than those that it may have. Its name may be another where the library has no prefix to choose.
    HelpAndLabels,
}

impl Form {
    /// The form of a row, which nothing marks.
    #[must_use]
    pub const fn of(row: DialectRow) -> Self {
        Self {
            row,
            other_kinds: &[],
            optional: &[],
            helps: &[],
            marks: &[],
        }
    }

    /// Also as another type.
    #[must_use]
    pub const fn or(mut self, kinds: &'static [MetricKind]) -> Self {
        self.other_kinds = kinds;
        self
    }

    /// With or without these labels.
    #[must_use]
    pub const fn optional(mut self, labels: &'static [(&'static str, Attribute)]) -> Self {
        self.optional = labels;
        self
    }

    /// Described by one of these texts.
    #[must_use]
    pub const fn help(mut self, texts: &'static [&'static str]) -> Self {
        self.helps = texts;
        self
    }

    /// Marked by these.
    #[must_use]
    pub const fn known_by(mut self, marks: &'static [Mark]) -> Self {
        self.marks = marks;
        self
    }

    /// The labels that it has in every case.
    pub fn required(&self) -> impl Iterator<Item = (&'static str, Attribute)> {
        let optional = self.optional;
        let labels = self.row.labels();
        labels.filter(move |(label, _)| !optional.iter().any(|(name, _)| name == label))
    }

    /// What a label of it stands for.
    #[must_use]
    pub fn attribute(&self, label: &str) -> Option<Attribute> {
        let mut known = self.row.labels().chain(self.optional.iter().copied());
        known.find(|(name, _)| *name == label).map(|(_, attribute)| attribute)
    }

    /// Whether the library exports it as this type.
    #[must_use]
    pub fn is_of(&self, kind: MetricKind) -> bool {
        self.row.family.kind == kind || self.other_kinds.contains(&kind)
    }

    /// Whether a text is one of those by which the library describes it.
    #[must_use]
    pub fn is_described_by(&self, help: &str) -> bool {
        self.helps.iter().any(|known| match known.strip_suffix('*') {
            Some(beginning) => help.starts_with(beginning),
            None => *known == help,
        })
    }
}

impl Signature {
    /// One whose forms are known by their marks alone.
    #[must_use]
    pub const fn of(prefix: Prefix, forms: &'static [Form]) -> Self {
        Self {
            prefix,
            forms,
            together: &[],
            beside: None,
            not_beside: None,
            not_behind: &[],
            hints: &[],
        }
    }

    /// These metrics, each in its exact form, tell the dialect together.
    #[must_use]
    pub const fn together(mut self, metrics: &'static [MetricId]) -> Self {
        self.together = metrics;
        self
    }

    /// Only beside a family of this name.
    #[must_use]
    pub const fn beside(mut self, family: &'static str) -> Self {
        self.beside = Some(family);
        self
    }

    /// Not beside a family whose name begins so.
    #[must_use]
    pub const fn not_beside(mut self, beginning: &'static str) -> Self {
        self.not_beside = Some(beginning);
        self
    }

    /// Not behind one of these prefixes.
    #[must_use]
    pub const fn not_behind(mut self, prefixes: &'static [&'static str]) -> Self {
        self.not_behind = prefixes;
        self
    }

    /// With advice on what its pages lack by default.
    #[must_use]
    pub const fn hint(mut self, hints: &'static [(Signal, &'static str)]) -> Self {
        self.hints = hints;
        self
    }

    /// A form's name behind a prefix. The row's own name has the usual prefix already.
    #[must_use]
    pub fn stem(&self, form: &Form) -> &'static str {
        let name = form.row.family.name;
        name.strip_prefix(self.prefix.usual()).unwrap_or(name)
    }
}
