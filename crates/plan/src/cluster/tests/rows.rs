//! Rows of the specification about the cluster's own objects that no other test shows.

use std::collections::BTreeSet;

use api::grants::Grants;
use api::names::reason;
use api::record::Role;
use serde_json::json;

use super::world::{World, holds, plane_id, reasons, secret, sentences};
use crate::cluster::acts::Act;
use crate::cluster::facts::{ReplicatedFacts, SecretFacts};
use crate::cluster::plan;
use crate::{objects, own_secrets};

#[test]
fn c040_c041_c152_a_superuser_is_made_without_authentication_too_and_goes_with_the_cluster() {
    let mut world = World::new();
    world.facts.kc.spec.auth = Some(false);
    world
        .facts
        .secrets
        .insert("demo-superuser".to_owned(), SecretFacts::Missing);
    assert!(reasons(&plan(&world.facts)).contains(&"SuperuserSecretCreated"));
    let object = objects::own_secret(&world.facts.kc, "demo-superuser");
    assert_eq!(
        (&object["type"], &object["metadata"]["namespace"]),
        (&json!("Opaque"), &json!("ns"))
    );
    assert_eq!(object["metadata"]["ownerReferences"][0]["uid"], "kc-uid");
    assert_eq!(object["metadata"]["ownerReferences"][0]["controller"], true);
    assert_eq!(
        object["metadata"]["labels"],
        json!({"k8ssandra.io/replicated-by": "k8ssandracluster-controller", "k8ssandra.io/cluster-name": "demo",
            "k8ssandra.io/cluster-namespace": "ns"})
    );
}

#[test]
fn c042_c152_a_superuser_of_the_user_s_gets_labels_and_outlives_the_cluster() {
    let mut world = World::complete();
    let SecretFacts::Present { uid, .. } = secret("s") else {
        panic!()
    };
    let of_user = SecretFacts::Present {
        goes_with_cluster: None,
        uid,
        resource_version: "2".into(),
        labelled: false,
        missing_keys: Vec::new(),
    };
    world.facts.secrets.insert("demo-superuser".to_owned(), of_user);
    let labelling = plan(&world.facts);
    assert_eq!(reasons(&labelling), ["SuperuserSecretLabelled"]);
    assert_eq!(
        own_secrets::annotations_of_adopted()["replicatedresource.k8ssandra.io/orphan"],
        "true"
    );
}

#[test]
fn c045_where_something_else_provides_secrets_nothing_is_copied() {
    let mut world = World::new();
    world.facts.kc.spec.secrets_provider = Some("external".into());
    world.facts.secrets.clear();
    world.facts.replicated = ReplicatedFacts::Missing;
    assert_eq!(
        reasons(&plan(&world.facts)),
        ["RecordWritten", "ConfigMapWritten", "DatacenterCreated"]
    );
}

#[test]
fn c046_the_replicated_secret_names_every_other_place_and_goes_with_the_cluster() {
    let mut world = World::new();
    world.facts.replicated = ReplicatedFacts::Missing;
    let said = sentences(&plan(&world.facts));
    let copies = "Copy the cluster's Secrets to";
    assert!(
        said.iter()
            .any(|it| it.contains("plane east") && it.contains("plane west")),
        "{copies}: {said:?}"
    );
    let object = objects::replicated_secret(&world.facts.kc, &own_secrets::places(&world.facts.kc));
    assert_eq!(
        (&object["metadata"]["name"], &object["metadata"]["namespace"]),
        (&json!("demo"), &json!("ns"))
    );
    assert_eq!(
        object["spec"],
        json!({
            "selector": {"matchLabels": {"k8ssandra.io/replicated-by": "k8ssandracluster-controller",
                "k8ssandra.io/cluster-name": "demo", "k8ssandra.io/cluster-namespace": "ns"}},
            "replicationTargets": [{"k8sContextName": "east"}, {"k8sContextName": "west"}],
        })
    );
    assert_eq!(object["metadata"]["ownerReferences"][0]["uid"], "kc-uid");
    assert_eq!(
        object["metadata"]["labels"],
        json!({"k8ssandra.io/cluster-name": "demo", "k8ssandra.io/cluster-namespace": "ns"})
    );
}

#[test]
fn c047_targets_of_the_user_s_stay_and_a_changed_selector_is_put_back() {
    let mut world = World::complete();
    world.copied_to(&["east", "west", "mine"]);
    assert!(plan(&world.facts).acts.is_empty());
    if let ReplicatedFacts::Present { selects, .. } = &mut world.facts.replicated {
        *selects = false;
    }
    let mended = plan(&world.facts);
    let [Act::ApplyReplicatedSecret { targets, .. }] = mended.acts.as_slice() else {
        panic!("{:?}", reasons(&mended))
    };
    let contexts: BTreeSet<&str> = targets.iter().map(|(context, _)| context.as_str()).collect();
    assert_eq!(contexts, BTreeSet::from(["east", "west", "mine"]));
}

#[test]
fn c048_a_datacenter_elsewhere_waits_for_copies_and_one_beside_the_cluster_does_not() {
    let mut world = World::new();
    world.copied_to(&[]);
    assert_eq!(
        holds(&plan(&world.facts)),
        [(reason::SECRETS_PENDING, Some("dc1"))]
    );
    let mut world = World::of(json!([{"metadata": {"name": "dc1"}, "size": 3}]));
    world.copied_to(&[]);
    assert!(
        reasons(&plan(&world.facts)).contains(&"DatacenterCreated"),
        "{:?}",
        holds(&plan(&world.facts))
    );
    // One in another namespace is elsewhere.
    let mut world = World::of(json!([{"metadata": {"name": "dc1", "namespace": "other"}, "size": 3}]));
    "other".clone_into(&mut world.datacenter("dc1").namespace);
    world.copied_to(&[]);
    assert!(!reasons(&plan(&world.facts)).contains(&"DatacenterCreated"));
}

#[test]
fn cc07_cc08_without_a_grant_every_context_and_namespace_may_be_used_as_upstream_has_it() {
    for namespace in ["elsewhere", "kube-system", ""] {
        let mut world = World::of(json!([
            {"metadata": {"name": "dc1", "namespace": namespace}, "k8sContext": "east", "size": 3},
        ]));
        let place = if namespace.is_empty() { "ns" } else { namespace };
        place.clone_into(&mut world.datacenter("dc1").namespace);
        world.copied_in("east", place);
        world.write_record();
        let made = plan(&world.facts);
        let created = made.acts.iter().find_map(|act| match act {
            Act::CreateDatacenter { context, desired } => {
                Some((context.as_str(), desired.namespace.as_str()))
            }
            _ => None,
        });
        assert_eq!(created, Some(("east", place)), "{:?}", holds(&made));
    }
}

fn refused(world: &World) -> Option<(String, String)> {
    let plan = plan(&world.facts);
    let refusal = plan.report.refusal.clone()?;
    assert!(
        plan.acts.is_empty(),
        "what is refused does nothing: {:?}",
        reasons(&plan)
    );
    Some((refusal.reason, refusal.field))
}

fn granted(world: &mut World, context: &str, text: &str) {
    let grants = Grants::read(Some(text), false);
    world.facts.grants.insert(context.to_owned(), grants);
}

#[test]
fn cc07_x31_rc50_a_plane_that_is_not_granted_to_the_namespace_is_not_used() {
    let mut world = World::new();
    for nobody in ["{}", r#"{"other": ["ns"]}"#, "not JSON"] {
        granted(&mut world, "west", nobody);
        let field = "spec.cassandra.datacenters[1].k8sContext".to_owned();
        assert_eq!(
            refused(&world),
            Some((reason::NOT_GRANTED.to_owned(), field)),
            "{nobody}"
        );
    }
    granted(&mut world, "west", r#"{"ns": ["ns"]}"#);
    assert_eq!(refused(&world), None);
}

#[test]
fn cc08_x30_a_namespace_that_is_not_granted_is_not_used() {
    for (namespace, field) in [
        ("kube-system", "metadata.namespace"),
        ("elsewhere", "metadata.namespace"),
    ] {
        let mut world = World::of(json!([
            {"metadata": {"name": "dc1", "namespace": namespace}, "k8sContext": "east", "size": 3},
        ]));
        granted(&mut world, "east", r#"{"ns": ["ns", "shared"]}"#);
        let field = format!("spec.cassandra.datacenters[0].{field}");
        assert_eq!(
            refused(&world),
            Some((reason::NAMESPACE_NOT_ALLOWED.to_owned(), field))
        );
    }
    // In the control plane itself nothing but the cluster's own namespace, where grants are required.
    let mut world = World::of(json!([{"metadata": {"name": "dc1", "namespace": "other"}, "size": 3}]));
    world.facts.grants.insert(String::new(), Grants::OwnNamespace);
    assert_eq!(refused(&world).unwrap().0, reason::NAMESPACE_NOT_ALLOWED);
}

#[test]
fn cc07_a_grant_that_goes_touches_nothing_that_runs_and_holds_no_removal() {
    let mut world = World::complete();
    granted(&mut world, "west", "{}");
    assert_eq!(refused(&world).unwrap().0, reason::NOT_GRANTED);
    // Taken out of the spec, it is removed as ever: topology-reconciler is asked what it has.
    let mut spec = serde_json::to_value(&world.facts.kc).unwrap();
    spec["spec"]["cassandra"]["datacenters"]
        .as_array_mut()
        .unwrap()
        .pop();
    world.facts.kc = serde_json::from_value(spec).unwrap();
    let removal = plan(&world.facts);
    assert_eq!(removal.report.refusal, None);
    assert_eq!(holds(&removal), [(reason::REPLICATION_UNKNOWN, Some("dc2"))]);
}

/// dc1 with search, dc2 with analytics.
fn swapped() -> World {
    let mut world = World::of(json!([
        {"metadata": {"name": "dc1"}, "k8sContext": "east", "size": 3, "dseWorkloads": {"searchEnabled": true}},
        {"metadata": {"name": "dc2"}, "k8sContext": "west", "size": 3, "dseWorkloads": {"analyticsEnabled": true}},
    ]));
    let cassandra = world.facts.kc.spec.cassandra.as_mut().expect("it is given");
    cassandra.server_type = Some("dse".into());
    cassandra.options.server_version = Some("6.8.25".into());
    world
}

#[test]
fn c101_datacenters_with_analytics_come_first_and_those_with_search_last() {
    let mut world = swapped();
    assert_eq!(world.write_record().founder.as_deref(), Some("dc2"));
    let made = plan(&world.facts);
    let created: Vec<_> = made
        .acts
        .iter()
        .filter(|act| act.reason() == "DatacenterCreated")
        .collect();
    assert_eq!(
        created
            .iter()
            .filter_map(|act| act.datacenter())
            .collect::<Vec<_>>(),
        ["dc2"]
    );
}

#[test]
fn cd4_datacenters_whose_workloads_swap_their_order_are_each_told_and_changed_as_themselves() {
    let mut world = swapped();
    world.write_record();
    world.make("dc1", Role::Rebuild);
    world.make("dc2", Role::Founder);
    world.write_record();
    world.record().datacenters.get_mut("dc1").unwrap().joined = true;
    for datacenter in world.templates() {
        datacenter.size += 1;
    }
    let plan = plan(&world.facts);
    let changed = plan.acts.iter().find_map(|act| match act {
        Act::ApplyDatacenter {
            context,
            desired,
            uid,
            ..
        } => Some((context.as_str(), desired.name.as_str(), uid.as_str())),
        _ => None,
    });
    assert_eq!(
        changed,
        Some(("west", "dc2", "uid-of-dc2")),
        "{:?}",
        reasons(&plan)
    );
    for (name, context) in [("dc1", "east"), ("dc2", "west")] {
        let report = &plan.report.datacenters[name];
        assert_eq!(report.uid, format!("uid-of-{name}"));
        assert_eq!(report.plane_id, plane_id(context));
    }
}
