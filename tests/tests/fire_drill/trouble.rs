//! A trouble that goes on.

use std::any::Any;

use anyhow::Result;

/// What goes on until the alerts have resolved, such as traffic that succeeds; it ends when it is dropped.
pub(crate) type Recovery = Box<dyn Any>;
/// Ends a trouble that goes on.
pub(crate) type Trouble = Box<dyn FnOnce() -> Result<Recovery>>;
