//! Reads a page, line by line.
//!
//! It takes what the parsers of a Prometheus server take (`model/textparse`), with two differences: a line feed inside
//! a label's value must be escaped, and a byte that is not UTF-8 is refused wherever it stands. A second `# HELP` or `#
//! TYPE` line of a family is allowed, as in Prometheus, and wins; [`crate::check`] finds problems that Prometheus
//! accepts.

use std::collections::HashMap;

use crate::{
    Format, Limits, MetricFamily, MetricType, ReadError, Reason, Sample,
    cursor::{Cursor, unescaped},
    sample_line::read_sample,
    text::type_name,
};

/// Reads a page.
///
/// # Errors
/// On the first line that Prometheus would refuse, and beyond the limits.
pub fn read(page: &[u8], format: Format, limits: &Limits) -> Result<Vec<MetricFamily>, ReadError> {
    let mut reader = Reader::new(format, *limits);
    for line in lines(page) {
        reader.push_line(line)?;
    }
    reader.finish()
}

/// The lines of a page, without their line feeds. An empty page has none.
pub fn lines(page: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = page.strip_suffix(b"\n").unwrap_or(page);
    let lines = (!text.is_empty()).then(|| text.split(|byte| *byte == b'\n'));
    lines.into_iter().flatten()
}

/// Reads a page line by line, for pages that arrive in parts, as from a socket.
#[derive(Debug)]
pub struct Reader {
    format: Format,
    limits: Limits,
    line: usize,
    bytes: usize,
    samples: usize,
    metadata: usize,
    has_ended: bool,
    families: Vec<MetricFamily>,
    by_name: HashMap<String, usize>,
    /// The family of the sample that the last line held.
    newest: Option<usize>,
}

/// Which metadata a comment line holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keyword {
    Help,
    Type,
    Unit,
}

impl Reader {
    /// A reader at the beginning of a page.
    #[must_use]
    pub fn new(format: Format, limits: Limits) -> Self {
        Self {
            format,
            limits,
            line: 0,
            bytes: 0,
            samples: 0,
            metadata: 0,
            has_ended: false,
            families: Vec::new(),
            by_name: HashMap::new(),
            newest: None,
        }
    }

    /// Reads the next line, without its line feed.
    ///
    /// # Errors
    /// When Prometheus would refuse the line, and beyond the limits.
    pub fn push_line(&mut self, line: &[u8]) -> Result<(), ReadError> {
        self.line += 1;
        self.newest = None;
        self.read_line(line).map_err(|reason| ReadError {
            line: self.line,
            reason,
        })
    }

    /// Takes out of the reader the sample that the last line held, if it held one, with the family's place among those
    /// that [`Reader::finish`] returns. Whoever takes each sample can read a page of any size in the memory of its families.
    pub fn take_sample(&mut self) -> Option<(usize, Sample)> {
        let place = self.newest.take()?;
        let sample = self.families.get_mut(place)?.samples.pop()?;
        Some((place, sample))
    }

    /// The families, in the order in which they appeared.
    ///
    /// # Errors
    /// When a page in OpenMetrics does not end with `# EOF`.
    pub fn finish(self) -> Result<Vec<MetricFamily>, ReadError> {
        match self.format {
            Format::OpenMetrics if !self.has_ended => Err(ReadError {
                line: self.line.max(1),
                reason: Reason::NoEof,
            }),
            Format::Text | Format::OpenMetrics => Ok(self.families),
        }
    }

    fn read_line(&mut self, line: &[u8]) -> Result<(), Reason> {
        self.bytes = self.bytes.saturating_add(line.len() + 1);
        if self.bytes > self.limits.bytes.saturating_add(1) {
            return Err(Reason::TooManyBytes(self.limits.bytes));
        }
        let line = std::str::from_utf8(line).map_err(|_| Reason::Utf8)?;
        if self.has_ended {
            return Err(Reason::AfterEof);
        }
        match self.format {
            Format::Text => {
                let line = line.trim_start_matches([' ', '\t']);
                match line.strip_prefix('#') {
                    Some(comment) => self.read_text_comment(comment),
                    None if line.is_empty() => Ok(()),
                    None => self.read_sample(line),
                }
            }
            Format::OpenMetrics => match line.strip_prefix('#') {
                Some(comment) => self.read_open_metrics_comment(comment),
                None if line.is_empty() => Err(Reason::EmptyLine),
                None => self.read_sample(line),
            },
        }
    }

    /// Reads HELP and TYPE, and skips any other comment.
    fn read_text_comment(&mut self, comment: &str) -> Result<(), Reason> {
        let mut cursor = Cursor(comment);
        let has_blank = cursor.skip_blanks();
        let keyword = match cursor.take_while(|c| c.is_ascii_uppercase()) {
            "HELP" => Keyword::Help,
            "TYPE" => Keyword::Type,
            _ => return Ok(()),
        };
        if has_blank && cursor.skip_blanks() {
            self.read_metadata(cursor, keyword)
        } else {
            Ok(())
        }
    }

    fn read_open_metrics_comment(&mut self, comment: &str) -> Result<(), Reason> {
        let refused = || Reason::Comment(Cursor(comment).excerpt());
        if comment == " EOF" {
            self.has_ended = true;
            return Ok(());
        }
        let (keyword, rest) = comment
            .strip_prefix(' ')
            .and_then(|rest| rest.split_once(' '))
            .ok_or_else(refused)?;
        let keyword = match keyword {
            "HELP" => Keyword::Help,
            "TYPE" => Keyword::Type,
            "UNIT" => Keyword::Unit,
            _ => return Err(refused()),
        };
        self.read_metadata(Cursor(rest), keyword)
    }

    fn read_metadata(&mut self, mut cursor: Cursor<'_>, keyword: Keyword) -> Result<(), Reason> {
        let name = match cursor.take_quoted()? {
            Some(name) => name,
            None => cursor
                .take_name(true)
                .ok_or_else(|| Reason::MetricName(cursor.excerpt()))?
                .into(),
        };
        let has_blank = cursor.take(" ") || cursor.take("\t");
        if !has_blank && !cursor.0.is_empty() {
            return Err(Reason::MetricName(format!("{name}{}", cursor.excerpt())));
        }
        let text = cursor.0;
        let metric_type = match keyword {
            Keyword::Type => Some(metric_type(text, self.format)?),
            Keyword::Help | Keyword::Unit => None,
        };
        let has_unit = text.is_empty() || name.ends_with(&format!("_{text}"));
        if keyword == Keyword::Unit && !has_unit {
            return Err(Reason::Unit {
                family: name.into_owned(),
                unit: text.to_owned(),
            });
        }
        let escapes_quotes = self.format == Format::OpenMetrics;
        let place = self.place(&name)?;
        if keyword == Keyword::Help {
            self.hold(text.len())?;
        }
        let Some(family) = self.families.get_mut(place) else {
            return Ok(());
        };
        match keyword {
            Keyword::Help => family.help = Some(unescaped(text, escapes_quotes).into_owned()),
            Keyword::Unit => family.unit = Some(text.to_owned()),
            Keyword::Type => family.metric_type = metric_type.unwrap_or_default(),
        }
        Ok(())
    }

    fn read_sample(&mut self, line: &str) -> Result<(), Reason> {
        let sample = read_sample(line, self.format, &self.limits)?;
        self.samples += 1;
        if self.samples > self.limits.samples {
            return Err(Reason::TooManySamples(self.limits.samples));
        }
        let name = self.family_name(&sample).to_owned();
        let place = self.place(&name)?;
        if let Some(family) = self.families.get_mut(place) {
            family.samples.push(sample);
            self.newest = Some(place);
        }
        Ok(())
    }

    /// The family of a sample: one whose type allows the suffix of the sample's name, or else a family of that very
    /// name.
    fn family_name<'s>(&self, sample: &'s Sample) -> &'s str {
        let name = sample.name.as_str();
        let allows = |family: &str, suffix: &str| {
            let known = self.by_name.get(family).and_then(|place| self.families.get(*place));
            known.is_some_and(|known| known.metric_type.suffixes().contains(&suffix))
        };
        if allows(name, "") {
            return name;
        }
        // A suffix begins at an underscore; no family that the page declares is named differently.
        let ends = name.rmatch_indices('_').map(|(end, _)| name.split_at(end));
        let mut families = ends.take(1).filter(|(family, suffix)| allows(family, suffix));
        families.next().map_or(name, |(family, _)| family)
    }

    /// The place of the family of a name, which is made if there is none yet.
    fn place(&mut self, name: &str) -> Result<usize, Reason> {
        if let Some(place) = self.by_name.get(name) {
            return Ok(*place);
        }
        let place = self.families.len();
        if place >= self.limits.samples {
            return Err(Reason::TooManyFamilies(self.limits.samples));
        }
        self.hold(FAMILY + name.len())?;
        self.by_name.insert(name.to_owned(), place);
        self.families.push(MetricFamily {
            name: name.to_owned(),
            ..MetricFamily::default()
        });
        Ok(place)
    }

    /// Counts bytes that are held until the end of the page.
    fn hold(&mut self, bytes: usize) -> Result<(), Reason> {
        self.metadata = self.metadata.saturating_add(bytes);
        match self.metadata > self.limits.metadata {
            true => Err(Reason::TooMuchMetadata(self.limits.metadata)),
            false => Ok(()),
        }
    }
}

/// Bytes that count for a family beside its name and text.
const FAMILY: usize = 64;

fn metric_type(text: &str, format: Format) -> Result<MetricType, Reason> {
    let known = match format {
        Format::Text => "counter, gauge, histogram, summary or untyped",
        Format::OpenMetrics => "counter, gauge, histogram, gaugehistogram, summary, info, stateset or unknown",
    };
    let mut types = MetricType::ALL.iter().copied();
    types
        .find(|known| type_name(*known, format) == Some(text))
        .ok_or_else(|| Reason::MetricType(text.chars().take(60).collect(), known))
}
