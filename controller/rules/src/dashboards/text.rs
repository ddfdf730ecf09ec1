//! The text of a dashboard: JSON with one line for each panel, so that a difference of two dashboards shows the panels that
//! differ. Half as long as with a line for each field; the API server, etcd and Grafana's sidecar each keep a copy.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Serializer, ser::Formatter};

use super::Dashboard;

impl Dashboard {
    /// Its JSON, which ends with a line break.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = Vec::with_capacity(USUAL_SIZE);
        // Writing plain data into a Vec cannot fail, and JSON is UTF-8.
        let _ = self.serialize(&mut Serializer::with_formatter(&mut out, LineFormatter::default()));
        out.push(b'\n');
        String::from_utf8(out).unwrap_or_default()
    }
}

const USUAL_SIZE: usize = 32 << 10;

/// A line for each field of the outermost object and for each item of its lists.
#[derive(Debug, Default)]
struct LineFormatter {
    depth: usize,
}

/// Depth inside of the outermost object.
const FIELDS: usize = 1;
/// Depth inside of its lists.
const ITEMS: usize = 2;

impl LineFormatter {
    fn separate<W: ?Sized + Write>(&self, writer: &mut W, first: bool, lines_at: usize) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        if self.depth == lines_at {
            writer.write_all(b"\n")?;
        }
        Ok(())
    }
}

impl Formatter for LineFormatter {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        writer.write_all(b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.separate(writer, first, ITEMS)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        if self.depth < FIELDS {
            writer.write_all(b"\n")?;
        }
        writer.write_all(b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.separate(writer, first, FIELDS)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::{AlertSettings, ApiFacts, build_dashboard};

    #[test]
    fn each_panel_has_its_line_and_the_text_is_the_same_dashboard() {
        let api = ApiFacts {
            namespace: "shop",
            name: "orders",
            spelling: None,
            proxy: None,
            has_overall: false,
            target: metric_contract::TargetKind::ServiceMonitor,
            scrape_interval_seconds: 30,
            excluded_routes: &[],
            limits: crate::ApiLimits::default(),
            objectives: &[],
            compat: None,
        };
        let dashboard = build_dashboard(&api, &AlertSettings::default());
        let text = dashboard.to_json();
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read, serde_json::to_value(&dashboard).unwrap());
        let panels = text.lines().filter(|line| line.starts_with("{\"id\":")).count();
        assert_eq!(panels, dashboard.panels.len());
        assert!(text.starts_with("{\n\"uid\":") && text.ends_with("\n}\n"), "{text}");
    }
}
