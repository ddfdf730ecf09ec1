//! The allocator, and the memory that it holds.

use tikv_jemalloc_ctl::{epoch, stats};

/// glibc's keeps free memory for each thread apart. With clients that send large bodies and take large responses that was more
/// than half of a limit of 64 MiB, and the kernel killed the process. Set up in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Memory of the allocator. SQLite has one of its own, which is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocator {
    /// What the program has, bytes. What a thread keeps for its next allocations counts as used.
    pub used_bytes: u64,
    /// What the allocator has from the operating system, bytes.
    pub held_bytes: u64,
}

pub(super) fn read() -> Option<Allocator> {
    // The figures are those of the last advance.
    epoch::advance().ok()?;
    Some(Allocator {
        used_bytes: stats::allocated::read().ok()? as u64,
        held_bytes: stats::resident::read().ok()? as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_the_program_takes_is_used_and_gone_again() {
        const MUCH: usize = 64 << 20;
        let before = read().unwrap();
        let taken = vec![1_u8; MUCH];
        let during = read().unwrap();
        assert!(
            during.used_bytes >= before.used_bytes + MUCH as u64 / 2 && during.held_bytes >= during.used_bytes,
            "{before:?} {during:?}"
        );
        drop(taken);
        let after = read().unwrap();
        assert!(
            after.used_bytes < during.used_bytes - MUCH as u64 / 2,
            "{during:?} {after:?}"
        );
    }
}
