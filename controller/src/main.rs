//! The operator and the command line monitored-api.

fn main() {}
