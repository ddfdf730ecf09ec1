//! A proxy or a mesh that counts the requests of the workloads behind it, and by which labels its series name a workload.
//!
//! Prometheus scrapes the proxy, so `namespace` and `job` of its series are those of the proxy. Which workload a series is about
//! stands in other labels, and a table says in which.

/// A proxy or a mesh, as the source of an API's requests.
#[derive(Debug, Clone, Copy)]
pub struct Proxy {
    /// The sets of conditions by which a series is of a workload: one that fulfils all of a set is. There are several where the
    /// labels depend on how the proxy is scraped; no series fulfils two of them.
    pub series: &'static [&'static [Condition]],
    /// Whether kubelet's probes and Prometheus' scrapes of the pods pass it and count, so that their routes have to be left out
    /// where its series have a route.
    pub sees_probes: bool,
    /// Which targets Prometheus must scrape, for people.
    pub targets: &'static str,
    /// What is to be known of the figures, for people.
    pub figures: &'static str,
    /// What to look at where Prometheus has series of others behind the proxy and none of the workload, for people.
    pub uncounted: &'static str,
}

/// A condition on one label of a proxy's series. Names and values may hold placeholders, each in braces: `{namespace}`,
/// `{workload}` and `{kind}` (`deployment`, `statefulset`, `daemonset`) of the workload; `{service}` and `{port}` of the Service
/// in front of it, where a port stands for its number and its name; `{name}` for the names that the author says the proxy gives
/// the workload, in whose place the other values are not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// The label, as Prometheus stores it.
    pub label: &'static str,
    /// Whether the label must have one of the values, or must have none of them.
    pub is: bool,
    /// The values. An empty one stands for a series without the label.
    pub values: &'static [&'static str],
    /// Whether the proxy writes several hyphens in a row as one, where it makes a value of names of Kubernetes.
    pub single_hyphens: bool,
}

impl Condition {
    /// The label has one of the values.
    #[must_use]
    pub const fn one_of(label: &'static str, values: &'static [&'static str]) -> Self {
        Self {
            label,
            is: true,
            values,
            single_hyphens: false,
        }
    }

    /// The label has none of the values.
    #[must_use]
    pub const fn none_of(label: &'static str, values: &'static [&'static str]) -> Self {
        Self {
            label,
            is: false,
            values,
            single_hyphens: false,
        }
    }

    /// The same for a proxy that writes several hyphens in a row as one.
    #[must_use]
    pub const fn with_single_hyphens(self) -> Self {
        Self {
            single_hyphens: true,
            ..self
        }
    }

    /// Whether it is about the workload's namespace alone.
    #[must_use]
    pub fn is_of_namespace(&self) -> bool {
        self.is && self.values == [NAMESPACE]
    }

    /// Whether series of every workload have the label: it is about the namespace, or has no placeholder at all.
    #[must_use]
    pub fn is_common(&self) -> bool {
        let is_fixed = || !self.label.contains('{') && self.values.iter().all(|value| !value.contains('{'));
        self.is_of_namespace() || is_fixed()
    }
}

/// A workload behind a proxy, in the words of the placeholders of [`Condition`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxiedWorkload {
    /// Its namespace.
    pub namespace: String,
    /// Its kind, in lower case.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The Service through which requests come.
    pub service: String,
    /// Number and name of the Service's port.
    pub ports: Vec<String>,
    /// What the proxy calls the workload, where the author says so.
    pub names_in_proxy: Vec<String>,
}

/// A condition on a label, for one workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelCondition {
    /// The label, as Prometheus stores it.
    pub label: String,
    /// Whether the label must have one of the values, or must have none of them.
    pub is: bool,
    /// The values. An empty one stands for a series without the label.
    pub values: Vec<String>,
}

impl LabelCondition {
    /// Whether a series fulfils it that has the label with this value; an empty one stands for a series without the label.
    #[must_use]
    pub fn holds(&self, value: &str) -> bool {
        self.values.iter().any(|of| of == value) == self.is
    }
}

impl Proxy {
    /// The sets of conditions by which a series is of this workload.
    #[must_use]
    pub fn series_of(&self, workload: &ProxiedWorkload) -> Vec<Vec<LabelCondition>> {
        let set = |conditions: &&[Condition]| conditions.iter().map(|of| condition(of, workload)).collect();
        self.series.iter().map(set).collect()
    }

    /// Whether a placeholder stands in a condition: `"{service}"`.
    #[must_use]
    pub fn reads(&self, placeholder: &str) -> bool {
        let conditions = self.series.iter().copied().flatten();
        conditions
            .flat_map(|condition| condition.values)
            .any(|value| value.contains(placeholder))
    }
}

fn condition(condition: &Condition, workload: &ProxiedWorkload) -> LabelCondition {
    let Condition {
        label,
        is,
        values,
        single_hyphens,
    } = condition;
    let is_named = !workload.names_in_proxy.is_empty() && values.contains(&NAME);
    let values = values.iter().filter(|value| !is_named || **value == NAME);
    LabelCondition {
        label: label.replace("{kind}", &workload.kind),
        is: *is,
        values: values
            .flat_map(|value| filled_in(value, workload, *single_hyphens))
            .collect(),
    }
}

/// The placeholder for the workload's namespace.
const NAMESPACE: &str = "{namespace}";

/// The placeholder for what the author says.
const NAME: &str = "{name}";

/// The values that a template stands for: one for each port, or for each name. A name is kept as the author says it.
fn filled_in(template: &str, workload: &ProxiedWorkload, single_hyphens: bool) -> Vec<String> {
    let ProxiedWorkload {
        namespace,
        kind,
        name,
        service,
        ports,
        names_in_proxy,
    } = workload;
    if template == NAME {
        return names_in_proxy.clone();
    }
    let one = template
        .replace(NAMESPACE, namespace)
        .replace("{kind}", kind)
        .replace("{workload}", name)
        .replace("{service}", service);
    let all = if one.contains("{port}") {
        ports.iter().map(|port| one.replace("{port}", port)).collect()
    } else {
        vec![one]
    };
    match single_hyphens {
        true => all.iter().map(|value| with_single_hyphens(value)).collect(),
        false => all,
    }
}

/// The text with one hyphen in the place of several in a row.
fn with_single_hyphens(text: &str) -> String {
    let parts = text.split('-').filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders(names_in_proxy: &[&str]) -> ProxiedWorkload {
        ProxiedWorkload {
            namespace: "shop".to_owned(),
            kind: "statefulset".to_owned(),
            name: "orders".to_owned(),
            service: "orders-web".to_owned(),
            ports: vec!["80".to_owned(), "http".to_owned()],
            names_in_proxy: names_in_proxy.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    const PROXY: Proxy = Proxy {
        series: &[&[
            Condition::one_of("{kind}", &["{workload}"]),
            Condition::one_of("cluster", &["{namespace}_{service}_{port}", "{name}"]),
            Condition::none_of("direction", &["outbound", ""]),
        ]],
        sees_probes: false,
        targets: "",
        figures: "",
        uncounted: "",
    };

    fn values(workload: &ProxiedWorkload) -> Vec<(String, bool, Vec<String>)> {
        let sets = PROXY.series_of(workload).into_iter().flatten();
        sets.map(|LabelCondition { label, is, values }| (label, is, values))
            .collect()
    }

    #[test]
    fn placeholders_stand_for_the_workload_and_for_each_of_its_ports() {
        let expected = [
            ("statefulset", true, vec!["orders"]),
            ("cluster", true, vec!["shop_orders-web_80", "shop_orders-web_http"]),
            ("direction", false, vec!["outbound", ""]),
        ];
        let expected = expected.map(|(label, is, values)| {
            let values = values.into_iter().map(str::to_owned).collect::<Vec<_>>();
            (label.to_owned(), is, values)
        });
        assert_eq!(values(&orders(&[])), expected);
    }

    #[test]
    fn a_condition_holds_for_its_values_or_for_all_others() {
        let condition = |is, values: &[&str]| LabelCondition {
            label: "service".to_owned(),
            is,
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        let cases = [
            (
                condition(true, &["orders", "pay"]),
                ["orders", "pay"].as_slice(),
                ["orders-v2", ""].as_slice(),
            ),
            (condition(true, &[""]), &[""], &["orders"]),
            (condition(true, &[]), &[], &["orders", ""]),
            (condition(false, &["orders", ""]), &["orders-v2"], &["orders", ""]),
        ];
        for (condition, hold, others) in cases {
            assert!(hold.iter().all(|value| condition.holds(value)), "{condition:?}");
            assert!(!others.iter().any(|value| condition.holds(value)), "{condition:?}");
        }
    }

    #[test]
    fn several_hyphens_in_a_row_are_one_where_the_proxy_writes_one_but_not_in_names_of_the_spec() {
        const JOINED: Proxy = Proxy {
            series: &[&[
                Condition::one_of("service", &["{namespace}-{service}-{port}@kubernetes", "{name}"])
                    .with_single_hyphens(),
                Condition::one_of("namespace", &["{namespace}"]),
            ]],
            ..PROXY
        };
        let of = |names: &[&str]| {
            let workload = ProxiedWorkload {
                namespace: "shop--eu".to_owned(),
                service: "my---orders".to_owned(),
                ..orders(names)
            };
            let conditions = JOINED.series_of(&workload).into_iter().flatten();
            conditions.map(|condition| condition.values).collect::<Vec<_>>()
        };
        assert_eq!(
            of(&[]),
            [
                vec!["shop-eu-my-orders-80@kubernetes", "shop-eu-my-orders-http@kubernetes"],
                vec!["shop--eu"]
            ]
        );
        assert_eq!(of(&["a--b@file"]), [vec!["a--b@file"], vec!["shop--eu"]]);
    }

    #[test]
    fn names_of_the_spec_are_read_in_place_of_the_other_values() {
        let named = values(&orders(&["httproute/shop/orders/rule/0"]));
        let cluster = named.iter().find(|(label, ..)| label == "cluster");
        assert_eq!(
            cluster.map(|(_, _, values)| values.as_slice()),
            Some(["httproute/shop/orders/rule/0".to_owned()].as_slice())
        );
    }
}
