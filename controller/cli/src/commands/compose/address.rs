//! Addresses of targets, mail servers and webhooks: on this machine they have another name inside of a container.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// The name by which containers reach the machine that they run on.
const HOST_OF_CONTAINERS: &str = "host.docker.internal";

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address {
    pub(super) host: Host,
    pub(super) port: u16,
}

/// A host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Host {
    Ip(IpAddr),
    Name(String),
}

impl Address {
    /// Whether it is on the machine where the command runs.
    pub(super) fn is_this_machine(&self) -> bool {
        match &self.host {
            Host::Ip(ip) => ip.is_loopback() || ip.is_unspecified(),
            Host::Name(name) => name == "localhost",
        }
    }

    /// The same address as a container reaches it.
    pub(super) fn seen_by_containers(&self) -> Self {
        if !self.is_this_machine() {
            return self.clone();
        }
        Self {
            host: Host::Name(HOST_OF_CONTAINERS.to_owned()),
            port: self.port,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]:{}", self.port),
            Host::Ip(IpAddr::V4(ip)) => write!(f, "{ip}:{}", self.port),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || format!("{text:?} is not a valid address: use HOST:PORT, for example orders.example.org:8000");
        let (host, port) = text.rsplit_once(':').ok_or_else(invalid)?;
        let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(invalid)?;
        let host = Host::parse(host).ok_or_else(invalid)?;
        Ok(Self { host, port })
    }
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return inner.parse::<Ipv6Addr>().ok().map(|ip| Self::Ip(ip.into()));
        }
        if let Ok(ip) = text.parse::<IpAddr>() {
            // One of version 6 stands in brackets, or its end would be taken for the port.
            return ip.is_ipv4().then_some(Self::Ip(ip));
        }
        let is_label = |label: &str| {
            let inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            (1..=63).contains(&label.len())
                && label.chars().all(inner)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // What is only digits and dots is a mistyped address.
        let is_name =
            text.len() <= 253 && text.split('.').all(is_label) && text.contains(|c: char| c.is_ascii_alphabetic());
        is_name.then(|| Self::Name(text.to_ascii_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_name_or_an_ip_address_with_a_port() {
        for text in [
            "orders:8000",
            "a.b-c.example.org:1",
            "10.0.0.1:65535",
            "[2001:db8::1]:80",
            "node-1:80",
            "my_api:80",
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "orders",
            ":80",
            "orders:",
            "orders:0",
            "orders:65536",
            "orders:http",
            "http://orders:80",
            "::1:80",
            "a b:80",
            "-a:80",
            "300.0.0.1:80",
            "a..b:80",
        ] {
            let told = text.parse::<Address>().unwrap_err();
            assert!(told.contains("use HOST:PORT"), "{text}: {told}");
        }
    }

    #[test]
    fn addresses_of_this_machine_have_another_name_inside_of_a_container() {
        let seen = |text: &str| text.parse::<Address>().unwrap().seen_by_containers().to_string();
        for here in ["localhost:80", "127.0.0.1:80", "127.1.2.3:80", "[::1]:80", "0.0.0.0:80"] {
            assert_eq!(seen(here), "host.docker.internal:80");
        }
        assert_eq!(seen("orders:80"), "orders:80");
        assert_eq!(seen("10.0.0.1:80"), "10.0.0.1:80");
    }
}
