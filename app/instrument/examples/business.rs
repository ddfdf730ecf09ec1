//! Metrics of a service's business through the typed handles: logins, requests to other services, orders and revenue.
//! One names what is meant; the dialect in use says how it is spelled.
//!
//! ```text
//! cargo run -p http-instrument --example business
//! ```

use std::{io::Write as _, time::Duration};

use http_instrument::{FamilyError, Format, HttpMetrics};
use metric_contract::{DialectId, MetricId};

/// The lines of the page that a day in a small shop makes.
pub(crate) fn lines() -> Result<String, FamilyError> {
    let metrics = HttpMetrics::new(DialectId::Native);

    // Handles are made once, at start: each series then exists at 0.
    let granted = metrics.counter(MetricId::AuthEvents, &["login", "granted"])?;
    let denied = metrics.counter(MetricId::AuthEvents, &["login", "denied"])?;
    let paid = metrics.counter(MetricId::ExternalRequests, &["payment", "200"])?;
    let unpaid = metrics.counter(MetricId::ExternalRequests, &["payment", "timeout"])?;
    let payment = metrics.histogram(MetricId::ExternalRequestDuration, &["payment"], Some(&[0.1, 1.0]))?;
    let placed = metrics.counter(MetricId::Orders, &["placed"])?;
    let shipped = metrics.counter(MetricId::Orders, &["shipped"])?;
    // Money is counted in the smallest unit: no fraction is lost.
    let revenue = metrics.counter(MetricId::RevenueMinorUnits, &["EUR"])?;

    granted.increment();
    denied.add(2);
    for (order, milliseconds) in [(1_999, 80), (450, 240)] {
        placed.increment();
        paid.increment();
        payment.observe(Duration::from_millis(milliseconds));
        revenue.add(order);
    }
    unpaid.increment();
    shipped.increment();

    let page = metrics.render(Format::Text);
    let is_http = |line: &&str| line.starts_with("http_") || line.starts_with("app_requests");
    let samples = page.lines().filter(|line| !line.starts_with('#') && !is_http(line));
    Ok(samples.collect::<Vec<_>>().join("\n"))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    writeln!(std::io::stdout(), "{}", lines()?)?;
    Ok(())
}
