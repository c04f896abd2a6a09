use api::k8ssandra_cluster::K8ssandraCluster;
use api::record::Role;
use serde_json::{Value, json};

use super::{built, one, options};

fn with(reaper: Value) -> K8ssandraCluster {
    let mut kc = one(json!({"telemetry": {"mcac": {"enabled": true, "metricFilters": ["deny:a"]}}}));
    kc.spec.reaper = Some(serde_json::from_value(reaper).expect("a Reaper"));
    kc
}

fn users(kc: &K8ssandraCluster) -> Value {
    built(kc, Role::Rebuild).spec["users"].clone()
}

fn jmx(kc: &K8ssandraCluster) -> (bool, usize) {
    let datacenter = built(kc, Role::Rebuild);
    let environment = &datacenter.spec["podTemplateSpec"]["spec"]["containers"][0]["env"];
    let local = json!({"name": "LOCAL_JMX", "value": "no"});
    let list = options(&datacenter).as_array().expect("options").iter();
    let of_jmx =
        list.filter(|option| option.to_string().contains("jmx") || option.to_string().contains("jaas"));
    (environment[0] == local, of_jmx.count())
}

#[test]
fn re3_reaper_has_a_user_in_each_datacenter_by_its_secret() {
    let user = |name: &str| json!([{"secretName": name, "superuser": true}]);
    assert_eq!(users(&with(json!({}))), user("demo-reaper"));
    assert_eq!(
        users(&with(json!({"cassandraUserSecretRef": {"name": ""}}))),
        user("demo-reaper")
    );
    assert_eq!(
        users(&with(json!({"cassandraUserSecretRef": {"name": "mine"}}))),
        user("mine")
    );
    let mut without_auth = with(json!({}));
    without_auth.spec.auth = Some(false);
    assert_eq!(users(&without_auth), Value::Null);
    let mut external = with(json!({}));
    external.spec.secrets_provider = Some("external".into());
    assert_eq!(users(&external), Value::Null);
}

#[test]
fn re6_a_reaper_that_is_there_already_brings_its_own_user() {
    let kc = with(json!({"reaperRef": {"name": "r"}, "httpManagement": {"enabled": false}}));
    assert_eq!(users(&kc), Value::Null);
    assert!(!jmx(&kc).0);
}

#[test]
fn re7_jmx_is_opened_only_where_the_management_api_is_not_used() {
    assert_eq!(jmx(&with(json!({}))), (false, 0));
    assert_eq!(
        jmx(&with(json!({"httpManagement": {"enabled": true}}))),
        (false, 0)
    );
    let off = json!({"httpManagement": {"enabled": false}});
    assert_eq!(jmx(&with(off.clone())), (true, 4));
    let mut without_auth = with(off.clone());
    without_auth.spec.auth = Some(false);
    assert_eq!(jmx(&without_auth), (true, 1));
    let mut external = with(off);
    external.spec.secrets_provider = Some("external".into());
    assert_eq!(jmx(&external), (true, 1));
}

#[test]
fn c062_re7_options_of_jmx_stand_before_the_user_s_and_behind_ours() {
    let mut kc = with(json!({"httpManagement": {"enabled": false}}));
    let config = json!({"jvmOptions": {"additionalOptions": ["-Dmine"]}});
    kc.spec.cassandra.as_mut().expect("given").datacenters[0]
        .options
        .config = Some(serde_json::from_value(config).expect("configuration"));
    let expected = json!([
        "-Dcassandra.allow_alter_rf_during_range_movement=true",
        "-Dcassandra.jmx.authorizer=org.apache.cassandra.auth.jmx.AuthorizationProxy",
        "-Djava.security.auth.login.config=$CASSANDRA_HOME/conf/cassandra-jaas.config",
        "-Dcassandra.jmx.remote.login.config=CassandraLogin",
        "-Dcom.sun.management.jmxremote.authenticate=true",
        "-Dmine",
    ]);
    assert_eq!(*options(&built(&kc, Role::Rebuild)), expected);
}
