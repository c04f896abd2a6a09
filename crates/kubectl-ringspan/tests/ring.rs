//! The program with files: what it prints of a ring, and how it ends.

#![expect(
    clippy::expect_used,
    reason = "a file that cannot be read or written must stop the test"
)]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const CLUSTER: &str = "
apiVersion: k8ssandra.io/v1alpha1
kind: K8ssandraCluster
metadata: {name: demo}
spec:
  cassandra:
    serverVersion: 5.0.6
    storageConfig:
      cassandraDataVolumeClaimSpec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 5Gi}}}
    racks: [{name: r1}, {name: r2}]
    datacenters:
    - {metadata: {name: first}, datacenterName: dc1, k8sContext: east, size: 2}
    - {metadata: {name: dc2}, k8sContext: west, size: 3, racks: [{name: r3}]}
";

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded/");

/// A file of its own, in a folder that cargo keeps for tests.
fn file(name: &str, text: &str) -> PathBuf {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("ring-{}-{name}", std::process::id()));
    std::fs::write(&file, text).expect("a file");
    file
}

fn cluster(name: &str) -> String {
    file(name, CLUSTER).display().to_string()
}

fn recorded(name: &str) -> String {
    format!("{RECORDED}{name}.txt")
}

/// How it ends, what it prints, and what it complains of.
fn verify(args: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kubectl-ringspan"))
        .args(["ring", "verify"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    // It may end before it has read anything.
    let _ = child
        .stdin
        .take()
        .expect("it is piped")
        .write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_whole_ring_is_a_table_and_ends_with_0() {
    let cluster = cluster("whole.yaml");
    let [dc1, dc2] = ["whole-from-dc1", "whole-from-dc2"].map(recorded);
    let (code, said, wrong) = verify(
        &["-f", &cluster, "--system-auth", &dc1, "--system-auth", &dc2],
        "",
    );
    let table = "DATACENTER  NODES  RACKS                SYSTEM_AUTH\n\
                 dc1         2 UN   r1: 1, r2: 1         200.0 %\n\
                 dc2         3 UN   r1: 1, r2: 1, r3: 1  300.0 %\n\
                 whole: 2 datacenters, 5 nodes, the same host ids in 2 views\n";
    assert_eq!((code, said.as_str(), wrong.as_str()), (Some(0), table, ""));
}

#[test]
fn words_and_standard_input_do_as_well() {
    let text = std::fs::read_to_string(recorded("whole-from-dc2")).expect("the recording");
    let (code, said, wrong) = verify(
        &[
            "--datacenter",
            "dc1=2:r1,r2",
            "--datacenter",
            "dc2=3:r1,r2,r3",
            "--system-auth",
            "-",
            &recorded("whole-from-dc1"),
        ],
        &text,
    );
    assert_eq!(code, Some(0), "{said}{wrong}");
}

#[test]
fn a_ring_that_is_not_whole_ends_with_1_and_a_line_for_each_thing() {
    let cluster = cluster("not-whole.yaml");
    let args = [
        "-f",
        &cluster,
        &recorded("leaving"),
        "--system-auth",
        &recorded("whole-from-dc2"),
    ];
    let (code, said, _) = verify(&args, "");
    let expected = format!(
        "dc2: node 127.51.1.113 (rack r3): UL: it leaves ({}); wait until it is gone, and look again; if it shall stay, restart it before it is gone\nnot whole: 1 thing\n",
        recorded("leaving")
    );
    assert_eq!((code, said), (Some(1), expected));
}

#[test]
fn the_answers_of_the_management_api_are_views_too() {
    let node = |dc: &str, rack: &str, address: &str, id: &str| {
        format!(
            r#"{{"ENDPOINT_IP":"{address}","DC":"{dc}","RACK":"{rack}","HOST_ID":"{id}","STATUS_WITH_PORT":"NORMAL,1","IS_ALIVE":"true"}}"#
        )
    };
    let nodes = [
        node("dc1", "r1", "127.51.0.1", "f524a206-2c29-451a-8890-353abd86dbb9"),
        node("dc1", "r2", "127.51.0.2", "7b1040f5-ab8b-480b-8ee3-993cec9c7ebe"),
        node("dc2", "r1", "127.51.1.1", "3b9a8674-b450-4352-999a-430c1549e6d6"),
        node("dc2", "r2", "127.51.1.2", "6028a7db-3a68-45ba-bee0-0923e96a98d2"),
        node(
            "dc2",
            "r3",
            "127.51.1.113",
            "4160950f-7de3-4d3c-bdfd-25ec86e2bd3e",
        ),
    ];
    let answer = format!(r#"{{"entity":[{}]}}"#, nodes.join(","));
    let cluster = cluster("endpoints.yaml");
    let judged = |name: &str, answer: &str| {
        let answer = file(name, answer).display().to_string();
        verify(
            &[
                "-f",
                &cluster,
                "--endpoints",
                &answer,
                "--system-auth",
                &recorded("whole-from-dc1"),
            ],
            "",
        )
    };
    let (code, said, wrong) = judged("endpoints.json", &answer);
    assert_eq!(code, Some(0), "{said}{wrong}");
    let (code, said, _) = judged("down.json", &answer.replacen("true", "false", 1));
    assert_eq!(code, Some(1));
    assert!(
        said.starts_with("dc1: node 127.51.0.1 (rack r1): DN: it is down"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_read_ends_with_2_and_names_file_and_line() {
    let cluster = cluster("bad.yaml");
    let dc1 = recorded("whole-from-dc1");
    let refused = |args: &[&str], expected: &str| {
        let (code, said, wrong) = verify(args, "");
        assert_eq!((code, said.as_str()), (Some(2), ""), "{wrong}");
        assert!(wrong.contains(expected), "{wrong}");
    };
    let cut = std::fs::read_to_string(&dc1)
        .expect("the recording")
        .replace("r3", "");
    let no_text = file("no.txt", "Error: The keyspace shop, does not exist\n")
        .display()
        .to_string();
    refused(
        &["-f", &cluster, &no_text],
        "no.txt, line 1: nodetool status prints no such line",
    );
    refused(&["-f", &cluster], "give the output of `nodetool status`");
    refused(
        &["-f", &cluster, "there-is-none.txt"],
        "there-is-none.txt: it cannot be read",
    );
    refused(&["-f", "there-is-none.yaml", &dc1], "there-is-none.yaml");
    refused(&["-f", "-", "-"], "standard input can be one of the files only");
    refused(&[&dc1], "--filename");
    refused(&["--datacenter", "dc1", &dc1], "write it as dc1=3:r1,r2,r3");
    refused(&["-f", &cluster, &dc1, "--endpoints", &dc1], "metadata/endpoints");
    refused(
        &["-f", &cluster, &dc1, "--pods", &dc1, "--nodes", &dc1],
        "no rack of the spec names a zone",
    );
    let no_rack = file("cut.txt", &cut).display().to_string();
    let (code, said, _) = verify(&["-f", &cluster, "--system-auth", &no_rack], "");
    assert!(
        code == Some(1) && said.contains("the spec has no rack \"\""),
        "{said}"
    );
}

#[test]
fn pods_are_held_against_the_zones_of_their_racks() {
    let zoned = CLUSTER.replace(
        "{name: r1}",
        "{name: r1, nodeAffinityLabels: {topology.kubernetes.io/zone: a}}",
    );
    let cluster = file("zoned.yaml", &zoned).display().to_string();
    let pod = |datacenter: &str, at: usize, rack: &str| {
        format!(
            r#"{{"kind":"Pod","metadata":{{"name":"{datacenter}-{at}","labels":{{"cassandra.datastax.com/datacenter":"{datacenter}","cassandra.datastax.com/rack":"{rack}"}}}},"spec":{{"nodeName":"w1"}}}}"#
        )
    };
    let all = [
        ("first", 0, "r1"),
        ("first", 1, "r2"),
        ("dc2", 0, "r1"),
        ("dc2", 1, "r2"),
        ("dc2", 2, "r3"),
    ];
    let pods = all
        .map(|(datacenter, at, rack)| pod(datacenter, at, rack))
        .join(",");
    let pods = file("pods.json", &format!(r#"{{"items":[{pods}]}}"#))
        .display()
        .to_string();
    let judged = |zone: &str| {
        let worker = format!(
            r#"{{"items":[{{"kind":"Node","metadata":{{"name":"w1","labels":{{"topology.kubernetes.io/zone":"{zone}"}}}}}}]}}"#
        );
        let workers = file("nodes.json", &worker).display().to_string();
        let views = ["whole-from-dc1", "whole-from-dc2"].map(recorded);
        verify(
            &[
                "-f",
                &cluster,
                &views[0],
                "--system-auth",
                &views[1],
                "--pods",
                &pods,
                "--nodes",
                &workers,
            ],
            "",
        )
    };
    let (code, said, wrong) = judged("a");
    assert_eq!(code, Some(0), "{said}{wrong}");
    let (code, said, _) = judged("b");
    assert_eq!(code, Some(1));
    assert!(
        said.starts_with("dc1: pod first-0: its worker w1 is in zone b, and its rack is for zone a"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 3, "{said}");
}
