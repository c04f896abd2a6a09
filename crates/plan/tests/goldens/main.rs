//! Inputs, and what upstream made of them: ours must be equal, but for the named deviations.
//!
//! The goldens are not part of this repository. Environment variable `RINGSPAN_REFERENCE` names the folder that has them
//! in `golden/`; without it nothing is compared, and the test says so.

#![expect(
    clippy::print_stdout,
    reason = "the figures are what a reader of the test's output looks for"
)]
#![expect(
    clippy::expect_used,
    reason = "a golden that cannot be read must stop the test"
)]

mod deviations;
mod differences;
mod effects;
mod reference;
mod refusals;
mod secrets;
mod takeover;
mod toml;

use std::collections::{BTreeMap, BTreeSet};

use api::k8ssandra_cluster::{CassandraDatacenterTemplate, K8ssandraCluster};
use api::record::Role;
use plan::datacenter::{
    DatacenterInput, DesiredConfigMap, DesiredDatacenter, NoPassword, Password, PasswordOf, PasswordSource,
    References, build, password_sources, working_order,
};
use plan::{normalize, validate};
use serde_json::{Map, Value, json};

use differences::Difference;
use reference::Golden;

/// What came of one input.
enum Outcome {
    /// So many objects are equal but for these deviations: how often each was met.
    Compared {
        objects: usize,
        met: [usize; deviations::COUNT],
    },
    /// Both refuse it.
    Refused,
    /// It differs.
    Differing(Vec<String>),
}

/// What came of all.
#[derive(Default)]
struct Tally {
    /// Inputs whose objects are all equal.
    equal: usize,
    /// Inputs whose objects are equal but for named deviations.
    named: usize,
    objects: usize,
    met: [usize; deviations::COUNT],
    refused: usize,
    differing: Vec<String>,
}

#[test]
fn every_datacenter_equals_that_of_upstream_but_for_the_named_deviations() {
    let Some(goldens) = reference::goldens() else {
        println!("goldens: RINGSPAN_REFERENCE is not set, so nothing was compared");
        return;
    };
    let mut tally = Tally::default();
    for golden in &goldens {
        tally.count(&golden.name, outcome(golden));
    }
    for (number, times) in tally.met.iter().enumerate() {
        println!(
            "named deviation, met {times} times: {}",
            deviations::shown(number)
        );
    }
    for (kind, times) in not_yet(&goldens) {
        println!("not yet, so not compared: {times} of kind {kind}");
    }
    println!(
        "goldens: inputs {} equal {} named {} refused {} differing {} (objects compared {}, named deviations met {})",
        goldens.len(),
        tally.equal,
        tally.named,
        tally.refused,
        tally.differing.len(),
        tally.objects,
        tally.met.iter().sum::<usize>(),
    );
    assert!(tally.named > 0, "there are goldens, and none was compared");
    assert_eq!(tally.differing, Vec::<String>::new());
    assert!(
        tally.met.iter().all(|times| *times > 0),
        "a deviation that nothing needs must go"
    );
}

impl Tally {
    fn count(&mut self, name: &str, outcome: Outcome) {
        match outcome {
            Outcome::Compared { objects, met } => {
                if met.iter().sum::<usize>() == 0 {
                    self.equal += 1;
                } else {
                    self.named += 1;
                }
                self.objects += objects;
                self.met
                    .iter_mut()
                    .zip(met)
                    .for_each(|(sum, times)| *sum += times);
            }
            Outcome::Refused => self.refused += 1,
            Outcome::Differing(lines) => {
                self.differing.push(name.to_owned());
                for line in &lines {
                    println!("differs: {name}: {line}");
                }
            }
        }
    }
}

/// Kinds that upstream made and nobody here makes: how often.
fn not_yet(goldens: &[Golden]) -> BTreeMap<String, usize> {
    const COMPARED: [&str; 4] = ["CassandraDatacenter", "ConfigMap", "Secret", "ReplicatedSecret"];
    let mut kinds = BTreeMap::new();
    for kind in goldens.iter().flat_map(Golden::kinds_made) {
        if !COMPARED.contains(&kind.as_str()) {
            *kinds.entry(kind).or_default() += 1;
        }
    }
    kinds
}

fn outcome(golden: &Golden) -> Outcome {
    let (mut objects, mut met) = (0, [0; deviations::COUNT]);
    let mut refused = false;
    let mut lines = Vec::new();
    for kc in golden.clusters() {
        let upstream = golden.datacenters(&kc);
        match validate::cluster(&kc) {
            Err(_) if upstream.is_empty() => refused = true,
            Err(refusal) => lines.push(format!("refused, but not by upstream: {refusal:?}")),
            Ok(()) if upstream.is_empty() => {
                lines.push("upstream made no datacenter, and it is not refused".into());
            }
            Ok(()) => objects += compare(golden, &kc, &mut met, &mut lines),
        }
    }
    if !lines.is_empty() {
        Outcome::Differing(lines)
    } else if refused {
        Outcome::Refused
    } else {
        Outcome::Compared { objects, met }
    }
}

/// How many objects were compared.
fn compare(golden: &Golden, kc: &K8ssandraCluster, met: &mut [usize], lines: &mut Vec<String>) -> usize {
    let mut objects = 0;
    let mut made = BTreeSet::new();
    for template in &kc.spec.cassandra.as_ref().expect("validated").datacenters {
        let desired = match built(golden, kc, template) {
            Ok(desired) => desired,
            Err(why) => {
                lines.push(why);
                continue;
            }
        };
        if golden.is_left_out_by_a_bug(&template.k8s_context, &desired.namespace, &desired.name) {
            println!(
                "not made by upstream, for a defect of its own: {} {}",
                golden.name, desired.name
            );
            continue;
        }
        let context = reference::plane(&template.k8s_context);
        made.extend(
            desired
                .config_maps
                .iter()
                .map(|map| format!("{context}/{}/{}", map.namespace, map.name)),
        );
        objects += count(pairs(golden, template, &desired), met, lines);
    }
    objects += count(secrets::pairs(golden, kc), met, lines);
    let theirs = golden.config_maps(kc).into_iter();
    lines.extend(
        theirs
            .filter(|name| !made.contains(name))
            .map(|name| format!("ConfigMap {name} is not made")),
    );
    objects
}

/// How many objects these are, and where they differ.
fn count(pairs: Vec<(String, Value, Value)>, met: &mut [usize], lines: &mut Vec<String>) -> usize {
    let objects = pairs.len();
    for (what, ours, theirs) in pairs {
        for difference in differences::between(&ours, &theirs) {
            match deviations::find(&what, &difference) {
                Some(number) => met[number] += 1,
                None => lines.push(format!("{what} {difference}")),
            }
        }
    }
    objects
}

/// Built with the role that upstream implies: its first founds, the others join.
fn built(
    golden: &Golden,
    kc: &K8ssandraCluster,
    template: &CassandraDatacenterTemplate,
) -> Result<DesiredDatacenter, String> {
    let is_first = working_order(kc).first() == Some(&template.name());
    let reference = template
        .per_node_config_map_ref
        .as_ref()
        .map(|reference| reference.name.as_str());
    let per_node = reference.and_then(|name| golden.config_map(name));
    let replication = reference::initial_system_replication(kc);
    let references = References {
        per_node_config: per_node,
        store_passwords: store_passwords(golden, kc, template.name()),
        ..References::default()
    };
    let input = DatacenterInput {
        kc,
        datacenter: template.name(),
        all: None,
        role: if is_first { Role::Founder } else { Role::Rebuild },
        initial_system_replication: replication.as_ref(),
        control_plane_id: Some("control-plane"),
        references: &references,
        live: None,
    };
    build(&input).map_err(|refusal| format!("not built: {refusal:?}"))
}

fn store_passwords(
    golden: &Golden,
    kc: &K8ssandraCluster,
    datacenter: &str,
) -> BTreeMap<PasswordOf, Result<Password, NoPassword>> {
    let sources = password_sources(kc, datacenter).expect("validated");
    let read = |source: PasswordSource| {
        let bytes = golden.secret(&source.secret, &source.key);
        (
            source.of,
            bytes.ok_or(NoPassword::NoKey).and_then(Password::of_bytes),
        )
    };
    sources.into_iter().map(read).collect()
}

/// Each object that was made for a datacenter, ours and theirs, in comparable form.
fn pairs(
    golden: &Golden,
    template: &CassandraDatacenterTemplate,
    desired: &DesiredDatacenter,
) -> Vec<(String, Value, Value)> {
    let context = &template.k8s_context;
    let theirs = golden.find(context, "CassandraDatacenter", &desired.namespace, &desired.name);
    let ours = json!({
        "labels": desired.labels,
        "annotations": without_ours(&desired.annotations.iter().map(|(k, v)| (k.clone(), json!(v))).collect()),
        "spec": normalize::normalize(&desired.spec),
    });
    let theirs = theirs.map_or(Value::Null, |theirs| {
        json!({
            "finalizers": theirs.pointer("/metadata/finalizers"),
            "labels": theirs.pointer("/metadata/labels"),
            "annotations": without_ours(&map(theirs.pointer("/metadata/annotations"))),
            "spec": normalize::normalize(&theirs["spec"]),
        })
    });
    let mut pairs = vec![(format!("CassandraDatacenter {}", desired.name), ours, theirs)];
    pairs.extend(
        desired
            .config_maps
            .iter()
            .map(|ours| config_maps(golden, context, ours)),
    );
    pairs
}

fn config_maps(golden: &Golden, context: &str, ours: &DesiredConfigMap) -> (String, Value, Value) {
    let theirs = golden.find(context, "ConfigMap", &ours.namespace, &ours.name);
    let comparable = |labels: Value, annotations: Map<String, Value>, data: Map<String, Value>| {
        let parsed = |key: &str, text: &Value| match text.as_str().unwrap_or_default() {
            text if key == "vector.toml" => toml::parsed(text),
            text if key.rsplit('.').next() == Some("yaml") => reference::yaml(text),
            text => json!(text),
        };
        let data: Map<String, Value> = data
            .iter()
            .map(|(key, text)| (key.clone(), parsed(key, text)))
            .collect();
        json!({"labels": labels, "annotations": without_ours(&annotations), "data": data})
    };
    let theirs = theirs.map_or(Value::Null, |theirs| {
        let labels = theirs.pointer("/metadata/labels").cloned().unwrap_or_default();
        comparable(
            labels,
            map(theirs.pointer("/metadata/annotations")),
            map(theirs.get("data")),
        )
    });
    let annotations = ours
        .annotations
        .iter()
        .map(|(key, value)| (key.clone(), json!(value)))
        .collect();
    let data = ours
        .data
        .iter()
        .map(|(key, text)| (key.clone(), json!(text)))
        .collect();
    (
        format!("ConfigMap {}", ours.name),
        comparable(json!(ours.labels), annotations, data),
        theirs,
    )
}

fn map(value: Option<&Value>) -> Map<String, Value> {
    value.and_then(Value::as_object).cloned().unwrap_or_default()
}

/// Ours are additions, under a prefix of our own.
fn without_ours(annotations: &Map<String, Value>) -> Value {
    let theirs = annotations
        .iter()
        .filter(|(key, _)| !key.starts_with("ringspan.io/"));
    Value::Object(theirs.map(|(key, value)| (key.clone(), value.clone())).collect())
}

#[test]
fn a_difference_without_a_name_is_found() {
    let ours = json!({"spec": {"size": 3, "racks": [{"name": "a"}]}});
    let theirs = json!({"spec": {"size": 3, "racks": [{"name": "b"}], "stopped": true}});
    let found = differences::between(&ours, &theirs);
    let paths: Vec<&str> = found
        .iter()
        .map(|difference: &Difference| difference.path.as_str())
        .collect();
    assert_eq!(paths, ["spec.racks[0].name", "spec.stopped"]);
    assert!(
        found
            .iter()
            .all(|difference| deviations::find("CassandraDatacenter dc1", difference).is_none())
    );
}
