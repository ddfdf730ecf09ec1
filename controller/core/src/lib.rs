//! From a MonitoredApi to a plan of objects, and from what happened to a status: pure.
