//! Reads and writes metrics pages: Prometheus text 0.0.4 and OpenMetrics 1.0.
//!
//! [`read`] takes what a Prometheus server takes from a scrape and refuses what it refuses, with the line and the reason.
//! It is bounded by [`Limits`] and never panics, so that it can read pages of untrusted programs.
//! [`Writer`] writes a page of either format; [`text`] has the pieces for those who keep printed labels. Pure: no I/O.
//!
//! ```
//! use exposition::{Format, Limits, MetricType, Writer, read};
//!
//! let mut page = Writer::new(Format::Text);
//! page.family("http_requests_total", MetricType::Counter, "Requests answered.");
//! page.sample("http_requests_total", [("method", "GET")], 3.0);
//! let page = page.finish();
//!
//! let families = read(page.as_bytes(), Format::Text, &Limits::default())?;
//! assert_eq!(families[0].samples[0].label("method"), Some("GET"));
//! # Ok::<(), exposition::ReadError>(())
//! ```

pub mod check;
mod cursor;
mod error;
mod family;
mod format;
mod limits;
mod number;
mod reader;
mod sample_line;
pub mod text;
mod writer;

pub use error::{ReadError, Reason};
pub use family::{Exemplar, Labels, MetricFamily, MetricType, Sample};
pub use format::Format;
pub use limits::Limits;
pub use reader::{Reader, lines, read};
pub use writer::Writer;
