use k8s_openapi::api::core::v1::PodSpec;
use serde_json::{Value, json};

use super::*;
use crate::dialect_choice::DialectChoice;
use crate::validate::tests::{check, template, valid};

const FRAMEWORKS: usize = 13;

fn frameworks() -> impl Iterator<Item = &'static Preset> {
    PRESETS
        .iter()
        .filter(|preset| !["auto", "native"].contains(&preset.name))
}

fn pod(spec: &Value) -> PodSpec {
    template(spec).spec.unwrap()
}

fn user_of(spec: &Value) -> Option<i64> {
    pod(spec).security_context.unwrap().run_as_user
}

/// Paths of the volumes that the container mounts.
fn mounts(spec: &Value) -> Vec<String> {
    let mounts = pod(spec).containers.remove(0).volume_mounts.unwrap();
    mounts.into_iter().map(|mount| mount.mount_path).collect()
}

#[test]
fn every_preset_is_valid_with_an_image_alone() {
    assert_eq!(frameworks().count(), FRAMEWORKS);
    for preset in PRESETS {
        let api = valid(&json!({"image": "i", "preset": preset.name}));
        assert_eq!(
            (api.workload.port, api.metrics.port, api.metrics.path.as_str()),
            (preset.port, preset.port, preset.metrics_path),
            "{}",
            preset.name
        );
        let table = api.metrics.dialect.as_ref().and_then(DialectChoice::table);
        assert_eq!(table, preset.dialect, "{}", preset.name);
        assert_eq!(api.workload.termination_grace_period_seconds, preset.grace_seconds);
    }
}

#[test]
fn no_two_presets_have_one_name() {
    let mut names: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), PRESETS.len());
}

#[test]
fn only_a_guaranteed_path_can_restart_a_container() {
    // The type asks each such probe for its guarantor; of the frameworks none can give one.
    for preset in PRESETS {
        let workload = valid(&json!({"image": "i", "preset": preset.name})).workload;
        let guaranteed = preset.probes.liveness.is_some_and(|probe| !probe.guarantor.is_empty());
        assert_eq!(workload.probes.liveness.is_some(), guaranteed, "{}", preset.name);
        assert_eq!(workload.probes.startup.is_some(), guaranteed, "{}", preset.name);
        assert_eq!(guaranteed, preset.name == "native", "{}", preset.name);
    }
}

#[test]
fn frameworks_are_ready_when_their_port_is_open_and_spring_boot_when_it_says_so() {
    for preset in frameworks() {
        let readiness = valid(&json!({"image": "i", "preset": preset.name}))
            .workload
            .probes
            .readiness;
        let path = readiness.unwrap().http_get.and_then(|get| get.path);
        let expected = (preset.name == "spring-boot").then_some("/actuator/health/readiness");
        assert_eq!(path.as_deref(), expected, "{}", preset.name);
    }
}

#[test]
fn no_framework_takes_more_of_the_root_away_than_its_author() {
    for preset in frameworks() {
        assert!(!preset.read_only_root && preset.data_dir.is_none(), "{}", preset.name);
    }
}

#[test]
fn values_of_the_author_win_over_those_of_every_preset() {
    for preset in PRESETS {
        let api = valid(&json!({
            "image": "i", "preset": preset.name, "port": 1234, "runAsUser": 77, "readOnlyRootFilesystem": false,
            "terminationGracePeriodSeconds": 7,
            "metrics": {"path": "/own", "port": 4321, "dialect": "gin"},
            "probes": {"readiness": {"http": {"path": "/own/ready"}, "periodSeconds": 9}, "liveness": {"tcp": {}},
                "startup": {"enabled": false}},
        }));
        let workload = &api.workload;
        assert_eq!(
            (
                workload.port,
                workload.run_as_user,
                workload.read_only_root_filesystem,
                workload.termination_grace_period_seconds
            ),
            (1234, Some(77), false, 7),
            "{}",
            preset.name
        );
        let readiness = workload.probes.readiness.as_ref().unwrap();
        assert_eq!(
            (
                readiness.http_get.as_ref().unwrap().path.as_deref(),
                readiness.period_seconds
            ),
            (Some("/own/ready"), Some(9))
        );
        assert!(workload.probes.liveness.as_ref().unwrap().tcp_socket.is_some() && workload.probes.startup.is_none());
        assert_eq!(
            (api.metrics.path.as_str(), api.metrics.port, api.metrics.dialect),
            ("/own", 4321, Some(DialectChoice::Table(DialectId::Gin)))
        );
    }
}

#[test]
fn a_liveness_probe_of_the_author_joins_a_preset_that_has_none() {
    let path = "/actuator/health/liveness";
    let spec = json!({"image": "i", "preset": "spring-boot", "probes": {"liveness": {"http": {"path": path}}}});
    let probes = valid(&spec).workload.probes;
    assert_eq!(probes.liveness.unwrap().http_get.unwrap().path.as_deref(), Some(path));
    assert!(probes.readiness.unwrap().http_get.is_some());
}

#[test]
fn the_user_of_a_preset_is_set_only_where_the_images_own_would_be_refused() {
    let expected = [("express", 1000), ("fastify", 1000), ("aspnet", 1654)];
    for preset in PRESETS {
        let user = expected
            .iter()
            .find(|(name, _)| *name == preset.name)
            .map(|(_, user)| *user);
        let restricted = json!({"image": "i", "preset": preset.name});
        let baseline = json!({"image": "i", "preset": preset.name, "securityProfile": "Baseline"});
        assert_eq!(
            (user_of(&restricted), user_of(&baseline)),
            (user, None),
            "{}",
            preset.name
        );
    }
    // A namespace that chooses ids, as on OpenShift.
    let none = json!({"spec": {"securityContext": {"runAsUser": null, "fsGroup": null}}});
    let context = pod(&json!({"image": "i", "preset": "aspnet", "podTemplate": none}))
        .security_context
        .unwrap();
    assert_eq!((context.run_as_user, context.fs_group), (None, None));
}

#[test]
fn writable_directories_are_there_where_the_root_is_read_only() {
    let keys = "/home/app/.aspnet/DataProtection-Keys";
    let spec = |read_only: bool| json!({"image": "i", "preset": "aspnet", "readOnlyRootFilesystem": read_only});
    assert_eq!(mounts(&spec(false)), ["/tmp"]);
    assert_eq!(mounts(&spec(true)), ["/tmp", keys]);
    let volumes = pod(&spec(true)).volumes.unwrap();
    let names: Vec<_> = volumes.iter().map(|volume| volume.name.as_str()).collect();
    assert_eq!(names, ["tmp", "data-protection-keys"]);
}

#[test]
fn a_writable_directory_gives_way_to_the_authors_volume_on_it() {
    let keys = "/home/app/.aspnet/DataProtection-Keys";
    for mount_path in [keys.to_owned(), format!("{keys}/")] {
        let spec = json!({"image": "i", "preset": "aspnet", "readOnlyRootFilesystem": true,
            "storage": {"size": "1Mi", "mountPath": mount_path}});
        assert_eq!(mounts(&spec), ["/tmp", mount_path.as_str()]);
        assert_eq!(pod(&spec).volumes.unwrap().len(), 2);
    }
}

#[test]
fn names_and_paths_of_writable_directories_are_valid_and_free() {
    for preset in PRESETS {
        for dir in preset.writable_dirs {
            assert!(crate::validate::syntax::is_dns_1035(dir.volume), "{}", dir.volume);
            assert!(!["tmp", "data"].contains(&dir.volume) && dir.path.starts_with('/') && !dir.path.ends_with('/'));
        }
    }
}

#[test]
fn an_unknown_preset_is_told_which_there_are() {
    let violations = check(&json!({"image": "i", "preset": "springboot"})).unwrap_err();
    let message = "\"springboot\" is not a known preset: use auto, native, fastapi, flask, django, express, fastify, \
                   spring-boot, quarkus, micronaut, aspnet, go, rails, axum or actix";
    assert_eq!(
        violations
            .iter()
            .map(|found| found.message.as_str())
            .collect::<Vec<_>>(),
        [message]
    );
}

#[test]
fn the_page_says_of_every_preset_how_it_was_tried() {
    let page = presets_page();
    for preset in PRESETS {
        assert!(page.contains(&format!("\n## {}\n", preset.name)), "{}", preset.name);
        assert!(
            !preset.guide.tried.is_empty() && !preset.guide.notes.is_empty(),
            "{}",
            preset.name
        );
        assert!(page.contains(preset.guide.tried), "{}", preset.name);
    }
}

#[test]
fn settings_in_the_notes_are_valid() {
    let mut seen = 0;
    for preset in PRESETS {
        let quoted = preset
            .guide
            .notes
            .iter()
            .flat_map(|note| note.split('`').skip(1).step_by(2));
        for text in quoted.filter(|text| !text.contains('…')) {
            let is_setting = [
                "probes: ",
                "env: ",
                "metrics: ",
                "port: ",
                "runAsUser: ",
                "readOnlyRootFilesystem: ",
            ];
            if !is_setting.iter().any(|field| text.starts_with(field)) {
                continue;
            }
            let mut spec: Value = serde_yaml::from_str(text).unwrap();
            spec["image"] = "i".into();
            spec["preset"] = preset.name.into();
            valid(&spec);
            seen += 1;
        }
    }
    assert!(seen >= 12, "{seen}");
}
