//! The file `state.json` of a running test bed, for drivers that join it.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::paths::StateDir;
use crate::tools::Level;

/// A test bed that finished starting.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Started {
    pub(crate) level: Level,
    /// How many real nodes.
    pub(crate) nodes: usize,
}

/// The state of a running test bed; `None` if it doesn't run or never finished starting.
pub(crate) fn read_started(state: &StateDir) -> Result<Option<Started>> {
    if !state.is_alive()? {
        return Ok(None);
    }
    // The file is absent while the test bed starts, or if its driver was killed during the start.
    match std::fs::read(state.file("state.json")) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(_) => Ok(None),
    }
}
