//! Runs work on a thread and a runtime of its own. The kernel gives each thread its share of the processor, so this work goes
//! on when the main runtime is busy with requests for seconds.

use std::{io::Result, thread};

use tokio::{runtime::Builder, sync::oneshot};

/// Runs the work to its end.
///
/// # Errors
/// The thread or its runtime cannot be made.
pub(super) async fn run<F: Future<Output = ()>>(name: &str, work: impl FnOnce() -> F + Send + 'static) -> Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (ended, end) = oneshot::channel();
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        runtime.block_on(work());
        // Nobody waits any more if the main runtime has ended.
        let _ = ended.send(());
    })?;
    if end.await.is_err() {
        tracing::error!(thread = name, "the thread ended by a panic");
    }
    Ok(())
}
