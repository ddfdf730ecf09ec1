//! Addresses with weights, and the order in which requests go to them.

use std::str::FromStr;

use http::Uri;
use http::uri::{Authority, Scheme};

/// The largest weight. What more would say is a share that no test can measure.
const LARGEST_WEIGHT: u32 = 1_000;

/// An address to which requests go, written `[WEIGHT=]URL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    uri: Uri,
    authority: Authority,
    secure: bool,
    weight: u32,
}

impl Target {
    /// The whole address.
    #[must_use]
    pub const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// How many requests go here, beside the weights of the others; 1 to 1,000.
    #[must_use]
    pub const fn weight(&self) -> u32 {
        self.weight
    }

    /// Host and port as the address names them.
    #[must_use]
    pub const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// What a connection is made to.
    #[must_use]
    pub fn origin(&self) -> Origin {
        let host = self.authority.host();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        Origin {
            secure: self.secure,
            host: bare.unwrap_or(host).to_ascii_lowercase(),
            port: self.authority.port_u16().unwrap_or(if self.secure { 443 } else { 80 }),
        }
    }
}

/// A host and port, and whether it speaks TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Whether the connection is encrypted.
    pub secure: bool,
    /// A name or an IP address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// A text that is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseTargetError {
    /// Not an address.
    #[error(
        "{0:?} is not a valid address: use http:// or https:// with a host, for example http://127.0.0.1:8080/orders"
    )]
    Address(String),
    /// The address holds a name or password, which would stand in reports.
    #[error("the address holds a user name or a password: use --header \"Authorization: Basic …\" instead")]
    Credentials,
    /// Not a weight.
    #[error(
        "{0:?} is not a valid weight: use a whole number from 1 to 1000, for example 3=http://127.0.0.1:8080/orders"
    )]
    Weight(String),
}

impl FromStr for Target {
    type Err = ParseTargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // An address has a colon before its first equals sign, a weight has none.
        let (weight, address) = match text.split_once('=') {
            Some((weight, address)) if !weight.contains(':') => (Some(weight), address),
            _ => (None, text),
        };
        let weight = match weight {
            None => 1,
            Some(weight) => {
                let number = weight.parse().ok();
                number
                    .filter(|number| (1..=LARGEST_WEIGHT).contains(number))
                    .ok_or_else(|| ParseTargetError::Weight(weight.to_owned()))?
            }
        };
        let wrong = || ParseTargetError::Address(address.to_owned());
        let uri: Uri = address.parse().map_err(|_| wrong())?;
        let secure = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?.clone();
        if authority.as_str().contains('@') {
            return Err(ParseTargetError::Credentials);
        }
        // What stands behind the last colon and is no port, as in `http://host:99999`, is refused by nobody before.
        let after_host = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        let port_is_right = after_host.is_empty() || authority.port_u16().is_some_and(|port| port != 0);
        if authority.host().is_empty() || !port_is_right {
            return Err(wrong());
        }
        Ok(Self {
            uri,
            authority,
            secure,
            weight,
        })
    }
}

/// In which order requests go to several targets: each by its weight, as evenly mixed as possible (the smooth weighted round robin
/// of nginx).
#[derive(Debug, Clone)]
pub struct WeightedOrder {
    weights: Vec<i64>,
    credits: Vec<i64>,
}

impl WeightedOrder {
    /// The order for these targets.
    #[must_use]
    pub fn new(targets: &[Target]) -> Self {
        Self {
            weights: targets.iter().map(|target| i64::from(target.weight())).collect(),
            credits: vec![0; targets.len()],
        }
    }

    /// The index of the next target.
    pub fn next_index(&mut self) -> usize {
        let mut best = (0, i64::MIN);
        let mut sum = 0;
        for (index, (credit, weight)) in self.credits.iter_mut().zip(&self.weights).enumerate() {
            *credit += weight;
            sum += weight;
            if *credit > best.1 {
                best = (index, *credit);
            }
        }
        if let Some(credit) = self.credits.get_mut(best.0) {
            *credit -= sum;
        }
        best.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_a_weight_in_front_of_it_or_counts_once() {
        assert_eq!(target("http://127.0.0.1:8080/orders").weight(), 1);
        let weighted = target("3=http://127.0.0.1:8080/orders?page=2");
        assert_eq!((weighted.weight(), weighted.uri().query()), (3, Some("page=2")));
        assert_eq!(target("http://localhost/?a=b").weight(), 1);
    }

    #[test]
    fn an_address_tells_whom_to_connect_to() {
        let origin = |text| target(text).origin();
        let plain = |host: &str, port| Origin {
            secure: false,
            host: host.to_owned(),
            port,
        };
        assert_eq!(origin("http://Orders.example"), plain("orders.example", 80));
        assert_eq!(origin("http://[::1]:8080/"), plain("::1", 8080));
        let secure = origin("https://orders.example/x");
        assert!(secure.secure && secure.port == 443);
    }

    #[test]
    fn a_text_that_is_no_address_is_refused_with_what_to_write() {
        for text in [
            "",
            "127.0.0.1:8080",
            "/orders",
            "ftp://host/",
            "http://",
            "http://:80/",
            "http://host:99999/",
            "http://host:0/",
            "http://a b/",
        ] {
            let error = text.parse::<Target>().unwrap_err();
            assert!(matches!(error, ParseTargetError::Address(_)), "{text}: {error}");
        }
        for text in [
            "0=http://h/",
            "1001=http://h/",
            "x=http://h/",
            "=http://h/",
            "-1=http://h/",
        ] {
            let error = text.parse::<Target>().unwrap_err();
            assert!(matches!(error, ParseTargetError::Weight(_)), "{text}: {error}");
        }
        let error = "http://me:secret@host/".parse::<Target>().unwrap_err();
        assert_eq!(error, ParseTargetError::Credentials);
        assert!(!error.to_string().contains("secret"));
    }

    #[test]
    fn requests_go_to_each_target_by_its_weight_and_evenly_mixed() {
        let targets = ["5=http://a/", "http://b/", "http://c/"].map(target);
        let mut order = WeightedOrder::new(&targets);
        let round: Vec<_> = (0..7).map(|_| order.next_index()).collect();
        assert_eq!(round, [0, 0, 1, 0, 2, 0, 0]);
        let again: Vec<_> = (0..7).map(|_| order.next_index()).collect();
        assert_eq!(again, round);
    }
}
