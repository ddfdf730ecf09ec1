//! Many MonitoredApis that are new in one namespace at the same time.

use integration_tests::{
    audit::AuditLog,
    install::OPERATOR_USER,
    kubernetes::{MONITORED_APIS, SERVICES, Write, monitored_api, says},
};
use serde_json::json;

use super::{BED, CHILDREN, PATIENCE, Shop, version};

const APIS: usize = 60;

#[test]
fn many_new_resources_share_their_reads_and_leave_foreign_objects_alone() {
    let shop = Shop::empty("many-at-once");
    let taken = "api-40";
    let foreign = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": taken}, "spec": {"ports": [{"port": 1}]},
    });
    shop.api.create(&SERVICES.within(shop.namespace), &foreign).unwrap();
    let before = shop.get(SERVICES, taken);
    let audit = AuditLog::of(&BED.bed);
    let mark = audit.mark().unwrap();

    let names: Vec<_> = (0..APIS).map(|index| format!("api-{index}")).collect();
    let spec = json!({"image": "a"});
    let create = |name: &String| Write::create(MONITORED_APIS.within(shop.namespace), &monitored_api(name, &spec));
    shop.api
        .send_all(&names.iter().map(create).collect::<Vec<_>>(), 16)
        .unwrap();
    for name in &names {
        let status = if name == taken { "False" } else { "True" };
        let path = shop.path(MONITORED_APIS, name);
        let wanted = |found: &_| says(found, "ChildrenApplied", status);
        shop.api.wait_for(&path, PATIENCE, wanted).unwrap();
    }

    let entries = audit.since(mark, OPERATOR_USER).unwrap().into_iter();
    let reads = entries.filter(|entry| {
        entry.namespace == shop.namespace && !entry.is_write() && entry.resource != MONITORED_APIS.plural
    });
    let (lists, gets): (Vec<_>, Vec<_>) = reads.partition(|entry| entry.name.is_empty());
    let alone = APIS * CHILDREN.len();
    assert!(!lists.is_empty());
    assert!(lists.iter().all(|list| list.code == 200), "{}", lists[0].show());
    assert!(
        lists.len() + gets.len() <= alone / 2,
        "{} lists and {} GETs instead of {alone} GETs",
        lists.len(),
        gets.len()
    );
    assert_eq!(version(&shop.get(SERVICES, taken)), version(&before));
}
