//! Rows of the specification that no other test shows.

use std::process::Command;
use std::{env, fs, process};

use api::k8ssandra_cluster::K8ssandraCluster;
use api::record::Role;
use serde_json::{Value, json};

use super::{built, one, options};
use crate::objects;

/// With this server type and version.
fn run(server_type: &str, version: &str, of_datacenter: Value) -> K8ssandraCluster {
    let mut kc = one(of_datacenter);
    let cassandra = kc.spec.cassandra.as_mut().expect("given");
    cassandra.server_type = Some(server_type.into());
    cassandra.options.server_version = Some(version.into());
    kc
}

fn config(kc: &K8ssandraCluster) -> Value {
    built(kc, Role::Rebuild).spec["config"].clone()
}

#[test]
fn c058_there_is_always_a_container_for_cassandra() {
    let names = |kc: &K8ssandraCluster| -> Vec<String> {
        let spec = built(kc, Role::Founder).spec;
        let containers = spec["podTemplateSpec"]["spec"]["containers"]
            .as_array()
            .expect("a list")
            .clone();
        containers
            .iter()
            .filter_map(|it| it["name"].as_str().map(str::to_owned))
            .collect()
    };
    assert_eq!(names(&one(json!({}))), ["cassandra"]);
    assert_eq!(
        names(&one(json!({"containers": [{"name": "side"}]}))),
        ["side", "cassandra"]
    );
    let given = json!({"containers": [{"name": "cassandra"}, {"name": "side"}]});
    assert_eq!(names(&one(given)), ["cassandra", "side"]);
}

#[test]
fn c060_c061_en6_dse_has_classes_of_its_own_and_texts_where_others_have_flags() {
    let dse = config(&run("dse", "6.8.25", json!({})));
    let class = |name: &str| json!(format!("com.datastax.bdp.cassandra.auth.{name}"));
    assert_eq!(dse["cassandra-yaml"]["authenticator"], class("DseAuthenticator"));
    assert_eq!(dse["cassandra-yaml"]["authorizer"], class("DseAuthorizer"));
    assert_eq!(dse["cassandra-yaml"]["role_manager"], class("DseRoleManager"));
    assert_eq!(
        dse["dse-yaml"],
        json!({"authentication_options": {"enabled": "true"}, "authorization_options": {"enabled": "true"},
            "role_management_options": {"mode": "internal"}})
    );
    let mut off = run("dse", "6.8.25", json!({}));
    off.spec.auth = Some(false);
    assert_eq!(config(&off)["cassandra-yaml"]["authorizer"], "AllowAllAuthorizer");
    assert_eq!(
        config(&off)["cassandra-yaml"]["role_manager"],
        "CassandraRoleManager"
    );
    assert_eq!(config(&off).get("dse-yaml"), None);
    let hcd = config(&run("hcd", "1.0.0", json!({})));
    assert_eq!(hcd["cassandra-yaml"]["authenticator"], "PasswordAuthenticator");
    assert_eq!(hcd.get("dse-yaml"), None);
}

#[test]
fn c065_cd3_dse_and_hcd_allocate_tokens_for_three_replicas() {
    let factor = |kc: &K8ssandraCluster| {
        config(kc)["cassandra-yaml"]["allocate_tokens_for_local_replication_factor"].clone()
    };
    assert_eq!(factor(&run("dse", "6.8.25", json!({}))), 3);
    assert_eq!(factor(&run("hcd", "1.0.0", json!({}))), 3);
    assert_eq!(factor(&run("cassandra", "4.1.5", json!({}))), Value::Null);
    let own = json!({"config": {"cassandraYaml": {"allocate_tokens_for_local_replication_factor": 5}}});
    assert_eq!(factor(&run("hcd", "1.0.0", own)), 5);
}

#[test]
fn c062_c067_replication_may_change_while_ranges_move_but_for_cassandra_3_and_dse() {
    const OPTION: &str = "-Dcassandra.allow_alter_rf_during_range_movement=true";
    for (server_type, version, has) in [
        ("cassandra", "3.11.17", false),
        ("cassandra", "4.0.11", true),
        ("cassandra", "5.0.4", true),
        ("hcd", "1.0.0", true),
        ("dse", "6.8.25", false),
    ] {
        let datacenter = built(&run(server_type, version, json!({})), Role::Rebuild);
        assert_eq!(
            options(&datacenter).to_string().contains(OPTION),
            has,
            "{server_type} {version}"
        );
    }
    // What the user has said already is not said twice.
    let own = json!({"config": {"jvmOptions": {"additionalOptions": ["-Dx", OPTION]}}});
    assert_eq!(options(&built(&one(own), Role::Rebuild)), &json!(["-Dx", OPTION]));
}

#[test]
fn c090_c091_a_datacenter_says_whose_it_is_and_has_the_names_that_cassandra_knows() {
    let mut kc = one(json!({"datacenterName": "Real DC"}));
    kc.spec.cassandra.as_mut().expect("given").cluster_name = Some("My Ring".into());
    let object = objects::datacenter(&built(&kc, Role::Founder));
    assert_eq!(
        (&object["spec"]["clusterName"], &object["spec"]["datacenterName"]),
        (&json!("My Ring"), &json!("Real DC"))
    );
    assert_eq!(
        object["metadata"]["labels"],
        json!({
            "app.kubernetes.io/name": "k8ssandra-operator", "app.kubernetes.io/part-of": "k8ssandra",
            "app.kubernetes.io/component": "cassandra", "k8ssandra.io/cleaned-up-by": "k8ssandracluster-controller",
            "k8ssandra.io/cluster-name": "demo", "k8ssandra.io/cluster-namespace": "ns",
        })
    );
    assert_eq!(
        (
            object["metadata"].get("finalizers"),
            object["metadata"].get("ownerReferences")
        ),
        (None, None)
    );
}

#[test]
fn cd1_changes_of_data_are_captured_where_a_datacenter_says_so_itself() {
    let cdc = json!({"pulsarServiceUrl": "pulsar://x", "topicPrefix": "t"});
    assert_eq!(built(&one(json!({"cdc": cdc})), Role::Founder).spec["cdc"], cdc);
    let mut kc = one(json!({}));
    let options = &mut kc.spec.cassandra.as_mut().expect("given").options;
    options.cdc = serde_json::from_value(cdc).expect("a configuration");
    assert_eq!(built(&kc, Role::Founder).spec.get("cdc"), None);
}

#[test]
fn cd2_logs_of_queries_and_audits_are_passed_on_as_they_are() {
    let yaml = json!({
        "full_query_logging_options": {"log_dir": "/var/log/fql", "roll_cycle": "HOURLY", "max_log_size": 17_179_869_184_u64},
        "audit_logging_options": {"enabled": true, "logger": [{"class_name": "BinAuditLogger"}], "included_users": "a,b"},
    });
    let found = config(&one(json!({"config": {"cassandraYaml": yaml}})))["cassandra-yaml"].clone();
    for (key, value) in yaml.as_object().expect("an object") {
        assert_eq!(&found[key], value);
    }
}

/// Its init containers, with tokens that are dealt out.
fn init_containers(given: Value) -> Vec<Value> {
    let config = json!({"cassandraYaml": {"num_tokens": 1}});
    let kc = one(json!({"config": config, "initContainers": given}));
    let spec = built(&kc, Role::Founder).spec;
    spec["podTemplateSpec"]["spec"]["initContainers"]
        .as_array()
        .expect("a list")
        .clone()
}

#[test]
fn c083_pn3_files_are_merged_after_the_configuration_is_written() {
    let names = |given: Value| -> Vec<String> {
        let containers = init_containers(given);
        containers
            .iter()
            .filter_map(|it| it["name"].as_str().map(str::to_owned))
            .collect()
    };
    assert_eq!(names(json!([])), ["server-config-init", "per-node-config"]);
    let both = json!([{"name": "server-config-init"}, {"name": "own"}]);
    assert_eq!(names(both), ["server-config-init", "own", "per-node-config"]);
    let container = init_containers(json!([])).pop().expect("one");
    assert_eq!(
        container["resources"],
        json!({"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}})
    );
    assert_eq!(
        container["volumeMounts"],
        json!([{"name": "server-config", "mountPath": "/config"}, {"name": "per-node-config", "mountPath": "/per-node-config"},
            {"name": "tmp", "mountPath": "/tmp"}])
    );
}

/// Run by a real shell, with a stand-in for `yq` that puts one text behind the other.
#[test]
fn pn7_every_file_of_a_pod_is_merged_and_no_other() {
    let root = env::temp_dir().join(format!("per-node-{}", process::id()));
    let _ = fs::remove_dir_all(&root);
    for folder in ["parts", "config", "bin"] {
        fs::create_dir_all(root.join(folder)).expect("a folder");
    }
    for (file, text) in [
        ("parts/a-0_cassandra.yaml", "tokens\n"),
        ("parts/a-0_jvm.options", "heap\n"),
        ("parts/a-01_cassandra.yaml", "of another\n"),
        ("parts/b-0_cassandra.yaml", "of another\n"),
        ("config/cassandra.yaml", "before\n"),
    ] {
        fs::write(root.join(file), text).expect("a file");
    }
    let stand_in = "[ \"$1 $2\" = 'eval-all --inplace' ] && cat \"$5\" >> \"$4\"\n";
    fs::write(root.join("bin/yq"), stand_in).expect("a file");
    let container = init_containers(json!([])).pop().expect("one");
    let script = container["command"][2].as_str().expect("a script");
    let at = |folder: &str| root.join(folder).display().to_string();
    let script = script
        .replace("/per-node-config/", &format!("{}/", at("parts")))
        .replace("/config/", &format!("{}/", at("config")))
        .replace("yq ", &format!("sh {}/yq ", at("bin")));
    let ran = |pod: &str| {
        let said = Command::new("sh")
            .args(["-c", &script])
            .env("POD_NAME", pod)
            .output()
            .expect("a shell");
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    };
    ran("nobody");
    ran("a-0");
    let text = |file: &str| fs::read_to_string(root.join("config").join(file)).expect("a file");
    assert_eq!(
        (text("cassandra.yaml").as_str(), text("jvm.options").as_str()),
        ("before\ntokens\n", "heap\n")
    );
    let count = fs::read_dir(root.join("config")).expect("a folder").count();
    fs::remove_dir_all(&root).expect("it can go");
    assert_eq!(count, 2);
}
