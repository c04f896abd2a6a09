//! S10, S11: the way to a plane changes, goes and comes back.

use std::time::Duration;

use serde_json::json;

use super::spec::{EAST, NORTH, WEST, apply, client_config, cluster, datacenter, rotated, sized};
use super::step::{Act, Step, Until};
use crate::world::{CONTROL_PLANE, NAMESPACE};

/// S10: a new token, then a new address, each as soon as the former is taken no more.
pub(super) fn rotate() -> Vec<Step> {
    let (first, second) = ("west.example:6443", "west-2.example:443");
    let moved = |host, token| Act::Move {
        plane: "west",
        host,
        token,
    };
    let told = |host: &str, token: &str| Act::Apply(CONTROL_PLANE, rotated("west", host, token));
    vec![
        apply(cluster(&[EAST, WEST])).then(Until::Ready),
        moved(first, "second-token").then(Until::Says("PlaneForbidden")),
        told(first, "second-token").then_all([Until::Passed(Duration::from_mins(1)), Until::Ready]),
        apply(sized(&[(EAST, 1), (WEST, 2)])).then(Until::Ready),
        moved(second, "third-token").at_once(),
        told(second, "third-token").at_once(),
        apply(sized(&[(EAST, 1), (WEST, 2), (NORTH, 1)])).then(Until::Ready),
    ]
}

/// S11: a plane is taken out of the registry while a datacenter lives there, and comes back after an edit.
pub(super) fn unregister() -> Vec<Step> {
    let back = json!({
        "apiVersion": "config.k8ssandra.io/v1beta1", "kind": "ClientConfig",
        "metadata": {"name": "west", "namespace": NAMESPACE},
        "spec": {"contextName": "west", "kubeConfigSecret": {"name": "west-kubeconfig"}},
    });
    vec![
        apply(cluster(&[EAST, WEST])).then(Until::Ready),
        Act::Delete(client_config("west")).then(Until::Says("UnknownContext")),
        // The other datacenter changes at once where the program saw that this one was in the middle of nothing; one that
        // was started since then cannot know, and waits until it is back.
        apply(sized(&[(EAST, 2), (WEST, 2)])).then_all([
            Until::Says("UnknownContext"),
            Until::Passed(Duration::from_hours(1)),
            Until::Is(datacenter(WEST), "/spec/size", json!(1)),
        ]),
        Act::Apply(CONTROL_PLANE, back).then(Until::Ready),
    ]
}
