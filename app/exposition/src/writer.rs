//! Writes a page.

use crate::{
    Exemplar, Format, MetricFamily, MetricType,
    text::{
        family_name, is_plain_name, push_comment, push_help, push_label, push_number, push_quoted, push_timestamp,
        push_type,
    },
};

/// A page that is being written: a family, then its samples, then the next family.
///
/// Names with other characters than letters, digits and underscores are quoted, as the format asks for UTF-8 names.
#[derive(Debug)]
pub struct Writer {
    format: Format,
    page: String,
    labels: String,
}

impl Writer {
    /// An empty page.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self {
            format,
            page: String::new(),
            labels: String::new(),
        }
    }

    /// Begins a family. A counter is given by the name of its samples: OpenMetrics' own lines name it without `_total`.
    pub fn family(&mut self, name: &str, metric_type: MetricType, help: &str) {
        let name = family_name(name, metric_type, self.format);
        push_help(&mut self.page, self.format, name, help);
        push_type(&mut self.page, self.format, name, metric_type);
    }

    /// Writes a sample.
    pub fn sample<'a>(&mut self, name: &str, labels: impl IntoIterator<Item = (&'a str, &'a str)>, value: f64) {
        self.begin_sample(name, labels, value);
        self.page.push('\n');
    }

    /// Writes a family with all its samples, timestamps and exemplars, for example one that was read.
    pub fn write(&mut self, family: &MetricFamily) {
        let name = family.name.as_str();
        if let Some(help) = &family.help {
            push_help(&mut self.page, self.format, name, help);
        }
        push_type(&mut self.page, self.format, name, family.metric_type);
        if let Some(unit) = family.unit.as_ref().filter(|_| self.format == Format::OpenMetrics) {
            push_comment(&mut self.page, "UNIT", name);
            self.page.push_str(unit);
            self.page.push('\n');
        }
        for sample in &family.samples {
            self.begin_sample(&sample.name, pairs(&sample.labels), sample.value);
            self.push_time(sample.timestamp_milliseconds);
            if let Some(exemplar) = sample.exemplar.as_ref().filter(|_| self.format == Format::OpenMetrics) {
                self.push_exemplar(exemplar);
            }
            self.page.push('\n');
        }
    }

    /// Ends the page.
    #[must_use]
    pub fn finish(mut self) -> String {
        match self.format {
            Format::Text => {}
            Format::OpenMetrics => self.page.push_str("# EOF\n"),
        }
        self.page
    }

    fn begin_sample<'a>(&mut self, name: &str, labels: impl IntoIterator<Item = (&'a str, &'a str)>, value: f64) {
        let is_plain = is_plain_name(name, true);
        self.labels.clear();
        match is_plain {
            true => self.page.push_str(name),
            false => push_quoted(&mut self.labels, name),
        }
        for (label, value) in labels {
            push_label(&mut self.labels, label, value);
        }
        if !self.labels.is_empty() {
            self.page.push('{');
            self.page.push_str(&self.labels);
            self.page.push('}');
        }
        self.page.push(' ');
        push_number(&mut self.page, value);
    }

    fn push_time(&mut self, milliseconds: Option<i64>) {
        if let Some(milliseconds) = milliseconds {
            self.page.push(' ');
            push_timestamp(&mut self.page, self.format, milliseconds);
        }
    }

    fn push_exemplar(&mut self, exemplar: &Exemplar) {
        self.labels.clear();
        for (label, value) in pairs(&exemplar.labels) {
            push_label(&mut self.labels, label, value);
        }
        self.page.push_str(" # {");
        self.page.push_str(&self.labels);
        self.page.push_str("} ");
        push_number(&mut self.page, exemplar.value);
        self.push_time(exemplar.timestamp_milliseconds);
    }
}

fn pairs(labels: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    labels.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}
