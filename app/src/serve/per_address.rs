//! Counts the connections of each client address, so that one client cannot take all of them.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Bits of an IPv6 address that identify a network. One client may have all addresses of a network.
const IPV6_NETWORK: u32 = 64;

/// Connections of each address, up to a cap; without a cap nothing is counted.
#[derive(Debug, Clone)]
pub(super) struct ConnectionsPerAddress {
    cap: Option<usize>,
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl ConnectionsPerAddress {
    pub(super) fn new(cap: Option<usize>) -> Self {
        Self {
            cap,
            counts: Arc::default(),
        }
    }

    /// Counts one more connection of this address, until the guard is dropped; `None` if the cap is reached.
    pub(super) fn enter(&self, address: IpAddr) -> Option<AddressGuard> {
        let Some(cap) = self.cap else {
            return Some(AddressGuard { counted: None });
        };
        let address = network(address);
        let mut counts = self.lock();
        let count = counts.entry(address).or_insert(0);
        if *count >= cap {
            return None;
        }
        *count += 1;
        Some(AddressGuard {
            counted: Some((self.clone(), address)),
        })
    }

    fn leave(&self, address: IpAddr) {
        let mut counts = self.lock();
        let left = counts.get_mut(&address).map(|count| {
            *count = count.saturating_sub(1);
            *count
        });
        if left == Some(0) {
            counts.remove(&address);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // Nothing panics while it is held.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a connection counted until it is dropped.
#[derive(Debug)]
pub(super) struct AddressGuard {
    counted: Option<(ConnectionsPerAddress, IpAddr)>,
}

impl Drop for AddressGuard {
    fn drop(&mut self) {
        if let Some((counts, address)) = &self.counted {
            counts.leave(*address);
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let mask = u128::MAX << (128 - IPV6_NETWORK);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_no_more_than_the_cap_and_others_are_not_concerned() {
        let counts = ConnectionsPerAddress::new(Some(2));
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = counts.enter(address("10.0.0.1"));
        let second = counts.enter(address("::ffff:10.0.0.1"));
        assert!(first.is_some() && second.is_some());
        assert!(
            counts.enter(address("10.0.0.1")).is_none(),
            "mapped into IPv6 it is the same"
        );
        assert!(counts.enter(address("10.0.0.2")).is_some());
        drop(first);
        assert!(counts.enter(address("10.0.0.1")).is_some());
        drop(second);
        assert!(counts.lock().is_empty(), "what is gone takes no memory");
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let counts = ConnectionsPerAddress::new(Some(1));
        let _one = counts.enter("2001:db8::1".parse().unwrap());
        assert!(counts.enter("2001:db8::ffff:2".parse().unwrap()).is_none());
        assert!(counts.enter("2001:db8:0:1::1".parse().unwrap()).is_some());
    }

    #[test]
    fn without_a_cap_everybody_enters() {
        let counts = ConnectionsPerAddress::new(None);
        let all: Vec<_> = (0..100).map(|_| counts.enter([127, 0, 0, 1].into())).collect();
        assert!(all.iter().all(Option::is_some));
    }
}
