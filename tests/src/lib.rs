//! Tests across the rooms and on a real cluster.
