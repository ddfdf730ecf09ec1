//! The forms of text in a pod, after Kubernetes' own checks.

use std::net::IpAddr;

use super::rule::Form;
use crate::validate::{env, syntax};

/// Longest name of a port (RFC 6335).
const MAX_PORT_NAME: usize = 15;
/// Longest name of a CSI driver.
const MAX_DRIVER: usize = 63;
/// Longest name of a kernel parameter, and of a key of a ConfigMap.
const MAX_NAME: usize = 253;

pub(super) const DNS_LABEL: Form = Form {
    noun: "name",
    is: syntax::is_dns_label,
    instead: "at most 63 lower case letters, digits and hyphens, beginning and ending with a letter or digit, for example log-shipper",
};

pub(super) const OBJECT_NAME: Form = Form {
    noun: "object name",
    is: syntax::is_dns_subdomain,
    instead: "lower case letters, digits, - and ., for example orders-db",
};

pub(super) const HOST_NAME: Form = Form {
    noun: "host name",
    is: syntax::is_dns_subdomain,
    instead: "lower case letters, digits, - and ., for example db.example.org",
};

pub(super) const SEARCH_DOMAIN: Form = Form {
    noun: "search domain",
    is: is_search_domain,
    instead: "a DNS name, for example shop.example.org",
};

pub(super) const LABEL_KEY: Form = Form {
    noun: "label key",
    is: syntax::is_key,
    instead: "an optional DNS name with a slash, then at most 63 letters, digits, -, _ and ., for example example.com/team",
};

pub(super) const LABEL_VALUE: Form = Form {
    noun: "label value",
    is: syntax::is_label_value,
    instead: "at most 63 letters, digits, -, _ and ., beginning and ending with a letter or digit, for example team-a",
};

pub(super) const PORT_NAME: Form = Form {
    noun: "port name",
    is: is_port_name,
    instead: "at most 15 lower case letters, digits and single hyphens, with a letter among them, for example admin",
};

pub(super) const VARIABLE_NAME: Form = Form {
    noun: "variable name",
    is: env::is_env_name,
    instead: "letters, digits, _, - and ., for example LOG_LEVEL",
};

pub(super) const CONFIG_KEY: Form = Form {
    noun: "key",
    is: is_config_key,
    instead: "letters, digits, -, _ and ., for example password",
};

pub(super) const IP: Form = Form {
    noun: "IP address",
    is: is_ip,
    instead: "an IPv4 or IPv6 address, for example 10.0.0.1",
};

pub(super) const PATH_BELOW: Form = Form {
    noun: "relative path",
    is: is_path_below,
    instead: "a path that doesn't begin with / and has no .., for example certs/ca.pem",
};

pub(super) const FILE_PATH: Form = Form {
    noun: "file path",
    is: is_file_path,
    instead: "a path that begins with neither / nor .., for example certs/ca.pem",
};

pub(super) const PATH_WITHOUT_DOTS: Form = Form {
    noun: "path",
    is: has_no_backsteps,
    instead: "a path without .., for example /dev/xvda",
};

pub(super) const ABSOLUTE_PATH: Form = Form {
    noun: "path",
    is: |text| text.starts_with('/'),
    instead: "an absolute path, for example /exports/orders",
};

pub(super) const KERNEL_PARAMETER: Form = Form {
    noun: "name of a kernel parameter",
    is: is_kernel_parameter,
    instead: "lower case names with dots, for example net.core.somaxconn",
};

pub(super) const HEADER_NAME: Form = Form {
    noun: "header name",
    is: is_header_name,
    instead: "letters, digits and hyphens, for example X-Probe",
};

pub(super) const CSI_DRIVER: Form = Form {
    noun: "name of a CSI driver",
    is: |text| text.len() <= MAX_DRIVER && syntax::is_dns_subdomain(&text.to_ascii_lowercase()),
    instead: "a DNS name, for example secrets-store.csi.k8s.io",
};

pub(super) const UNPADDED: Form = Form {
    noun: "profile",
    is: |text| !text.is_empty() && text.trim() == text && text.len() < 4096,
    instead: "the name of a profile without spaces around it, for example k8s-orders",
};

fn is_port_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= MAX_PORT_NAME
        && text.bytes().all(inner)
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
        && !text.contains("--")
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_config_key(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.len() <= MAX_NAME && text.bytes().all(inner) && text != "." && !text.starts_with("..")
}

/// Kubernetes 1.36 refuses IPv4 addresses in the form of IPv6, older releases take them.
fn is_ip(text: &str) -> bool {
    match text.parse() {
        Ok(IpAddr::V4(_)) => true,
        Ok(IpAddr::V6(address)) => address.to_ipv4_mapped().is_none(),
        Err(_) => false,
    }
}

/// The root, or a DNS name in which underscores are allowed; a dot may end it.
fn is_search_domain(text: &str) -> bool {
    let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let label = |part: &str| {
        let part = part.strip_prefix('_').unwrap_or(part);
        part.starts_with(ends) && part.ends_with(ends) && part.chars().all(|c| ends(c) || matches!(c, '-' | '_'))
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    text == "." || (name.len() <= MAX_NAME && name.split('.').all(label))
}

fn has_no_backsteps(text: &str) -> bool {
    !text.split('/').any(|part| part == "..")
}

fn is_path_below(text: &str) -> bool {
    !text.starts_with('/') && has_no_backsteps(text)
}

fn is_file_path(text: &str) -> bool {
    is_path_below(text) && !text.starts_with("..")
}

fn is_kernel_parameter(text: &str) -> bool {
    let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let inner = |c: char| ends(c) || matches!(c, '-' | '_');
    let segment = |part: &str| part.starts_with(ends) && part.ends_with(ends) && part.chars().all(inner);
    text.len() <= MAX_NAME && text.split(['.', '/']).all(segment)
}

fn is_header_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_judged_as_kubernetes_judges_them() {
        let cases: [(&Form, &[&str], &[&str]); 9] = [
            (
                &PORT_NAME,
                &["http", "a1", "1a", "a-b"],
                &["", "8080", "a--b", "-a", "A", "longer-than-15-c"],
            ),
            (&CONFIG_KEY, &["a", ".env", "A_b-c.d"], &["", ".", "..", "..a", "a/b"]),
            (
                &IP,
                &["10.0.0.1", "::1"],
                &[
                    "",
                    "010.0.0.1",
                    "::ffff:10.0.0.1",
                    "10.0.0",
                    "a",
                    "10.0.0.256",
                    "fe80::1%eth0",
                ],
            ),
            (&SEARCH_DOMAIN, &[".", "a.b.", "_tcp.a"], &["a..b", "A", "a_"]),
            (&PATH_BELOW, &["a/b", "..a", "."], &["/a", "a/../b", ".."]),
            (&FILE_PATH, &["a/b", ".a"], &["/a", "..a", "../a"]),
            (
                &KERNEL_PARAMETER,
                &["net.core.somaxconn", "net/ipv4/ip_forward"],
                &["", "A", "a..b", "a.-"],
            ),
            (&HEADER_NAME, &["X-Probe", "x-1"], &["", "a b", "x_1"]),
            (&CSI_DRIVER, &["secrets-store.csi.k8s.io", "Driver.io"], &["a b", "-a"]),
        ];
        for (form, good, bad) in cases {
            for text in good {
                assert!((form.is)(text), "{text:?} is a {}", form.noun);
            }
            for text in bad {
                assert!(!(form.is)(text), "{text:?} is no {}", form.noun);
            }
        }
    }
}
