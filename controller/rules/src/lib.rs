//! PromQL, alerts, dashboards: the pure engine.
