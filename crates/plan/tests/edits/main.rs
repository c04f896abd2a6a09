//! Clusters that are edited over time: after each edit, what would be written and what waits, as a text that is kept in
//! `snapshots/`. An edit of the product that changes one of them shows there, line by line.
//!
//! An input in `inputs/` has a cluster and edits of it, each with values for JSON pointers. To write the texts anew:
//!
//! ```console
//! $ RINGSPAN_WRITE_SNAPSHOTS=1 cargo test -p ringspan-plan --test edits
//! ```

#![expect(
    clippy::expect_used,
    reason = "an input that cannot be read must stop the test"
)]

mod shown;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use api::k8ssandra_cluster::K8ssandraCluster;
use api::seen::PlaneId;
use plan::foresight::{PlaneObjects, Played, Snapshot, played};
use serde::Deserialize;
use serde_json::Value;

/// A cluster and what its user does with it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Contexts of the planes beside the control plane.
    planes: Vec<String>,
    /// As it is made.
    cluster: Value,
    /// In order.
    edits: Vec<Edit>,
}

/// One edit.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    /// What the user wants by it.
    #[serde(rename = "edit")]
    what: String,
    /// By JSON pointer: the new value; `null` takes the field out.
    #[serde(default)]
    set: BTreeMap<String, Value>,
    /// What becomes of datacenters in their planes, by somebody else: as an older version of the product would have written
    /// them, for nothing says whose a field is.
    #[serde(default)]
    datacenters: Vec<OfDatacenter>,
}

/// A change of one CassandraDatacenter.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfDatacenter {
    plane: String,
    name: String,
    set: BTreeMap<String, Value>,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/edits")
        .join(name)
}

fn inputs() -> Vec<(String, Input)> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder("inputs"))
        .expect("the inputs")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let read = |file: &PathBuf| {
        let name = file
            .file_stem()
            .and_then(|it| it.to_str())
            .expect("a name")
            .to_owned();
        let text = fs::read_to_string(file).expect("an input");
        let input =
            serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        (name, input)
    };
    files.iter().map(read).collect()
}

/// Nothing is there.
fn empty(planes: &[String]) -> Snapshot {
    let plane = |context: String| {
        let id = PlaneId(format!("id-of-{context}"));
        (
            context,
            Ok(PlaneObjects {
                id,
                objects: Vec::new(),
            }),
        )
    };
    Snapshot {
        planes: planes.iter().cloned().chain([String::new()]).map(plane).collect(),
        ..Snapshot::default()
    }
}

/// Sets a value, making the objects on the way; a number behind the end of a list adds to it.
fn set(document: &mut Value, pointer: &str, to: Value) {
    let (above, key) = pointer.rsplit_once('/').expect("a pointer begins with a slash");
    let key = key.replace("~1", "/").replace("~0", "~");
    if document.pointer(above).is_none() {
        set(document, above, Value::Object(serde_json::Map::new()));
    }
    match document.pointer_mut(above).expect("it was made") {
        Value::Array(list) => {
            let at: usize = key.parse().expect("a number");
            if to.is_null() {
                list.remove(at);
            } else if at < list.len() {
                list[at] = to;
            } else {
                list.push(to);
            }
        }
        Value::Object(map) if to.is_null() => {
            map.remove(&key)
                .unwrap_or_else(|| panic!("{pointer} is not there"));
        }
        Value::Object(map) => {
            map.insert(key, to);
        }
        other => panic!("{above} is {other}"),
    }
}

/// The cluster after an edit: an API server counts those of the spec.
fn edited(kc: &K8ssandraCluster, edit: &Edit) -> K8ssandraCluster {
    let mut document = serde_json::to_value(kc).expect("a document");
    for (pointer, to) in &edit.set {
        set(&mut document, pointer, to.clone());
    }
    let mut edited: K8ssandraCluster = serde_json::from_value(document).expect("a cluster");
    if edited.spec != kc.spec && !edit.set.contains_key("/metadata/generation") {
        edited.metadata.generation = kc.metadata.generation.map(|it| it + 1);
    }
    edited
}

/// The planes after an edit.
fn moved(snapshot: &Snapshot, edit: &Edit) -> Snapshot {
    let mut moved = snapshot.clone();
    for change in &edit.datacenters {
        let plane = moved
            .planes
            .get_mut(&change.plane)
            .and_then(|plane| plane.as_mut().ok());
        let mut objects = plane.expect("a plane").objects.iter_mut();
        let is_it = |object: &&mut Value| {
            object["kind"] == "CassandraDatacenter" && object["metadata"]["name"] == change.name.as_str()
        };
        let object = objects.find(is_it).expect("a datacenter");
        for (pointer, to) in &change.set {
            set(object, pointer, to.clone());
        }
    }
    moved
}

/// Everything that happens, as a text.
fn told(input: &Input) -> String {
    let mut document = input.cluster.clone();
    set(&mut document, "/metadata/uid", "uid-of-the-cluster".into());
    set(&mut document, "/metadata/generation", 1.into());
    let kc: K8ssandraCluster = serde_json::from_value(document).expect("a cluster");
    let nothing = empty(&input.planes);
    let mut text = String::new();
    let mut world: Played = played(&kc, &nothing);
    shown::edit(&mut text, "It is made", &kc, &nothing, &world);
    for edit in &input.edits {
        let kc = edited(&world.kc, edit);
        let planes = moved(&world.snapshot, edit);
        let next = played(&kc, &planes);
        shown::edit(&mut text, &edit.what, &kc, &planes, &next);
        world = next;
    }
    text
}

#[test]
fn each_edit_writes_and_holds_what_its_snapshot_says() {
    let write = std::env::var_os("RINGSPAN_WRITE_SNAPSHOTS").is_some();
    let (mut stale, mut edits) = (Vec::new(), 0);
    for (name, input) in inputs() {
        edits += input.edits.len();
        let file = folder("snapshots").join(format!("{name}.txt"));
        let now = told(&input);
        if write {
            fs::write(&file, &now).expect("it can be written");
            continue;
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        let different = now.lines().zip(kept.lines()).position(|(now, kept)| now != kept);
        let line = different.unwrap_or_else(|| now.lines().count().min(kept.lines().count()));
        if now != kept {
            let at = |text: &str| text.lines().nth(line).unwrap_or("nothing").to_owned();
            stale.push(format!(
                "{name}.txt, line {}: it says {:?}, now it is {:?}",
                line + 1,
                at(&kept),
                at(&now)
            ));
        }
    }
    assert!(
        stale.is_empty(),
        "RINGSPAN_WRITE_SNAPSHOTS=1 writes them anew: {stale:#?}"
    );
    assert!(edits >= 10, "{edits} edits are too few");
}

#[test]
fn the_same_edits_give_the_same_text() {
    for (name, input) in inputs() {
        assert_eq!(told(&input), told(&input), "{name}");
    }
}

/// Every class of effect is met, and every class of field.
#[test]
fn the_edits_meet_every_effect() {
    let all: String = inputs().iter().map(|(_, input)| told(input)).collect();
    for effect in ["none", "live", "restart", "stream", "dangerous"] {
        assert!(all.contains(&format!("({effect})")), "{effect}");
    }
    for said in ["refused:", "waits:", "held (", "Decommission", "Delete"] {
        assert!(all.contains(said), "{said}");
    }
}
