//! A datacenter of two real nodes: made, restarted at another address, killed, replaced, made smaller, and gone with its program.
//!
//! It runs where `RINGSPAN_CASSANDRA_JARS` names a folder with the archives of Cassandra, and says so where it does not.

#![expect(clippy::unwrap_used, reason = "what fails in a test ends it")]

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fake_apiserver::{Definitions, Options, Server, User};
use fake_datacenter::cassandra::Cassandra;
use fake_datacenter::clock::Clock;
use fake_datacenter::management::{Call, Management};
use fake_datacenter::pace::Pace;
use fake_datacenter::plane::Plane;
use fake_datacenter::real::{self, Real};
use fake_datacenter::ring::Rings;
use http::{Method, Request};
use scylla::client::session_builder::SessionBuilder;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

const JARS: &str = "RINGSPAN_CASSANDRA_JARS";
const NAMESPACE: &str = "/apis/cassandra.datastax.com/v1beta1/namespaces/db/cassandradatacenters";
const TASKS: &str = "/apis/control.k8ssandra.io/v1alpha1/namespaces/db/cassandratasks";
const FIRST: &str = "ring-dc1-r1-sts-0";
const SECOND: &str = "ring-dc1-r1-sts-1";
/// Far more than a node takes on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_mins(3);

/// One plane with real nodes.
struct Stage {
    server: Server,
    real: Real,
    management: Management,
    stop: CancellationToken,
}

impl Stage {
    fn new(jars: &Path, data: &Path) -> Self {
        let definitions = Definitions::built_in().with(&fake_datacenter::crds::manifests());
        let server = Server::new(Options {
            definitions: definitions.unwrap(),
            ..Options::default()
        });
        let options = real::Options {
            jars: jars.to_owned(),
            data: data.to_owned(),
            java: None,
        };
        let (pace, stop) = (Pace::new(0.05, 7, 0.0), CancellationToken::new());
        let real = Real::new(&options, Rings::default()).unwrap();
        let cassandra = Cassandra::Real(real.clone());
        let plane = Plane::new(
            "east",
            0,
            kube::Client::new(server.service(admin()), "default"),
            cassandra.clone(),
            pace,
            Clock::starting_at(jiff::Timestamp::now()),
            stop.clone(),
        );
        tokio::spawn(Arc::clone(&plane).run());
        let management = Management::new(cassandra, pace);
        Self {
            server,
            real,
            management,
            stop,
        }
    }

    fn ask(&self, method: Method, path: &str, body: &Value) -> Value {
        let kind = match method {
            Method::PATCH => "application/merge-patch+json",
            _ => "application/json",
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind)
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let answer = self.server.answer(&admin(), &request);
        assert!(answer.status.is_success(), "{path}: {answer:?}");
        json!(null)
    }

    fn datacenter(&self) -> Value {
        let found = self.server.get(
            "cassandra.datastax.com/v1beta1",
            "cassandradatacenters",
            "db",
            "dc1",
        );
        found.map(|found| (*found).clone()).unwrap_or_default()
    }

    fn pod(&self, name: &str) -> Value {
        let found = self.server.get("v1", "pods", "db", name);
        found.map(|found| (*found).clone()).unwrap_or_default()
    }

    fn address(&self, pod: &str) -> Option<Ipv4Addr> {
        self.pod(pod)["status"]["podIP"].as_str()?.parse().ok()
    }

    async fn call(&self, pod: &str, method: Method, uri: &str, body: Value) -> (u16, String) {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let call = Call {
            method: &method,
            path,
            query,
            body,
        };
        let answer = self.management.respond(self.address(pod).unwrap(), &call).await;
        (answer.status.as_u16(), answer.body)
    }

    async fn get(&self, pod: &str, uri: &str) -> Value {
        let (status, body) = self.call(pod, Method::GET, uri, Value::Null).await;
        serde_json::from_str(&body).unwrap_or_else(|_| panic!("{uri}: {status} {body}"))
    }

    /// Gossip's entry of each address that a node knows: host id, first word of the status, alive.
    async fn endpoints(&self, pod: &str) -> Vec<(String, String, String)> {
        let seen = self.get(pod, "/api/v0/metadata/endpoints").await;
        let text = |entity: &Value, key: &str| entity[key].as_str().unwrap_or_default().to_owned();
        let entities = seen["entity"].as_array().into_iter().flatten();
        let mut entries: Vec<_> = entities
            .map(|entity| {
                let status = text(entity, "STATUS_WITH_PORT");
                let word = status.split(',').next().unwrap_or_default().to_owned();
                (text(entity, "ENDPOINT_IP"), word, text(entity, "IS_ALIVE"))
            })
            .collect();
        entries.sort();
        entries
    }

    fn is_ready(&self) -> bool {
        let datacenter = self.datacenter();
        datacenter["status"]["cassandraOperatorProgress"] == "Ready"
            && datacenter["status"]["observedGeneration"] == datacenter["metadata"]["generation"]
    }

    fn host_id(&self, pod: &str) -> String {
        let id = &self.datacenter()["status"]["nodeStatuses"][pod]["hostID"];
        id.as_str().unwrap_or_default().to_owned()
    }

    /// Where the nodes listen, by pod.
    async fn processes(&self) -> Vec<(String, Ipv4Addr, u32)> {
        let report = self.management.state().await;
        let of = |one: &Value| {
            let name = one["node"].as_str()?.rsplit('/').next()?.to_owned();
            let pid = u32::try_from(one["pid"].as_u64()?).ok()?;
            Some((name, one["listens"].as_str()?.parse().ok()?, pid))
        };
        let processes = report["processes"].as_array().into_iter().flatten();
        processes.filter_map(of).collect()
    }

    /// Where a node listens, and its process id; no process is none.
    async fn process(&self, pod: &str) -> (Ipv4Addr, u32) {
        let all = self.processes().await.into_iter();
        let mut own = all.filter(|(name, ..)| name == pod);
        own.next()
            .map_or((Ipv4Addr::UNSPECIFIED, 0), |(_, node, pid)| (node, pid))
    }

    /// Whether one node sees another, by the address of its pod, up and in its place.
    async fn is_up(&self, seen_by: &str, address: Ipv4Addr) -> bool {
        let table = self.real.nodetool_status("", "", seen_by, "").await;
        let row = format!("UN  {address} ");
        table.is_ok_and(|table| table.lines().any(|line| line.starts_with(&row)))
    }

    async fn rows(&self, pod: &str, statements: &[&str]) -> usize {
        let (node, _) = self.process(pod).await;
        let secret = self.server.get("v1", "secrets", "db", "ring-superuser").unwrap();
        let value = |key: &str| {
            secret["stringData"][key]
                .as_str()
                .map(str::to_owned)
                .or_else(|| decoded(&secret["data"][key]))
        };
        let session = SessionBuilder::new()
            .known_node_addr(SocketAddr::from((node, 9042)))
            .user(value("username").unwrap(), value("password").unwrap())
            .build()
            .await
            .unwrap();
        let mut rows = 0;
        for statement in statements {
            let result = session.query_unpaged(*statement, ()).await.unwrap();
            rows = result.into_rows_result().map_or(0, |rows| rows.rows_num());
        }
        rows
    }
}

fn decoded(value: &Value) -> Option<String> {
    use base64::Engine as _;
    let bytes = base64::prelude::BASE64_STANDARD.decode(value.as_str()?).ok()?;
    String::from_utf8(bytes).ok()
}

fn admin() -> User {
    User {
        name: "admin".into(),
        groups: vec!["system:masters".into()],
    }
}

/// Looks again and again until it is so.
async fn until<F: Future<Output = bool>>(what: &str, stage: &Stage, is: impl Fn() -> F) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !is().await {
        assert!(
            tokio::time::Instant::now() < deadline,
            "never: {what}\n{:#}\n{:#}",
            stage.datacenter()["status"],
            stage.management.state().await["journal"]
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn datacenter() -> Value {
    json!({
        "apiVersion": "cassandra.datastax.com/v1beta1",
        "kind": "CassandraDatacenter",
        "metadata": {"name": "dc1", "namespace": "db"},
        "spec": {
            "clusterName": "ring",
            "serverType": "cassandra",
            "serverVersion": "5.0.6",
            "size": 2,
            "racks": [{"name": "r1"}],
            "config": {
                "cassandra-yaml": {"authenticator": "PasswordAuthenticator", "authorizer": "CassandraAuthorizer", "num_tokens": 4},
                "jvm-server-options": {"additional-jvm-opts": ["-Dcassandra.system_distributed_replication=dc1:2"]},
            },
            "storageConfig": {"cassandraDataVolumeClaimSpec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            }},
        },
    })
}

async fn story(jars: &Path, data: &Path) -> Vec<u32> {
    let stage = Stage::new(jars, data);
    make(&stage).await;
    let began = stage.processes().await;
    assert_eq!(began.len(), 2, "{began:?}");
    fill(&stage).await;
    let host = stage.host_id(SECOND);
    move_away(&stage, &host).await;
    kill(&stage).await;
    replace(&stage, &host).await;
    make_smaller(&stage, data).await;
    let left = stage.processes().await;
    stage.stop.cancel();
    began.into_iter().chain(left).map(|(_, _, pid)| pid).collect()
}

/// The operator has spread the system keyspaces on the way.
async fn make(stage: &Stage) {
    stage.ask(
        Method::POST,
        "/api/v1/namespaces",
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "db"}}),
    );
    stage.ask(Method::POST, NAMESPACE, &datacenter());
    until("two nodes are ready", stage, || async { stage.is_ready() }).await;
    // What the operator did on the way: the system keyspaces are spread, the default superuser is closed.
    let replication = stage
        .get(FIRST, "/api/v0/ops/keyspace/replication?keyspaceName=system_auth")
        .await;
    assert_eq!(replication["dc1"], "2", "{replication}");
    let status = stage.real.nodetool_status("", "", FIRST, "").await.unwrap();
    let ups = status
        .lines()
        .filter(|line| line.starts_with("UN  198.18."))
        .count();
    assert_eq!(ups, 2, "{status}");
}

async fn fill(stage: &Stage) {
    let wish = json!({
        "keyspace_name": "mine",
        "replication_settings": [{"dc_name": "dc1", "replication_factor": "2"}],
    });
    let made = stage
        .call(FIRST, Method::POST, "/api/v0/ops/keyspace/create", wish.clone())
        .await;
    assert_eq!(made.0, 200, "{made:?}");
    until("both nodes list the keyspace", stage, || async {
        let listed = stage.get(SECOND, "/api/v0/ops/keyspace?keyspaceName=mine").await;
        listed == json!(["mine"])
    })
    .await;
    until("both nodes have one schema", stage, || async {
        let versions = stage.get(SECOND, "/api/v1/ops/node/schema/versions").await;
        versions.as_object().is_some_and(|all| all.len() == 1)
    })
    .await;
    let table = [
        "CREATE TABLE mine.rows (id int PRIMARY KEY)",
        "INSERT INTO mine.rows (id) VALUES (1)",
        "INSERT INTO mine.rows (id) VALUES (2)",
    ];
    stage.rows(FIRST, &table).await;
}

/// A pod that is deleted is the same node at another address.
async fn move_away(stage: &Stage, host: &str) {
    let address = stage.address(SECOND).unwrap();
    let path = format!("/api/v1/namespaces/db/pods/{SECOND}");
    stage.ask(Method::DELETE, &path, &json!({}));
    until("the node is back at another address", stage, || async {
        let new = stage.address(SECOND).filter(|new| *new != address);
        let ready = stage.pod(SECOND)["status"]["containerStatuses"][0]["ready"] == true;
        new.is_some() && ready && stage.is_ready()
    })
    .await;
    let table = stage.real.nodetool_status("", "", FIRST, "").await.unwrap();
    let new = stage.address(SECOND).unwrap();
    let line = table.lines().find(|line| line.contains(&new.to_string()));
    assert!(line.is_some_and(|line| line.contains(host)), "{host}: {table}");
    assert_eq!(stage.rows(SECOND, &["SELECT id FROM mine.rows"]).await, 2);
}

/// A node that is killed comes back where it was.
async fn kill(stage: &Stage) {
    let address = stage.address(SECOND).unwrap();
    let killed = stage.process(SECOND).await;
    let ended = std::process::Command::new("kill")
        .args(["-KILL", &killed.1.to_string()])
        .status();
    assert!(ended.unwrap().success());
    until("the killed node answers again", stage, || async {
        let ready = stage.call(SECOND, Method::GET, "/api/v0/probes/readiness", Value::Null);
        ready.await.0 == 200 && stage.process(SECOND).await.1 != killed.1 && stage.is_up(FIRST, address).await
    })
    .await;
    assert_eq!(stage.process(SECOND).await.0, killed.0);
}

/// One whose disk is lost is replaced: another node with its tokens.
async fn replace(stage: &Stage, host: &str) {
    let old = stage.address(SECOND).unwrap();
    let task = json!({
        "apiVersion": "control.k8ssandra.io/v1alpha1",
        "kind": "CassandraTask",
        "metadata": {"name": "replace", "namespace": "db"},
        "spec": {
            "datacenter": {"name": "dc1", "namespace": "db"},
            "jobs": [{"name": "replace", "command": "replacenode", "args": {"pod_name": SECOND}}],
        },
    });
    stage.ask(Method::POST, TASKS, &task);
    until("another node has taken its place", stage, || async {
        let replaced = stage.address(SECOND).filter(|address| *address != old);
        match replaced {
            Some(address) => stage.host_id(SECOND) != host && stage.is_up(FIRST, address).await,
            None => false,
        }
    })
    .await;
    let table = stage.real.nodetool_status("", "", FIRST, "").await.unwrap();
    assert!(!table.contains(host), "{table}");
    assert_eq!(stage.rows(SECOND, &["SELECT id FROM mine.rows"]).await, 2);
}

/// Logins need a quorum of the copies that there should be, so these become fewer first.
async fn make_smaller(stage: &Stage, data: &Path) {
    for keyspace in ["system_auth", "mine"] {
        let wish = json!({
            "keyspace_name": keyspace,
            "replication_settings": [{"dc_name": "dc1", "replication_factor": "1"}],
        });
        let altered = stage
            .call(FIRST, Method::POST, "/api/v0/ops/keyspace/alter", wish)
            .await;
        assert_eq!(altered.0, 200, "{altered:?}");
    }
    stage.ask(
        Method::PATCH,
        &format!("{NAMESPACE}/dc1"),
        &json!({"spec": {"size": 1}}),
    );
    until("one node is left", stage, || async {
        stage.is_ready() && stage.pod(SECOND).is_null() && stage.processes().await.len() == 1
    })
    .await;
    let seen = stage.endpoints(FIRST).await;
    let normal: Vec<_> = seen.iter().filter(|(_, status, _)| status == "NORMAL").collect();
    assert_eq!(normal.len(), 1, "{seen:?}");
    assert_eq!(stage.rows(FIRST, &["SELECT id FROM mine.rows"]).await, 2);
    until("the disk of the other is gone", stage, || async {
        std::fs::read_dir(data.join("claims")).is_ok_and(|all| all.count() == 1)
    })
    .await;
}

#[test]
fn two_real_nodes_live_as_their_pods_do_and_end_with_their_program() {
    let Some(jars) = std::env::var_os(JARS) else {
        eprintln!("not run: {JARS} names no folder with the archives of Cassandra");
        return;
    };
    // Kept when something is wrong: the logs of the nodes are in it.
    let folder = tempfile::tempdir().unwrap().keep();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pids = runtime.block_on(story(Path::new(&jars), &folder));
    drop(runtime);
    assert!(pids.len() >= 2, "{pids:?}");
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while pids.iter().any(|pid| runs(*pid)) {
        assert!(
            std::time::Instant::now() < deadline,
            "{pids:?} outlive their program"
        );
        std::thread::yield_now();
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// A process that was killed and that nobody has waited for is none.
fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    state.is_some_and(|state| state != 'Z')
}
