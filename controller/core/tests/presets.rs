//! What each preset makes of an image alone: `presets/<preset>.yaml`, accepted by `cargo xtask bless` (BLESS=1).
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic, and reads its cases; the crate itself does neither"
)]

use std::{env, fs, path::PathBuf};

use controller_api::MonitoredApi;
use controller_core::{facts::Settings, object_hash, render, validate::PRESETS, yaml};
use serde_json::{Value, json};

/// SHA-256 of the canonical JSON of each preset's pod template. **Changing one rolls every pod of its users**: never without a
/// line in the changelog that says so.
const POD_TEMPLATES: [(&str, &str); 15] = [
    (
        "auto",
        "3120a73fac25eeb33a7a65d649d6c05579f7634490350f4e720eaaa67b04d2a1",
    ),
    (
        "native",
        "cd3ec0259c5f0f5b802cb75a44803090c3a7d4ec107fa458f89e04b937b5903a",
    ),
    (
        "fastapi",
        "3120a73fac25eeb33a7a65d649d6c05579f7634490350f4e720eaaa67b04d2a1",
    ),
    (
        "flask",
        "652c04aa0f5ca6f56719de2be5675e0f501c93d1ba599b559b05cac456e6e271",
    ),
    (
        "django",
        "652c04aa0f5ca6f56719de2be5675e0f501c93d1ba599b559b05cac456e6e271",
    ),
    (
        "express",
        "eae383ae6a6eed8d88fe8bece5717b07d4697e3f1d1a850e1bc8dc3b62137346",
    ),
    (
        "fastify",
        "eae383ae6a6eed8d88fe8bece5717b07d4697e3f1d1a850e1bc8dc3b62137346",
    ),
    (
        "spring-boot",
        "90a513210a2b127ee52e5b7a30224c6ac10e0da84dcc0d7479f05eacc18496cd",
    ),
    (
        "quarkus",
        "7439d9dbe72bec3a8b7257ec53a27652ac8e4f40a4cd01a405e8e773fd1873f1",
    ),
    (
        "micronaut",
        "7439d9dbe72bec3a8b7257ec53a27652ac8e4f40a4cd01a405e8e773fd1873f1",
    ),
    (
        "aspnet",
        "2e4eee0405c91fe020ec6981a6b576aa1fdeb6a807d7f7b79b2554ef4dba5365",
    ),
    ("go", "7439d9dbe72bec3a8b7257ec53a27652ac8e4f40a4cd01a405e8e773fd1873f1"),
    (
        "rails",
        "3ce8eb51c9d0a29cc41f5c50e5119d976a5280995114b4deaf7658168f240f97",
    ),
    (
        "axum",
        "3ce8eb51c9d0a29cc41f5c50e5119d976a5280995114b4deaf7658168f240f97",
    ),
    (
        "actix",
        "1bf4ac900546783003e03ba37fee2d6a7a889d1c39e0e40cf1cf70cb8c621c6e",
    ),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/presets")
}

/// The pod template, and what is scraped.
fn made(preset: &str) -> (Value, Value) {
    let api: MonitoredApi = serde_json::from_value(json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi", "metadata": {"name": "orders", "namespace": "shop"},
        "spec": {"image": "ghcr.io/acme/orders:1.4.2", "preset": preset},
    }))
    .unwrap();
    let rendered = render(&api, &Settings::default()).unwrap_or_else(|violations| panic!("{preset}: {violations:?}"));
    let field = |kind: &str, path: &str| {
        let mut objects = rendered.objects.iter().map(|intent| intent.object());
        let object = objects.find(|object| object["kind"] == kind).unwrap();
        object.pointer(path).unwrap().clone()
    };
    (
        field("Deployment", "/spec/template"),
        field("ServiceMonitor", "/spec/endpoints"),
    )
}

#[test]
fn every_preset_gives_its_golden_pod_and_endpoint() {
    for preset in PRESETS.iter().map(|preset| preset.name) {
        let (template, endpoints) = made(preset);
        let mut text = String::new();
        yaml::write_object(&json!({"endpoints": endpoints, "template": template}), &mut text).unwrap();
        let path = folder().join(format!("{preset}.yaml"));
        if env::var_os("BLESS").is_some() {
            fs::create_dir_all(folder()).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let golden = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            text, golden,
            "{preset}: look at it, then accept it with `cargo xtask bless`"
        );
    }
    assert_eq!(
        fs::read_dir(folder()).unwrap().count(),
        PRESETS.len(),
        "a file of a preset that is gone"
    );
}

#[test]
fn the_pod_template_of_a_preset_never_changes() {
    let pinned: Vec<_> = POD_TEMPLATES.iter().map(|(preset, _)| *preset).collect();
    assert_eq!(pinned, PRESETS.iter().map(|preset| preset.name).collect::<Vec<_>>());
    for (preset, pinned) in POD_TEMPLATES {
        assert_eq!(
            object_hash::hash(&made(preset).0),
            pinned,
            "{preset}: this would roll every pod of its users"
        );
    }
}
