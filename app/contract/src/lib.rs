//! Signals, dialects and metric families as data: the only place a metric name is spelled.
