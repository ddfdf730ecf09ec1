//! How troubles of the operator, and of pods in a cluster, are made, and how they end.

use anyhow::{Result, ensure};
use integration_tests::{
    api,
    kubernetes::{SERVICES, monitored_api},
};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    api::Api,
    causes::{large_user, signal},
    trouble::Trouble,
};

pub(crate) fn hang_operator(api: &Api) -> Result<Trouble> {
    let pid = api.cluster()?.operator.id();
    signal(pid, Signal::STOP)?;
    Ok(Box::new(move || {
        signal(pid, Signal::CONT)?;
        Ok(Box::new(()))
    }))
}

/// The operator is stopped for as long as the other needs to take the Lease.
pub(crate) fn lose_lease(api: &Api) -> Result<Trouble> {
    let cluster = api.cluster()?;
    let pid = cluster.operator.id();
    signal(pid, Signal::STOP)?;
    let another = cluster.start_another();
    signal(pid, Signal::CONT)?;
    let another = another?;
    Ok(Box::new(move || {
        let status = another.stop()?;
        ensure!(status.success(), "the other operator ended with {status}");
        Ok(Box::new(()))
    }))
}

pub(crate) fn refuse_watch(api: &Api) -> Result<Trouble> {
    let cluster = api.cluster()?;
    cluster.proxy.break_kind(SERVICES.plural);
    Ok(Box::new(move || {
        cluster.proxy.heal();
        Ok(Box::new(()))
    }))
}

/// Several MonitoredApis have something new to say, so that there are soon enough errors.
pub(crate) fn refuse_statuses(api: &Api) -> Result<Trouble> {
    let cluster = api.cluster()?;
    let names = ["refused-a", "refused-b", "refused-c"];
    for name in names {
        let spec = json!({"image": "example.org/orders:1", "preset": "native"});
        cluster.create(&monitored_api(name, &spec))?;
    }
    let rules = cluster.refuse("monitoredapis/status")?;
    for name in names {
        cluster.change(name, &json!({"port": 8001}))?;
    }
    Ok(Box::new(move || {
        cluster.set_rules(&rules)?;
        Ok(Box::new(()))
    }))
}

pub(crate) fn cordon(api: &Api) -> Result<Trouble> {
    let cluster = api.cluster()?;
    cluster.nodes("cordon")?;
    cluster.change(&api.name, &json!({"replicas": 2}))?;
    Ok(Box::new(move || {
        cluster.nodes("uncordon")?;
        Ok(Box::new(()))
    }))
}

/// As an autoscaler does it.
pub(crate) fn scale_to_maximum(api: &Api) -> Result<Trouble> {
    let cluster = api.cluster()?;
    cluster.scale(&api.name, 2)?;
    let name = api.name.clone();
    Ok(Box::new(move || {
        cluster.scale(&name, 1)?;
        Ok(Box::new(()))
    }))
}

pub(crate) fn select_others(api: &Api) -> Result<Trouble> {
    let cluster = api.cluster()?;
    cluster.create_prometheus()?;
    let name = api.name.clone();
    Ok(Box::new(move || {
        let label = json!({"monitoring": {"objectLabels": {"release": "drill"}}});
        cluster.change(&name, &label)?;
        Ok(Box::new(()))
    }))
}

/// The setting of an API whose data are in memory, so that they count against its limit.
pub(crate) fn in_memory() -> Value {
    json!([{"name": "DATABASE_URL", "value": "sqlite::memory:"}])
}

pub(crate) fn set_wrong(api: &Api) -> Result<Trouble> {
    let cluster = api.cluster()?;
    let wrong = json!([{"name": "DATABASE_URL", "value": "nonsense"}]);
    cluster.change(&api.name, &json!({"env": wrong}))?;
    let name = api.name.clone();
    Ok(Box::new(move || {
        cluster.change(&name, &json!({"env": in_memory()}))?;
        Ok(Box::new(()))
    }))
}

/// More than its limit. The kernel kills it before it has stored everything, and what is sent then is refused.
pub(crate) fn run_out_of_memory(api: &Api) -> Result<Trouble> {
    let cluster = api.cluster()?;
    let address = cluster.address(&api.name)?;
    let stored = (0..200)
        .take_while(|_| api::send(address, "POST", "/users", Some(&large_user())).is_ok())
        .count();
    ensure!(stored < 200, "the API stored 200 MB and is still there");
    let name = api.name.clone();
    Ok(Box::new(move || {
        cluster.change(&name, &json!({"resources": {"limits": {"memory": "384Mi"}}}))?;
        Ok(Box::new(()))
    }))
}
