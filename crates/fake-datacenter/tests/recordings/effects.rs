//! Single edits of a CassandraDatacenter: whether the stand-in takes them as the recorded operator did.
//!
//! The stand-in has no webhook, so an edit is held to what was recorded past the webhook. Compared are: what the API server
//! said, whether pods were replaced, whether the datacenter became ready again, and, where the recording names one of
//! these, the class of the effect: none, live or rolling restart.

use std::path::Path;

use serde_json::{Value, json};

use crate::play::Stage;

/// An edit whose effect differs, and why it may.
pub struct NamedEffect {
    /// The edit.
    pub edit: &'static str,
    /// What differs: fact, recorded, the stand-in's.
    pub difference: &'static str,
    /// Why it may be so.
    pub why: &'static str,
}

/// One recorded edit.
pub struct Edit {
    /// Its name.
    pub name: String,
    /// The merge patch.
    pub patch: Value,
    /// What was recorded.
    pub recorded: Facts,
    needs_rack: bool,
}

/// What an edit did.
#[derive(Debug, PartialEq, Eq)]
pub struct Facts {
    /// The API server took it.
    pub accepted: bool,
    /// A pod was replaced.
    pub replaced: bool,
    /// The datacenter became ready again; unknown for what was not accepted.
    pub ready: Option<bool>,
    /// None, live or rolling restart.
    pub class: Option<String>,
}

/// All recorded edits.
pub fn read(folder: &Path) -> Vec<Edit> {
    let text = std::fs::read_to_string(folder.join("effects.tsv")).unwrap();
    let mut lines = text.lines();
    let header: Vec<_> = lines.next().unwrap().split('\t').collect();
    let column = |name: &str| header.iter().position(|known| *known == name).unwrap();
    let (edit, patch, api) = (column("edit"), column("merge_patch"), column("api"));
    let (class, replaced, ready) = (
        column("effect_class"),
        column("pod_replaced"),
        column("ready_again"),
    );
    let writes = column("operator_writes");
    let parse = |line: &str| {
        let fields: Vec<_> = line.split('\t').collect();
        let accepted = fields[api] == "accepted";
        let known = ["none", "live", "rolling restart"];
        Edit {
            name: fields[edit].to_owned(),
            patch: serde_json::from_str(fields[patch]).unwrap(),
            recorded: Facts {
                accepted,
                replaced: fields[replaced] == "yes",
                ready: accepted.then(|| fields[ready] == "True"),
                class: known.contains(&fields[class]).then(|| fields[class].to_owned()),
            },
            needs_rack: fields[writes].contains("-r1-sts")
                || fields[patch].contains("\"rX\"")
                || fields[edit].contains("racks add"),
        }
    };
    lines.filter(|line| !line.is_empty()).map(parse).collect()
}

impl Edit {
    /// What differs from the recording, a line for each fact.
    pub fn differences(&self, ours: &Facts) -> Vec<String> {
        let recorded = &self.recorded;
        let mut found = Vec::new();
        let mut compare = |fact: &str, one: String, other: String| {
            if one != other {
                found.push(format!("{fact}: {one} <> {other}"));
            }
        };
        compare(
            "accepted",
            recorded.accepted.to_string(),
            ours.accepted.to_string(),
        );
        compare(
            "pod replaced",
            recorded.replaced.to_string(),
            ours.replaced.to_string(),
        );
        if let (Some(one), Some(other)) = (recorded.ready, ours.ready) {
            compare("ready again", one.to_string(), other.to_string());
        }
        if let (Some(one), Some(other)) = (&recorded.class, &ours.class) {
            compare("class", one.clone(), other.clone());
        }
        found
    }

    /// The datacenter that is edited.
    fn datacenter(&self) -> Value {
        let mut spec = json!({
            "clusterName": "clus",
            "config": {"cassandra-yaml": {"num_tokens": 16}},
            "managementApiAuth": {"insecure": {}},
            "serverType": "cassandra",
            "serverVersion": "4.1.8",
            "size": 1,
            "storageConfig": {"cassandraDataVolumeClaimSpec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "5Gi"}},
                "storageClassName": "standard",
            }},
        });
        if self.needs_rack {
            spec["racks"] = json!([{"name": "r1"}]);
        }
        if self.name.contains("spelled differently") || self.name.ends_with("with resources") {
            spec["resources"] = json!({
                "limits": {"cpu": "1", "memory": "2Gi"},
                "requests": {"cpu": "1", "memory": "2Gi"},
            });
        }
        if self.name == "spec.users remove" {
            spec["users"] = json!([{"secretName": "u2", "superuser": false}]);
        }
        json!({
            "apiVersion": "cassandra.datastax.com/v1beta1",
            "kind": "CassandraDatacenter",
            "metadata": {"name": "dc1", "namespace": "ns"},
            "spec": spec,
        })
    }

    /// Does the edit to a datacenter that is ready, and looks what comes of it.
    pub async fn play(&self) -> Facts {
        let stage = Stage::new();
        stage.edit(&self.datacenter(), &self.patch).await
    }
}
