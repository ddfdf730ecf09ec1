//! What the operator reads of the pods themselves: how they spell their metrics.
//!
//! A pod says what it likes, so what it says is advice. It can name the families and labels that rules read, and nothing else: no
//! value, no text and no address of it gets anywhere. It never takes a rule away, and what was once known changes only when
//! several answers agree. Pure: the requests are made by the operator.

mod address;
mod known_page;
mod memory;
mod page_error;
mod pod;
mod recorded;
mod schedule;

pub use address::{PodAddressing, WorkloadOfPod, address_to_probe, is_of_workload};
pub use known_page::KnownPage;
pub use memory::{Change, Need, PageFinding, PageMemory, Reading, Trouble};
pub use page_error::PageError;
pub use pod::{Candidate, candidate};
pub use recorded::{from_status, recorded_page, to_status};
pub use schedule::wait;
