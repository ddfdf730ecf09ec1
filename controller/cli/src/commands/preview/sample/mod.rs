//! Sample data: an hour of an invented API, from which every panel is drawn where there is no Prometheus. All panels tell of the
//! same hour: the requests by status add up to the request rate, and what is in flight follows from rate and latency. The same
//! MonitoredApi has the same hour each time.

mod measure;
mod world;

use controller_rules::{
    dashboards::{QueryDef, ShownPanel, ShownQuery, Visualization},
    queries::{ApiQueries, EventLabel},
};

use self::measure::measures;
use self::world::World;
use super::content::Content;
use super::data::{PanelData, Point, Series};

/// Seconds of the time that is shown.
pub(super) const SECONDS: f64 = 3_600.0;

/// The data of each panel, from the top.
pub(super) fn data(content: &Content) -> Vec<PanelData> {
    let facts = content.api.rule_facts();
    let queries = ApiQueries::for_panels(&facts);
    let world = World::new(&facts, content.api.workload.replicas);
    content
        .panels()
        .map(|panel| of_panel(panel, &queries, &world))
        .collect()
}

fn of_panel(panel: &ShownPanel, queries: &ApiQueries<'_>, world: &World) -> PanelData {
    if panel.def.visualization == Visualization::AlertList {
        return PanelData::Alerts(Vec::new());
    }
    let instant = panel.def.visualization.is_instant();
    let series = panel
        .queries
        .iter()
        .flat_map(|query| of_query(panel, query, queries, world));
    let points = |values: Vec<f64>| {
        let all = world
            .seconds()
            .zip(values)
            .map(|(seconds, value)| Point { seconds, value });
        let mut points: Vec<_> = all.collect();
        if instant {
            points.drain(..points.len().saturating_sub(1));
        }
        points
    };
    let mut series: Vec<_> = series
        .map(|(name, values)| Series {
            name,
            points: points(values),
        })
        .collect();
    if instant {
        series.sort_by(|one, other| other.last().total_cmp(&one.last()));
    }
    PanelData::of(series, "there is no sample for this panel")
}

/// The series of a query: name and values.
fn of_query(
    panel: &ShownPanel,
    query: &ShownQuery,
    queries: &ApiQueries<'_>,
    world: &World,
) -> Vec<(String, Vec<f64>)> {
    let place = panel.def.queries.iter().position(|def| std::ptr::eq(def, query.def));
    let Some(measure) = place.and_then(|place| measures(panel.def.id).get(place)) else {
        return Vec::new();
    };
    // Where there is no label for the method, the route stands alone.
    let by: Vec<_> = query
        .def
        .by
        .iter()
        .copied()
        .filter(|by| queries.label(*by).is_ok())
        .collect();
    let series = measure.series(world, &by).into_iter();
    series
        .map(|(labels, values)| (name(query.def, &labels), values))
        .collect()
}

/// The name of a series as the panel's legend makes it.
fn name(def: &QueryDef, labels: &[String]) -> String {
    let parts = std::iter::once(def.legend).chain(labels.iter().map(String::as_str));
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Whether series differ by this label's route.
const fn is_route(by: EventLabel) -> bool {
    matches!(by, EventLabel::Route | EventLabel::TimedRoute)
}

/// Whether series differ by this label's method.
const fn is_method(by: EventLabel) -> bool {
    matches!(by, EventLabel::Method | EventLabel::TimedMethod)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_of_every_panel_has_a_measure() {
        for panel in controller_rules::reference::panels() {
            assert_eq!(measures(panel.id).len(), panel.queries.len(), "{}", panel.title);
        }
    }
}
