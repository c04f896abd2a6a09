//! A cluster from before a rule can still be annotated, reported on and deleted.

use std::time::Duration;

use api::names::annotation::PAUSED;
use api::names::finalizer;
use e2e::{ApiServer, apply, eventually};
use kube::api::DynamicObject;
use serde_json::{Value, json};

use crate::requests::{Requests, cluster};

const SOON: Duration = Duration::from_secs(20);

/// Keywords of bounds and rules: without them the definition takes what it took before there were any.
const STRICT: [&str; 9] = [
    "enum",
    "maxItems",
    "maxLength",
    "minLength",
    "minimum",
    "pattern",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-validations",
];

pub async fn a_cluster_from_before_a_rule_can_be_worked_on_and_deleted(
    server: &ApiServer,
    requests: &Requests,
) -> anyhow::Result<()> {
    let definitions = crate::definitions()?;
    let strict = definitions
        .iter()
        .find(|text| text.contains("kind: K8ssandraCluster\n"));
    let strict = apply::documents(strict.map_or("", String::as_str))?;
    let mut lax = strict.clone();
    loosen(&mut lax[0].data);

    let namespace = requests.namespace().await?;
    install(server, lax).await?;
    for old in &olds() {
        eventually("a definition without bounds and rules", SOON, || async {
            Ok(requests.create(old, &namespace).await?.ok())
        })
        .await?;
    }
    install(server, strict).await?;
    let elsewhere = requests.namespace().await?;
    let mut faults = vec![];
    for old in &olds() {
        let reasons = eventually("a definition with bounds and rules", SOON, || async {
            Ok(requests.would_create(old, &elsewhere).await?.err())
        })
        .await?;
        faults.push(reasons.len());
        lives_on_and_goes(requests, old, &namespace).await?;
    }
    assert_eq!(faults, [7, 10], "bounds and rules that the two clusters break");
    eprintln!("clusters with {faults:?} faults were annotated, reported on, changed and deleted");
    Ok(())
}

async fn lives_on_and_goes(requests: &Requests, old: &Value, namespace: &str) -> anyhow::Result<()> {
    let steps = [
        (
            "annotated",
            "",
            json!({"metadata": {"annotations": {PAUSED: "true"}}}),
        ),
        ("reported on", "/status", json!({"status": {"error": "None"}})),
        ("changed elsewhere", "", json!({"spec": {"auth": false}})),
    ];
    for (what, subresource, patch) in steps {
        let answer = requests.patch(old, namespace, subresource, &patch).await?;
        assert!(answer.is_ok(), "cannot be {what}: {answer:?}");
    }
    let stored = requests.read(old, namespace).await?;
    assert_eq!(stored["metadata"]["annotations"][PAUSED], "true");
    assert_eq!(
        (&stored["status"]["error"], &stored["spec"]["auth"]),
        (&json!("None"), &json!(false))
    );

    let answer = requests.delete(old, namespace).await?;
    assert!(answer.is_ok(), "cannot be deleted: {answer:?}");
    assert!(
        !requests.is_absent(old, namespace).await?,
        "its finalizer keeps it"
    );
    let answer = requests
        .patch(old, namespace, "", &json!({"metadata": {"finalizers": null}}))
        .await?;
    assert!(answer.is_ok(), "cannot lose its finalizer: {answer:?}");
    assert!(requests.is_absent(old, namespace).await?);
    Ok(())
}

/// One breaks bounds, the other rules: a server asks rules only where no bound is broken. Both have a finalizer.
fn olds() -> [Value; 2] {
    let long = "n".repeat(64);
    let bounds = json!({
        "cassandra": {
            "serverType": "scylla",
            "serverVersion": "4.1",
            "storageConfig": {},
            "racks": [{"name": "r1"}, {"name": "r1"}, {"name": "x"}, {"name": long}],
            "datacenters": [{"metadata": {"name": long}, "size": 0}],
        },
    });
    let rules = json!({
        "cassandra": {
            "datacenters": [
                {"metadata": {"name": "DC_1"}, "size": 1, "softPodAntiAffinity": true},
                {"metadata": {"name": "DC_1"}, "size": 1},
                {"size": 1},
            ],
        },
        "medusa": {"storageProperties": {}},
        "reaper": {"storageType": "local"},
    });
    [("bounds", bounds), ("rules", rules)].map(|(name, spec)| {
        let mut old = cluster(&spec);
        old["metadata"] = json!({"name": name, "finalizers": [finalizer::CLUSTER]});
        old
    })
}

async fn install(server: &ApiServer, definition: Vec<DynamicObject>) -> anyhow::Result<()> {
    // The manager that installed it: what it leaves out is taken away.
    apply::apply(&server.client(), definition, "ringspan-e2e").await?;
    Ok(())
}

/// Takes the keywords away wherever they are; a property of such a name has a schema, and stays.
fn loosen(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.retain(|name, value| !STRICT.contains(&name.as_str()) || value.is_object());
            fields.values_mut().for_each(loosen);
        }
        Value::Array(items) => items.iter_mut().for_each(loosen),
        _ => {}
    }
}
