//! Which address of a pod is asked for its metrics.
//!
//! The operator stands inside the cluster, so what it can be made to ask matters (server-side request forgery). It asks an address
//! only because Kubernetes gave it to a pod of the workload that is monitored, and even then none by which a machine, and
//! not a pod, answers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The workload that a pod must be of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkloadOfPod<'a> {
    /// A Deployment of this name. Its ReplicaSets are not read: their names begin with it.
    Deployment(&'a str),
    /// A StatefulSet or DaemonSet of this kind and uid, which controls its pods itself.
    Controller(&'a str, &'a str),
}

impl Default for WorkloadOfPod<'_> {
    fn default() -> Self {
        Self::Deployment("")
    }
}

/// What a pod object says of its addresses and of its origin.
#[derive(Debug, Clone, Copy, Default)]
pub struct PodAddressing<'a> {
    /// The workload that it must be of.
    pub workload: WorkloadOfPod<'a>,
    /// The label by which the workload's controller tells pods of different templates apart.
    pub template_hash: &'a str,
    /// Kind and name of its controlling owner.
    pub controller: Option<(&'a str, &'a str)>,
    /// uid of its controlling owner.
    pub controller_uid: &'a str,
    /// `status.podIP`.
    pub pod_ip: &'a str,
    /// `status.hostIP`.
    pub host_ip: &'a str,
    /// `spec.hostNetwork`.
    pub host_network: bool,
}

/// The address of a pod that may be asked. `None`: it has none yet, it is not a pod of the MonitoredApi's workload, or the address
/// is not one that pods have.
#[must_use]
pub fn address_to_probe(pod: PodAddressing<'_>) -> Option<IpAddr> {
    let address: IpAddr = pod.pod_ip.parse().ok()?;
    let host: Option<IpAddr> = pod.host_ip.parse().ok();
    (is_of_workload(pod) && !pod.host_network && host != Some(address) && is_of_pods(address)).then_some(address)
}

/// Whether the workload's controller made the pod: a label alone proves nothing, because anybody may set it.
#[must_use]
pub fn is_of_workload(pod: PodAddressing<'_>) -> bool {
    let is_controlled = match pod.workload {
        WorkloadOfPod::Deployment(name) => {
            let replica_set = format!("{name}-{}", pod.template_hash);
            pod.controller == Some(("ReplicaSet", &replica_set))
        }
        WorkloadOfPod::Controller(kind, uid) => {
            !uid.is_empty() && pod.controller_uid == uid && pod.controller.is_some_and(|(known, _)| known == kind)
        }
    };
    is_controlled && !pod.template_hash.is_empty()
}

/// Addresses outside the link-local ranges at which clouds answer with credentials of the machine.
const METADATA: [IpAddr; 3] = [
    // Alibaba Cloud.
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    // Oracle Cloud.
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    // Amazon Web Services.
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// Whether a pod can have the address. 100.64.0.0/10 is not refused: Amazon's and Google's clusters give it to pods.
fn is_of_pods(address: IpAddr) -> bool {
    let is_local = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast() || v4.octets().first() == Some(&0),
        // An IPv4 address in disguise would pass the checks of the other family.
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.to_ipv4().is_some(),
    };
    !(is_local
        || address.is_loopback()
        || address.is_multicast()
        || address.is_unspecified()
        || METADATA.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: PodAddressing<'static> = PodAddressing {
        workload: WorkloadOfPod::Deployment("orders"),
        template_hash: "6d4b75cb6d",
        controller: Some(("ReplicaSet", "orders-6d4b75cb6d")),
        controller_uid: "5b1c",
        pod_ip: "10.1.2.3",
        host_ip: "10.0.0.7",
        host_network: false,
    };

    #[test]
    fn a_pod_of_the_deployment_is_asked_at_its_own_address() {
        for ip in [
            "10.1.2.3",
            "100.64.7.7",
            "192.168.1.1",
            "203.0.113.9",
            "fd00::17",
            "2001:db8::1",
        ] {
            let pod = PodAddressing { pod_ip: ip, ..POD };
            assert_eq!(address_to_probe(pod), ip.parse().ok(), "{ip}");
        }
    }

    #[test]
    fn no_address_at_which_a_machine_or_a_cloud_answers_is_asked() {
        for ip in [
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "169.254.169.254",
            "fe80::a9fe:a9fe",
            "::ffff:169.254.169.254",
            "::ffff:10.1.2.3",
            "::10.1.2.3",
            "100.100.100.200",
            "192.0.0.192",
            "fd00:ec2::254",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
            "10.0.0.7",
            "",
            "kubernetes.default",
            "10.1.2.3:80",
        ] {
            assert_eq!(address_to_probe(PodAddressing { pod_ip: ip, ..POD }), None, "{ip}");
        }
    }

    #[test]
    fn a_pod_that_is_not_of_the_deployment_or_shares_its_nodes_network_is_not_asked() {
        let others = [
            PodAddressing {
                host_network: true,
                ..POD
            },
            PodAddressing {
                controller: None,
                ..POD
            },
            PodAddressing {
                controller: Some(("StatefulSet", "orders-6d4b75cb6d")),
                ..POD
            },
            PodAddressing {
                controller: Some(("ReplicaSet", "users-6d4b75cb6d")),
                ..POD
            },
            PodAddressing {
                template_hash: "",
                controller: Some(("ReplicaSet", "orders-")),
                ..POD
            },
        ];
        for pod in others {
            assert_eq!(address_to_probe(pod), None, "{pod:?}");
        }
    }

    #[test]
    fn a_pod_of_a_stateful_set_or_daemon_set_is_asked_only_if_that_one_controls_it() {
        for kind in ["StatefulSet", "DaemonSet"] {
            let pod = PodAddressing {
                workload: WorkloadOfPod::Controller(kind, "5b1c"),
                template_hash: "orders-7d9f",
                controller: Some((kind, "orders")),
                ..POD
            };
            assert!(address_to_probe(pod).is_some(), "{pod:?}");
            let others = [
                PodAddressing {
                    controller_uid: "another",
                    ..pod
                },
                PodAddressing {
                    controller: Some(("ReplicaSet", "orders")),
                    ..pod
                },
                PodAddressing {
                    controller: None,
                    ..pod
                },
                PodAddressing {
                    template_hash: "",
                    ..pod
                },
                PodAddressing {
                    workload: WorkloadOfPod::Controller(kind, ""),
                    controller_uid: "",
                    ..pod
                },
                PodAddressing {
                    host_network: true,
                    ..pod
                },
            ];
            for other in others {
                assert_eq!(address_to_probe(other), None, "{other:?}");
            }
        }
    }
}
