//! The MonitoredApi resource: types, defaults, CEL rules, condition names.
