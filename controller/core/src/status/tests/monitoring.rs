//! The links from the workload to Prometheus.

use super::*;

#[test]
fn a_missing_label_is_named_with_the_prometheus_that_wants_it() {
    let mut world = World::well();
    world.prometheus = prometheus(
        Some(label("release", "kube-prometheus-stack")),
        Some(LabelSelector::default()),
    );
    let status = world.fold();
    assert_eq!(says(&status, "MonitorSelected"), "False/LabelMissing");
    let said = &condition(&status, "MonitorSelected").message;
    assert!(
        said.contains("monitoring/k8s") && said.contains("release=kube-prometheus-stack"),
        "{said}"
    );
    assert!(said.contains("spec.monitoring.objectLabels"), "{said}");
    assert_eq!(says(&status, "Monitored"), "False/LabelMissing");
    assert_eq!(status.first_failing.as_deref(), Some("MonitorSelected/LabelMissing"));
    assert_eq!(says(&status, "Ready"), "True/Ready");
    world.spec =
        json!({"image": "i", "preset": "native", "monitoring": {"objectLabels": {"release": "kube-prometheus-stack"}}});
    assert_eq!(says(&world.fold(), "MonitorSelected"), "True/Selected");
}

#[test]
fn an_absent_selector_and_an_empty_one_mean_different_things() {
    let all = || Some(LabelSelector::default());
    let cases = [
        (None, all(), "False/SelectorNotSet"),
        (all(), None, "False/NamespaceNotSelected"),
        (all(), all(), "True/Selected"),
        (all(), Some(label("team", "shop")), "False/NamespaceNotSelected"),
    ];
    for (monitors, namespaces, expected) in cases {
        let mut world = World::well();
        world.prometheus = prometheus(monitors.clone(), namespaces.clone());
        assert_eq!(
            says(&world.fold(), "MonitorSelected"),
            expected,
            "{monitors:?} {namespaces:?}"
        );
    }
}

#[test]
fn a_namespace_is_selected_by_its_labels_and_unknown_without_them() {
    let mut world = World::well();
    world.prometheus = prometheus(Some(LabelSelector::default()), Some(label("team", "shop")));
    world.namespace_labels = Some([("team".to_owned(), "shop".to_owned())].into());
    assert_eq!(says(&world.fold(), "MonitorSelected"), "True/Selected");
    world.namespace_labels = None;
    assert_eq!(says(&world.fold(), "MonitorSelected"), "Unknown/NamespaceUnknown");
}

#[test]
fn match_expressions_are_evaluated() {
    let expression = |operator: &str, values: &[&str]| LabelSelector {
        match_labels: BTreeMap::new(),
        match_expressions: vec![(
            "app.kubernetes.io/name".to_owned(),
            operator.to_owned(),
            values.iter().map(|value| (*value).to_owned()).collect(),
        )],
    };
    let cases = [
        (expression("In", &["orders", "x"]), true),
        (expression("In", &["x"]), false),
        (expression("NotIn", &["x"]), true),
        (expression("NotIn", &["orders"]), false),
        (expression("Exists", &[]), true),
        (expression("DoesNotExist", &[]), false),
        (expression("Gt", &["1"]), false),
    ];
    for (selector, selected) in cases {
        let mut world = World::well();
        world.prometheus = prometheus(Some(selector.clone()), Some(LabelSelector::default()));
        let expected = if selected {
            "True/Selected"
        } else {
            "False/LabelMissing"
        };
        assert_eq!(says(&world.fold(), "MonitorSelected"), expected, "{selector:?}");
    }
}

#[test]
fn a_condition_that_cannot_be_determined_is_unknown_and_not_false() {
    for (facts, reason) in [
        (PrometheusFacts::NotReadYet, "NotReadYet"),
        (PrometheusFacts::NotPermitted, "NotPermitted"),
        (PrometheusFacts::CrdMissing, "NoPrometheusKind"),
        (PrometheusFacts::NotWatched, "NotWatched"),
        // VictoriaMetrics or Grafana Alloy may read ServiceMonitors too.
        (known(Vec::new()), "NoPrometheus"),
    ] {
        let mut world = World::well();
        world.prometheus = facts;
        let status = world.fold();
        assert_eq!(says(&status, "MonitorSelected"), format!("Unknown/{reason}"));
        assert_eq!(says(&status, "Monitored"), format!("Unknown/{reason}"));
        assert_eq!(status.first_failing, None);
    }
}

/// A Prometheus that selects nothing of ours, and a PrometheusAgent with this selector.
fn with_agent(selector: LabelSelector, agents_unread: Option<AgentsUnread>) -> World {
    let everywhere = Some(LabelSelector::default());
    let object = |kind, name: &str, selector| PrometheusSelectors {
        kind,
        namespace: "monitoring".to_owned(),
        name: name.to_owned(),
        monitors: Some(selector),
        monitor_namespaces: everywhere.clone(),
        rules: Some(label("other", "team")),
        rule_namespaces: everywhere.clone(),
        ..PrometheusSelectors::default()
    };
    let other = object(PrometheusKind::Prometheus, "small", label("other", "team"));
    let agent = object(PrometheusKind::Agent, "agent", selector);
    let all = if agents_unread.is_some() {
        vec![other]
    } else {
        vec![agent, other]
    };
    let mut world = World::well();
    world.prometheus = PrometheusFacts::Known { all, agents_unread };
    world
}

#[test]
fn an_agent_reads_service_monitors_and_no_rules() {
    let status = with_agent(LabelSelector::default(), None).fold();
    assert_eq!(says(&status, "MonitorSelected"), "True/Selected");
    let message = &condition(&status, "MonitorSelected").message;
    assert_eq!(message, "selected by PrometheusAgent monitoring/agent");
    assert_eq!(says(&status, "RulesSelected"), "False/LabelMissing");
    let message = &condition(&status, "RulesSelected").message;
    assert!(
        message.contains("Prometheus monitoring/small") && !message.contains("agent"),
        "{message}"
    );

    let mut agent_alone = with_agent(LabelSelector::default(), None);
    if let PrometheusFacts::Known { all, .. } = &mut agent_alone.prometheus {
        all.retain(|prometheus| prometheus.kind == PrometheusKind::Agent);
    }
    let status = agent_alone.fold();
    assert_eq!(says(&status, "MonitorSelected"), "True/Selected");
    assert_eq!(says(&status, "RulesSelected"), "Unknown/NoPrometheus");
}

#[test]
fn an_agent_that_does_not_select_us_is_told_with_the_label_that_it_wants() {
    let status = with_agent(label("release", "agent"), None).fold();
    assert_eq!(says(&status, "MonitorSelected"), "False/LabelMissing");
    let message = &condition(&status, "MonitorSelected").message;
    assert!(
        message.contains("PrometheusAgent monitoring/agent selects only ServiceMonitors with label release=agent"),
        "{message}"
    );
}

#[test]
fn agents_that_have_not_been_read_may_select_us() {
    for (unread, reason, words) in [
        (
            AgentsUnread::NotPermitted,
            "NotPermitted",
            "prometheusagents.monitoring.coreos.com",
        ),
        (AgentsUnread::NotReadYet, "NotReadYet", "have not been read yet"),
    ] {
        let mut world = with_agent(LabelSelector::default(), Some(unread));
        let status = world.fold();
        assert_eq!(says(&status, "MonitorSelected"), format!("Unknown/{reason}"));
        let message = &condition(&status, "MonitorSelected").message;
        assert!(
            message.contains(words) && message.contains("label other=team"),
            "{message}"
        );
        // Agents evaluate no rules, so that is certain.
        assert_eq!(says(&status, "RulesSelected"), "False/LabelMissing");
        if let PrometheusFacts::Known { all, .. } = &mut world.prometheus {
            all[0].monitors = Some(LabelSelector::default());
        }
        assert_eq!(says(&world.fold(), "MonitorSelected"), "True/Selected");
    }
}

#[test]
fn a_dialect_that_is_not_detected_yet_does_not_count_against_monitored() {
    let status = World::new(json!({"image": "i"})).fold();
    assert_eq!(says(&status, "DialectKnown"), "Unknown/NotDetectedYet");
    assert_eq!(says(&status, "Monitored"), "True/Monitored");
}

#[test]
fn monitoring_that_is_off_has_no_links_and_fails_nothing() {
    let status = World::new(json!({"image": "i", "monitoring": {"enabled": false}})).fold();
    assert!(!status.conditions.iter().any(|condition| {
        [
            "MonitorSelected",
            "Scraped",
            "DialectKnown",
            "RulesSelected",
            "RulesHealthy",
            "DashboardPlaced",
        ]
        .contains(&condition.type_.as_str())
    }));
    assert_eq!(says(&status, "Monitored"), "Unknown/Disabled");
    assert_eq!(status.first_failing, None);
    assert_eq!(says(&status, "Ready"), "True/Ready");
}

#[test]
fn a_workload_that_never_ran_is_not_monitored() {
    let mut world = waiting("ImagePullBackOff", "not found");
    world.workload.pods[0].phase = "Pending".to_owned();
    world.workload.deployment = Some(DeploymentFacts {
        ready: 0,
        available: 0,
        ..deployment(3)
    });
    assert_eq!(says(&world.fold(), "Monitored"), "Unknown/NeverRan");
    world.workload.pods.clear();
    assert_eq!(says(&world.fold(), "Monitored"), "Unknown/NeverRan");
    world.workload.deployment = None;
    assert_eq!(says(&world.fold(), "Monitored"), "Unknown/NeverRan");
    // It ran: what happens to its pods later is the workload's condition.
    world.previous = World::well().fold();
    assert_eq!(says(&world.fold(), "Monitored"), "True/Monitored");
    world.previous = MonitoredApiStatus::default();
    world.workload.deployment = Some(deployment(0));
    assert_eq!(says(&world.fold(), "Monitored"), "True/Monitored");
}

#[test]
fn rules_are_selected_by_selectors_of_their_own() {
    let all = || Some(LabelSelector::default());
    let cases = [
        (all(), all(), "True/Selected"),
        (None, all(), "False/SelectorNotSet"),
        (all(), None, "False/NamespaceNotSelected"),
        (Some(label("release", "prom")), all(), "False/LabelMissing"),
    ];
    for (rules, rule_namespaces, expected) in cases {
        let mut world = World::well();
        world.prometheus = known(vec![PrometheusSelectors {
            namespace: "monitoring".to_owned(),
            name: "k8s".to_owned(),
            monitors: all(),
            monitor_namespaces: all(),
            rules: rules.clone(),
            rule_namespaces: rule_namespaces.clone(),
            ..PrometheusSelectors::default()
        }]);
        let status = world.fold();
        assert_eq!(
            says(&status, "RulesSelected"),
            expected,
            "{rules:?} {rule_namespaces:?}"
        );
        assert_eq!(says(&status, "MonitorSelected"), "True/Selected");
        let monitored = if expected.starts_with("True") {
            "True/Monitored"
        } else {
            expected
        };
        assert_eq!(says(&status, "Monitored"), monitored);
        let message = &condition(&status, "RulesSelected").message;
        assert!(
            message.contains("monitoring/k8s") && !message.contains("serviceMonitor"),
            "{message}"
        );
    }
}

#[test]
fn an_api_without_rules_does_not_say_whether_they_are_selected() {
    let mut world = World::well();
    let applied = world.applied.as_mut().unwrap();
    applied
        .children
        .retain(|child| child.kind != ChildKind::PROMETHEUS_RULE);
    let status = world.fold();
    assert!(
        !status
            .conditions
            .iter()
            .any(|condition| condition.type_ == "RulesSelected")
    );
    assert_eq!(says(&status, "Monitored"), "True/Monitored");
}

#[test]
fn a_dashboard_is_placed_once_its_object_exists_with_a_label() {
    let mut world = World::well();
    let status = world.fold();
    assert_eq!(says(&status, "DashboardPlaced"), "True/NotVerified");
    let message = &condition(&status, "DashboardPlaced").message;
    assert!(message.contains("grafana_dashboard=1"), "{message}");
    world.applied = Some(applied(|kind| {
        if kind == ChildKind::CONFIG_MAP {
            Outcome::Forbidden("no".to_owned())
        } else {
            Outcome::Unchanged
        }
    }));
    assert_eq!(says(&world.fold(), "DashboardPlaced"), "False/NotApplied");
    world.spec = json!({"image": "i", "preset": "native", "dashboard": {"enabled": false}});
    assert!(
        !world
            .fold()
            .conditions
            .iter()
            .any(|condition| condition.type_ == "DashboardPlaced")
    );
}

/// What is said of the dashboard where a GrafanaDashboard holds it.
fn of_grafana(placement: GrafanaPlacement, outcome: &Outcome) -> (String, String) {
    let mut world = World::well();
    world.grafana = placement;
    let mut applied = applied(|_| Outcome::Unchanged);
    let object = applied
        .children
        .iter_mut()
        .find(|child| child.kind == ChildKind::CONFIG_MAP);
    let object = object.unwrap();
    (object.kind, object.outcome) = (ChildKind::GRAFANA_DASHBOARD, outcome.clone());
    world.applied = Some(applied);
    let status = world.fold();
    let message = condition(&status, "DashboardPlaced").message.clone();
    (says(&status, "DashboardPlaced"), message)
}

#[test]
fn a_grafana_dashboard_is_placed_as_the_grafana_operator_says() {
    let cases = [
        (GrafanaPlacement::Synchronized, "True/InGrafana", "into Grafana"),
        (
            GrafanaPlacement::NotSaid,
            "True/NotVerified",
            "spec.dashboard.form: ConfigMap",
        ),
        (
            GrafanaPlacement::NoInstance,
            "False/NoGrafana",
            "defaults.grafanaInstanceLabels",
        ),
        (
            GrafanaPlacement::Failed,
            "False/GrafanaFailed",
            "kubectl describe grafanadashboard orders says why",
        ),
    ];
    for (placement, expected, words) in cases {
        let (said, message) = of_grafana(placement, &Outcome::Unchanged);
        assert_eq!(said, expected);
        assert!(message.contains(words), "{message}");
    }
    let (said, message) = of_grafana(GrafanaPlacement::NotSaid, &Outcome::CrdMissing);
    assert_eq!(said, "False/CrdMissing");
    assert!(message.contains("install the Grafana Operator"), "{message}");
    let (said, _) = of_grafana(GrafanaPlacement::Synchronized, &Outcome::Failed(String::new()));
    assert_eq!(said, "False/NotApplied", "what it says is of the object that is there");
}
