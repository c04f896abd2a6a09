//! What upstream passes on without a look, and so do we: whether it is wise is for the policies of the plane to say.

use api::record::Role;
use serde_json::json;

use super::{built, one};

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
    }
}

#[test]
fn cc55_an_image_of_the_user_s_is_passed_on() {
    for image in ["cassandra", "cassandra:latest", "registry.example.com:5000/a/b:1"] {
        let spec = built(&one(json!({"serverImage": image})), Role::Founder).spec;
        assert_eq!(spec["serverImage"], image);
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
