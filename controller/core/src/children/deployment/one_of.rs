//! What can be there only once, where the pod template brings its own: one handler of a hook, one source of a variable.

use k8s_openapi::api::core::v1::{Container, PodTemplateSpec};

/// Takes out of the generated template what the partial one replaces. A merge field by field would leave both, and the
/// API server refuses that.
pub(super) fn make_room(generated: &mut PodTemplateSpec, partial: &PodTemplateSpec) {
    for given in partial.spec.iter().flat_map(|pod| &pod.containers) {
        let mut ours = generated.spec.iter_mut().flat_map(|pod| &mut pod.containers);
        if let Some(container) = ours.find(|ours| ours.name == given.name) {
            hooks(container, given);
            variables(container, given);
        }
    }
}

fn hooks(container: &mut Container, given: &Container) {
    let (Some(ours), Some(given)) = (&mut container.lifecycle, &given.lifecycle) else {
        return;
    };
    if given.pre_stop.is_some() {
        ours.pre_stop = None;
    }
    if given.post_start.is_some() {
        ours.post_start = None;
    }
}

fn variables(container: &mut Container, given: &Container) {
    for given in given.env.iter().flatten() {
        let ours = container.env.iter_mut().flatten().find(|ours| ours.name == given.name);
        if let Some(ours) = ours.filter(|_| given.value.is_some() || given.value_from.is_some()) {
            ours.value = None;
            ours.value_from = None;
        }
    }
}
