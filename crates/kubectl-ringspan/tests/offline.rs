//! What the plugin prints without any cluster at hand.

#![expect(
    clippy::expect_used,
    reason = "a file that cannot be read or written must stop the test"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kubectl_ringspan::Refused;
use kubectl_ringspan::render::{Input, Rendering};

const CLUSTER: &str = "
apiVersion: k8ssandra.io/v1alpha1
kind: K8ssandraCluster
metadata: {name: demo}
spec:
  cassandra:
    serverVersion: 4.1.5
    storageConfig:
      cassandraDataVolumeClaimSpec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 5Gi}}}
    datacenters:
    - {metadata: {name: dc1}, k8sContext: east, size: 3}
    - {metadata: {name: dc2}, k8sContext: west, size: 3}
";

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Folder(folder)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.join(name);
        std::fs::write(&file, text).expect("a file");
        file
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn ringspan(args: &[&str], files: &[&Path]) -> Output {
    let flags = ["-f", "--facts"];
    let files = flags
        .iter()
        .zip(files)
        .flat_map(|(flag, file)| [flag.as_ref(), file.as_os_str()]);
    Command::new(env!("CARGO_BIN_EXE_kubectl-ringspan"))
        .args(args)
        .args(files)
        .output()
        .expect("it runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_object_is_rendered_with_its_plane_and_the_next_plan_finds_nothing_to_make() {
    let folder = Folder::new("render");
    let cluster = folder.file("kc.yaml", CLUSTER);
    let rendered = ringspan(&["render"], &[&cluster]);
    assert!(rendered.status.success(), "{rendered:?}");
    let text = stdout(&rendered);
    let kinds: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("kind: "))
        .collect();
    assert_eq!(
        kinds,
        [
            "Secret",
            "ReplicatedSecret",
            "ConfigMap",
            "CassandraDatacenter",
            "ConfigMap",
            "CassandraDatacenter"
        ]
    );
    let planes = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("ringspan.io/plane: "));
    assert_eq!(
        planes.collect::<Vec<_>>(),
        ["\"\"", "\"\"", "east", "east", "west", "west"]
    );
    assert!(!text.contains("password"), "a Secret shows no value");
    let facts = folder.file("facts.yaml", &text);
    let again = stdout(&ringspan(&["plan"], &[&cluster, &facts]));
    assert!(!again.contains("Create") && !again.contains("Change"), "{again}");
}

#[test]
fn a_plan_tells_each_field_that_an_edit_changes_and_what_that_does() {
    let folder = Folder::new("plan");
    let made = stdout(&ringspan(&["render"], &[&folder.file("kc.yaml", CLUSTER)]));
    let facts = folder.file("facts.yaml", &made);
    let edited = folder.file("edited.yaml", &CLUSTER.replace("4.1.5", "4.1.6"));
    let said = stdout(&ringspan(&["plan"], &[&edited, &facts]));
    let change =
        "Change CassandraDatacenter default/dc1 in plane east: the spec has changed; its nodes are restarted";
    assert!(said.contains(change), "{said}");
    assert!(
        said.contains("spec.serverVersion: \"4.1.5\" -> \"4.1.6\" (restart)"),
        "{said}"
    );
    assert!(said.contains("Effect on nodes that run: restart"), "{said}");
}

#[test]
fn a_plan_warns_of_what_is_passed_on_and_may_not_be_meant() {
    let folder = Folder::new("warns");
    let text = CLUSTER.replace(
        "    serverVersion: 4.1.5\n",
        "    serverVersion: 4.1.5\n    serverImage: registry.example/cassandra:latest\n",
    );
    let said = stdout(&ringspan(
        &["plan", "--offline"],
        &[&folder.file("kc.yaml", &text)],
    ));
    assert!(
        said.contains("  Warning (ImageNotPinned): spec.cassandra"),
        "{said}"
    );
}

#[test]
fn a_refused_spec_ends_with_2_and_its_field() {
    let folder = Folder::new("refused");
    let table = [
        (
            CLUSTER.replace("size: 3", "size: 0"),
            "spec.cassandra.datacenters[0].size",
        ),
        (
            CLUSTER.replace("4.1.5", "4.0.1"),
            "spec.cassandra.datacenters[0].serverVersion",
        ),
    ];
    for (text, field) in table {
        let said = ringspan(&["render"], &[&folder.file("kc.yaml", &text)]);
        assert_eq!(said.status.code(), Some(2), "{said:?}");
        let error = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(
            error.contains("K8ssandraCluster default/demo is refused") && error.contains(field),
            "{error}"
        );
        assert!(said.stdout.is_empty());
    }
    let nothing = ringspan(&["render"], &[&folder.file("other.yaml", "kind: Secret\n")]);
    assert_eq!(nothing.status.code(), Some(1));
}

#[test]
fn what_would_not_be_made_yet_is_said_beside_what_would() {
    let folder = Folder::new("waits");
    let text = CLUSTER.replace("size: 3}", "size: 3, stopped: true}");
    let said = ringspan(&["render"], &[&folder.file("kc.yaml", &text)]);
    assert!(said.status.success(), "{said:?}");
    assert!(!stdout(&said).contains("kind: CassandraDatacenter"));
    let error = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(
        error.contains("not everything would be made: default/demo: datacenter dc1 is stopped"),
        "{error}"
    );
}

/// What golden inputs wait for when nothing but their file is there: [`api::names::reason`] of each.
const WAITS: [&str; 3] = ["StorePasswordMissing", "SeedsPending", "StoppedBeforeFounding"];

/// How often each is rendered: variable `RINGSPAN_RENDERINGS`, which `cargo xtask goldens` sets.
fn times() -> usize {
    let given = std::env::var("RINGSPAN_RENDERINGS").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(2)
}

#[test]
fn every_golden_input_is_rendered_or_refused_and_always_the_same() {
    let Some(root) = std::env::var_os("RINGSPAN_REFERENCE") else {
        println!("render: RINGSPAN_REFERENCE is not set, so no golden was rendered");
        return;
    };
    let times = times();
    let (mut rendered, mut refused) = (0, 0);
    let mut incomplete = BTreeMap::new();
    for group in ["cases", "generated"] {
        let folder = PathBuf::from(&root).join("golden").join(group);
        for entry in std::fs::read_dir(&folder).expect("the goldens") {
            let file = entry.expect("an entry").path().join("input.yaml");
            let input = match Input::read(&file, None, "fx") {
                Ok(input) => input,
                Err(error) if error.downcast_ref::<Refused>().is_some() => {
                    refused += 1;
                    continue;
                }
                Err(error) => panic!("{}: {error:#}", file.display()),
            };
            let first = input.rendered();
            match &first {
                Ok(rendering) if rendering.waits.is_empty() => rendered += 1,
                Ok(rendering) => {
                    incomplete.insert(file.clone(), rendering.waits.clone());
                }
                Err(error) if error.downcast_ref::<Refused>().is_some() => refused += 1,
                Err(error) => panic!("{}: {error:#}", file.display()),
            }
            let shown = |said: Result<Rendering, anyhow::Error>| said.map_err(|error| error.to_string());
            let first = shown(first);
            let same = (1..times).all(|_| shown(input.rendered()) == first);
            assert!(same, "{} is not rendered the same each time", file.display());
        }
    }
    for (file, waits) in &incomplete {
        println!("not everything: {}: {waits:?}", file.display());
    }
    println!(
        "render: goldens whole {rendered} waiting {} refused {refused}, each {times} times the same",
        incomplete.len()
    );
    let known = |wait: &String| WAITS.iter().any(|reason| wait.contains(&format!("({reason})")));
    assert!(incomplete.values().flatten().all(known));
    assert!(rendered > 80, "{rendered} were rendered whole");
}
