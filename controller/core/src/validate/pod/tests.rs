//! One case a rule: what breaks it, and the path that is named.

use serde_json::{Value, json};

use crate::{facts::Settings, render, violation::Violation};

/// What `render` says of a spec.
fn violations(spec: &Value) -> Vec<Violation> {
    let mut spec = spec.clone();
    spec["image"] = json!("i");
    let api = serde_json::from_value(json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi", "metadata": {"name": "orders"}, "spec": spec,
    }))
    .unwrap();
    render(&api, &Settings::default()).err().unwrap_or_default()
}

fn pod(text: &str) -> Value {
    let spec: Value = serde_yaml::from_str(text).unwrap();
    json!({"podTemplate": {"spec": spec}})
}

fn side(text: &str) -> Value {
    let mut container: Value = serde_yaml::from_str(text).unwrap();
    container["name"] = json!("side");
    container["image"] = json!("x:1");
    json!({"podTemplate": {"spec": {"containers": [container], "volumes": [{"name": "a"}]}}})
}

/// Asserts that the only paths that are named are these.
fn assert_paths(spec: &Value, expected: &[&str]) {
    let violations = violations(spec);
    let paths: Vec<_> = violations.iter().map(|violation| violation.path.as_str()).collect();
    assert_eq!(paths, expected, "{spec}: {violations:#?}");
}

#[test]
fn every_rule_of_a_pod_names_its_field() {
    for (text, path) in [
        ("{dnsPolicy: Nowhere}", "dnsPolicy"),
        ("{dnsPolicy: None}", "dnsConfig.nameservers"),
        ("{dnsConfig: {nameservers: [a]}}", "dnsConfig.nameservers[0]"),
        (
            "{dnsConfig: {nameservers: [10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4]}}",
            "dnsConfig.nameservers",
        ),
        ("{dnsConfig: {searches: [\"a b\"]}}", "dnsConfig.searches[0]"),
        ("{dnsConfig: {options: [{value: x}]}}", "dnsConfig.options[0].name"),
        ("{hostname: a.b}", "hostname"),
        ("{subdomain: A}", "subdomain"),
        ("{nodeName: A}", "nodeName"),
        ("{nodeSelector: {a: b c}}", "nodeSelector[a]"),
        ("{priorityClassName: A}", "priorityClassName"),
        ("{runtimeClassName: \"\"}", "runtimeClassName"),
        ("{preemptionPolicy: Sometimes}", "preemptionPolicy"),
        ("{os: {name: windows}}", "os.name"),
        ("{hostAliases: [{ip: a}]}", "hostAliases[0].ip"),
        (
            "{hostAliases: [{ip: 10.0.0.1, hostnames: [A]}]}",
            "hostAliases[0].hostnames[0]",
        ),
        (
            "{readinessGates: [{conditionType: a b}]}",
            "readinessGates[0].conditionType",
        ),
        ("{schedulingGates: [{name: a b}]}", "schedulingGates[0].name"),
        ("{resourceClaims: [{name: gpu}]}", "resourceClaims[0]"),
        ("{activeDeadlineSeconds: 5}", "activeDeadlineSeconds"),
        ("{ephemeralContainers: [{name: a, image: b}]}", "ephemeralContainers"),
        ("{initContainers: [{name: api, image: a}]}", "initContainers[0].name"),
        ("{initContainers: [{name: a}]}", "initContainers[0].image"),
        (
            "{initContainers: [{name: a, image: b, livenessProbe: {tcpSocket: {port: 1}}}]}",
            "initContainers[0].livenessProbe",
        ),
        ("{hostUsers: false, hostPID: true}", "hostPID"),
        ("{shareProcessNamespace: true, hostPID: true}", "shareProcessNamespace"),
        ("{securityContext: {runAsUser: -1}}", "securityContext.runAsUser"),
        (
            "{securityContext: {supplementalGroups: [1, -1]}}",
            "securityContext.supplementalGroups[1]",
        ),
        (
            "{securityContext: {fsGroupChangePolicy: Never}}",
            "securityContext.fsGroupChangePolicy",
        ),
        (
            "{securityContext: {seccompProfile: {type: Localhost}}}",
            "securityContext.seccompProfile.localhostProfile",
        ),
        (
            "{securityContext: {sysctls: [{name: A, value: b}]}}",
            "securityContext.sysctls[0].name",
        ),
        (
            "{hostNetwork: true, securityContext: {sysctls: [{name: net.core.somaxconn, value: \"1\"}]}}",
            "securityContext.sysctls[0].name",
        ),
    ] {
        assert_paths(&pod(text), &[&format!("spec.podTemplate.spec.{path}")]);
    }
}

/// What breaks a rule of a container, and the field that is named.
const CONTAINERS: &[(&str, &str)] = &[
    ("{imagePullPolicy: Often}", "imagePullPolicy"),
    ("{terminationMessagePolicy: Log}", "terminationMessagePolicy"),
    ("{ports: [{containerPort: 0}]}", "ports[0].containerPort"),
    ("{ports: [{name: a}]}", "ports[0].containerPort"),
    ("{ports: [{containerPort: 1, hostPort: 65536}]}", "ports[0].hostPort"),
    ("{ports: [{containerPort: 1, name: \"8080\"}]}", "ports[0].name"),
    ("{ports: [{containerPort: 1, protocol: HTTP}]}", "ports[0].protocol"),
    (
        "{ports: [{containerPort: 1, name: a}, {containerPort: 2, name: a}]}",
        "ports[1].name",
    ),
    (
        "{ports: [{containerPort: 1, hostPort: 9}, {containerPort: 2, hostPort: 9}]}",
        "ports[1].hostPort",
    ),
    ("{env: [{value: a}]}", "env[0].name"),
    (
        "{env: [{name: A, valueFrom: {secretKeyRef: {name: A, key: k}}}]}",
        "env[0].valueFrom.secretKeyRef.name",
    ),
    (
        "{env: [{name: A, valueFrom: {configMapKeyRef: {name: a}}}]}",
        "env[0].valueFrom.configMapKeyRef.key",
    ),
    (
        "{env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.x}}}]}",
        "env[0].valueFrom.fieldRef.fieldPath",
    ),
    (
        "{env: [{name: A, valueFrom: {fieldRef: {apiVersion: v2, fieldPath: metadata.name}}}]}",
        "env[0].valueFrom.fieldRef.apiVersion",
    ),
    (
        "{env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 7}}}]}",
        "env[0].valueFrom.resourceFieldRef.divisor",
    ),
    ("{envFrom: [{prefix: A}]}", "envFrom[0]"),
    ("{envFrom: [{secretRef: {}}]}", "envFrom[0].secretRef.name"),
    ("{volumeMounts: [{name: none, mountPath: /x}]}", "volumeMounts[0].name"),
    ("{volumeMounts: [{name: a}]}", "volumeMounts[0].mountPath"),
    (
        "{volumeMounts: [{name: a, mountPath: /x, subPath: ../y}]}",
        "volumeMounts[0].subPath",
    ),
    (
        "{volumeMounts: [{name: a, mountPath: /x, mountPropagation: Bidirectional}]}",
        "volumeMounts[0].mountPropagation",
    ),
    (
        "{volumeMounts: [{name: a, mountPath: /x, recursiveReadOnly: Enabled}]}",
        "volumeMounts[0].recursiveReadOnly",
    ),
    (
        "{volumeDevices: [{name: a, devicePath: /dev/x}]}",
        "volumeDevices[0].name",
    ),
    (
        "{resources: {requests: {example.com/gpu: 1}}}",
        "resources.limits.example.com/gpu",
    ),
    (
        "{resources: {requests: {example.com/gpu: 1}, limits: {example.com/gpu: 2}}}",
        "resources.requests.example.com/gpu",
    ),
    (
        "{resources: {limits: {hugepages-2Mi: 3Mi, cpu: 1}}}",
        "resources.limits.hugepages-2Mi",
    ),
    ("{resources: {limits: {hugepages-2Mi: 4Mi}}}", "resources"),
    ("{resources: {claims: [{name: gpu}]}}", "resources.claims[0].name"),
    (
        "{resizePolicy: [{resourceName: disk, restartPolicy: NotRequired}]}",
        "resizePolicy[0].resourceName",
    ),
    ("{livenessProbe: {httpGet: {port: 0}}}", "livenessProbe.httpGet.port"),
    ("{livenessProbe: {httpGet: {port: a b}}}", "livenessProbe.httpGet.port"),
    (
        "{livenessProbe: {httpGet: {port: 1, scheme: FTP}}}",
        "livenessProbe.httpGet.scheme",
    ),
    (
        "{livenessProbe: {tcpSocket: {port: 1}, successThreshold: 2}}",
        "livenessProbe.successThreshold",
    ),
    (
        "{livenessProbe: {tcpSocket: {port: 1}, periodSeconds: -1}}",
        "livenessProbe.periodSeconds",
    ),
    ("{livenessProbe: {exec: {}}}", "livenessProbe.exec.command"),
    (
        "{readinessProbe: {tcpSocket: {port: 1}, terminationGracePeriodSeconds: 5}}",
        "readinessProbe.terminationGracePeriodSeconds",
    ),
    (
        "{lifecycle: {postStart: {sleep: {seconds: 60}}}}",
        "lifecycle.postStart.sleep.seconds",
    ),
    ("{securityContext: {procMount: Unmasked}}", "securityContext.procMount"),
    (
        "{securityContext: {privileged: true, allowPrivilegeEscalation: false}}",
        "securityContext",
    ),
    (
        "{securityContext: {appArmorProfile: {type: Other}}}",
        "securityContext.appArmorProfile.type",
    ),
];

#[test]
fn every_rule_of_a_container_names_its_field() {
    for (text, path) in CONTAINERS {
        assert_paths(&side(text), &[&format!("spec.podTemplate.spec.containers[0].{path}")]);
    }
    assert_paths(
        &json!({"podTemplate": {"spec": {"containers": [{"name": "api", "securityContext": {"privileged": true}}]}}}),
        &["spec.podTemplate.spec.containers[0].securityContext"],
    );
}

#[test]
fn every_rule_of_a_volume_names_its_field() {
    for (text, path) in [
        ("{name: A}", "name"),
        ("{emptyDir: {sizeLimit: big}}", "emptyDir.sizeLimit"),
        ("{hostPath: {path: /a/../b}}", "hostPath.path"),
        ("{hostPath: {path: /a, type: Disk}}", "hostPath.type"),
        ("{secret: {}}", "secret.secretName"),
        ("{configMap: {name: a, defaultMode: 512}}", "configMap.defaultMode"),
        (
            "{configMap: {name: a, items: [{key: a, path: /b}]}}",
            "configMap.items[0].path",
        ),
        ("{persistentVolumeClaim: {}}", "persistentVolumeClaim.claimName"),
        ("{nfs: {server: a, path: b}}", "nfs.path"),
        ("{csi: {driver: a b}}", "csi.driver"),
        ("{ephemeral: {}}", "ephemeral.volumeClaimTemplate"),
        (
            "{ephemeral: {volumeClaimTemplate: {spec: {accessModes: [Often], resources: {requests: {storage: 1Gi}}}}}}",
            "ephemeral.volumeClaimTemplate.spec.accessModes",
        ),
        (
            "{ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi, a: x}}}}}}",
            "ephemeral.volumeClaimTemplate.spec.resources.requests.a",
        ),
        ("{downwardAPI: {items: [{path: a}]}}", "downwardAPI.items[0]"),
        (
            "{projected: {sources: [{serviceAccountToken: {path: a, expirationSeconds: 60}}]}}",
            "projected.sources[0].serviceAccountToken.expirationSeconds",
        ),
        ("{emptyDir: {}, configMap: {name: b}}", ""),
    ] {
        let mut volume: Value = serde_yaml::from_str(text).unwrap();
        if volume.get("name").is_none() {
            volume["name"] = json!("v");
        }
        let spec = json!({"podTemplate": {"spec": {"volumes": [volume]}}});
        let dot = if path.is_empty() { "" } else { "." };
        assert_paths(&spec, &[&format!("spec.podTemplate.spec.volumes[0]{dot}{path}")]);
    }
}

#[test]
fn every_rule_of_scheduling_names_its_field() {
    for (text, path) in [
        (
            "{tolerations: [{operator: Equal, key: a, effect: Never}]}",
            "tolerations[0].effect",
        ),
        ("{tolerations: [{operator: Is, key: a}]}", "tolerations[0].operator"),
        ("{tolerations: [{}]}", "tolerations[0].operator"),
        ("{tolerations: [{key: a b, operator: Exists}]}", "tolerations[0].key"),
        (
            "{tolerations: [{key: a, operator: Exists, value: b}]}",
            "tolerations[0].value",
        ),
        ("{tolerations: [{key: a, value: b c}]}", "tolerations[0].value"),
        (
            "{tolerations: [{key: a, tolerationSeconds: 3}]}",
            "tolerations[0].effect",
        ),
        (
            "{affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{}]}}}",
            "affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey",
        ),
        (
            "{affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 0, podAffinityTerm: \
             {topologyKey: a}}]}}}",
            "affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight",
        ),
        (
            "{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}}",
            "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms",
        ),
        (
            "{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: \
             [{matchExpressions: [{key: a, operator: In}]}]}}}}",
            "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values",
        ),
        (
            "{topologySpreadConstraints: [{maxSkew: 0, topologyKey: a, whenUnsatisfiable: ScheduleAnyway}]}",
            "topologySpreadConstraints[0].maxSkew",
        ),
        (
            "{topologySpreadConstraints: [{maxSkew: 1, whenUnsatisfiable: ScheduleAnyway}]}",
            "topologySpreadConstraints[0].topologyKey",
        ),
        (
            "{topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: ScheduleAnyway, minDomains: 2}]}",
            "topologySpreadConstraints[0].minDomains",
        ),
        (
            "{topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: ScheduleAnyway, matchLabelKeys: [b]}]}",
            "topologySpreadConstraints[0].matchLabelKeys[0]",
        ),
    ] {
        let spec: Value = serde_yaml::from_str(text).unwrap();
        assert_paths(&spec, &[&format!("spec.{path}")]);
        // The same field of the template has the same rules.
        assert_paths(
            &json!({"podTemplate": {"spec": spec}}),
            &[&format!("spec.podTemplate.spec.{path}")],
        );
    }
}

#[test]
fn labels_and_annotations_of_a_template_are_checked_and_selectors_may_name_our_own() {
    assert_paths(
        &json!({"podTemplate": {"metadata": {"labels": {"a b": "c"}, "annotations": {"Example.org/x": "y", "d e": "f"}}}}),
        &[
            "spec.podTemplate.metadata.annotations[d e]",
            "spec.podTemplate.metadata.labels[a b]",
        ],
    );
    assert_paths(&json!({"nodeSelector": {"monitoredapi.io/pool": "a"}}), &[]);
}
