//! Memory that the allocator holds. Only glibc reports it.

/// Memory of the allocator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocator {
    /// What the program has, bytes. What a thread keeps for its next allocations counts as used.
    pub used_bytes: u64,
    /// What the allocator has from the operating system, bytes.
    pub held_bytes: u64,
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn read() -> Option<Allocator> {
    malloc_info::malloc_info().ok().map(|info| figures(&info))
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn read() -> Option<Allocator> {
    None
}

/// `malloc_info(3)`: what the arenas have from the system, what of it is free, and blocks that are mappings of their own.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn figures(info: &malloc_info::info::Malloc) -> Allocator {
    use malloc_info::info::{SystemType, TotalType};
    let total = |wanted: TotalType| {
        let all = info.total.iter().filter(|total| total.r#type == wanted);
        all.map(|total| total.size as u64).sum::<u64>()
    };
    let arenas = info.system.iter().filter(|system| system.r#type == SystemType::Current);
    let held_bytes = arenas.map(|system| system.size as u64).sum::<u64>() + total(TotalType::Mmap);
    let free = total(TotalType::Fast) + total(TotalType::Rest);
    Allocator {
        used_bytes: held_bytes.saturating_sub(free),
        held_bytes,
    }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
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
