//! What upstream passes on without a look, and so do we, with one warning: whether it may be is for the policies of the plane
//! to say.

use api::k8ssandra_cluster::K8ssandraCluster;
use api::record::Role;
use serde_json::{Value, json};

use super::{built, one};
use crate::datacenter::LiveDatacenter;
use crate::validate;

/// Reasons and fields of what is said of it; nothing of it is refused.
fn warned(kc: &K8ssandraCluster, version: &str) -> Vec<(String, String)> {
    let live = LiveDatacenter {
        name: "dc1".into(),
        spec: json!({"serverVersion": version}),
        ..LiveDatacenter::default()
    };
    let wanted = validate::checked(kc).expect("it is accepted");
    let said = validate::warnings(&wanted, &[&live]).into_iter();
    said.map(|warning| (warning.reason, warning.field)).collect()
}

/// Its one warning is this.
fn warns(of_datacenter: Value, reason: &str, field: &str) {
    let field = format!("spec.cassandra.datacenters[0].{field}");
    assert_eq!(warned(&one(of_datacenter), "4.1.5"), [(reason.to_owned(), field)]);
}

#[test]
fn nothing_is_said_of_what_is_usual() {
    let usual = json!({
        "serverImage": "a/b@sha256:0", "networking": {"hostNetwork": false},
        "containers": [{"name": "cassandra", "securityContext": {"privileged": false}}],
        "config": {"cassandraYaml": {"num_tokens": 16}, "jvmOptions": {"additionalOptions": ["-Dx=y"]}},
    });
    assert_eq!(warned(&one(usual), "4.1.4"), []);
}

#[test]
fn cc22_a_version_that_may_not_read_what_is_there_is_passed_on() {
    let field = "spec.cassandra.datacenters[0].serverVersion".to_owned();
    let said = vec![("UnsupportedUpgrade".to_owned(), field)];
    for (there, wanted, is_said) in [
        ("4.1.5", "4.1.4", true),
        ("5.0.0", "4.1.5", true),
        ("3.11.17", "5.0.4", true),
        ("3.11.17", "4.1.5", false),
        ("4.0.11", "5.0.4", false),
        ("4.1.5", "4.1.5", false),
    ] {
        let found = warned(&one(json!({"serverVersion": wanted})), there);
        assert_eq!(
            found,
            if is_said { said.clone() } else { vec![] },
            "{there} {wanted}"
        );
    }
}

#[test]
fn cc19_configuration_that_is_cass_operator_s_business_is_passed_on() {
    let yaml = json!({
        "cluster_name": "other", "endpoint_snitch": "SimpleSnitch", "data_file_directories": ["/data"],
        "seed_provider": [{"class_name": "x", "parameters": [{"seeds": "198.18.0.1"}]}],
    });
    let config =
        built(&one(json!({"config": {"cassandraYaml": yaml}})), Role::Founder).spec["config"].clone();
    for (key, value) in yaml.as_object().expect("an object") {
        assert_eq!(&config["cassandra-yaml"][key], value, "{key}");
        let config = json!({"cassandraYaml": {key: value}});
        warns(
            json!({"config": config}),
            "ReservedConfig",
            &format!("config.cassandraYaml.{key}"),
        );
    }
}

#[test]
fn cc55_an_image_of_the_user_s_is_passed_on() {
    for image in ["cassandra", "cassandra:latest", "registry.example.com:5000/a/b:1"] {
        let spec = built(&one(json!({"serverImage": image})), Role::Founder).spec;
        assert_eq!(spec["serverImage"], image);
        warns(json!({"serverImage": image}), "ImageNotPinned", "serverImage");
    }
}

#[test]
fn cc56_what_pods_may_do_is_passed_on() {
    let containers = json!([{"name": "cassandra", "securityContext": {"privileged": true}}]);
    let volumes = json!([{"name": "host", "hostPath": {"path": "/"}}]);
    let kc = one(json!({
        "containers": containers, "extraVolumes": {"volumes": volumes}, "serviceAccount": "mighty",
        "networking": {"hostNetwork": true},
    }));
    let spec = built(&kc, Role::Founder).spec;
    let pods = &spec["podTemplateSpec"]["spec"];
    assert_eq!(
        pods["containers"][0]["securityContext"],
        json!({"privileged": true})
    );
    assert_eq!(pods["volumes"], volumes);
    assert_eq!(spec["networking"], json!({"hostNetwork": true}));
    assert_eq!(spec["serviceAccountName"], "mighty");
    for (given, field) in [
        (json!({"containers": containers}), "containers"),
        (
            json!({"extraVolumes": {"volumes": volumes}}),
            "extraVolumes.volumes",
        ),
        (json!({"serviceAccount": "mighty"}), "serviceAccount"),
        (
            json!({"networking": {"hostNetwork": true}}),
            "networking.hostNetwork",
        ),
    ] {
        warns(given, "PodPrivileges", field);
    }
    assert_eq!(warned(&kc, "4.1.5").len(), 1);
}

#[test]
fn cc58_options_of_java_are_passed_on_behind_ours() {
    let odd = ["-XX:OnOutOfMemoryError=kill -9 %p", "-Dx=`id`", "-Da=b\n-Dc=d"];
    let kc = one(json!({"config": {"jvmOptions": {"additionalOptions": odd}}}));
    let spec = built(&kc, Role::Rebuild).spec;
    assert_eq!(
        spec["config"]["cassandra-env-sh"]["additional-jvm-opts"],
        json!([
            "-Dcassandra.allow_alter_rf_during_range_movement=true",
            odd[0],
            odd[1],
            odd[2]
        ])
    );
}
