//! The configuration that cass-operator hands to Cassandra: `cassandra-yaml`, `dse-yaml` and the files of JVM options.

use api::names::reason;
use api::record::Role;
use api::reports::Refusal;
use serde_json::{Map, Value, json};

use super::live::SYSTEM_REPLICATION;
use super::{DatacenterInput, Facts, LiveDatacenter, encryption, founding_replication, jvm_options, reaper};
use crate::validate::refusal;
use crate::value;

const ALTER_WHILE_RANGES_MOVE: &str = "-Dcassandra.allow_alter_rf_during_range_movement=true";
/// Classes of DSE.
const DSE: &str = "com.datastax.bdp.cassandra.auth.";

/// The whole configuration.
pub(super) fn of(facts: &Facts<'_>, input: &DatacenterInput<'_>) -> Result<Value, Refusal> {
    let mut cassandra_yaml = value::object(&facts.merged, "/config/cassandraYaml");
    let mut dse_yaml = value::object(&facts.merged, "/config/dseYaml");
    let mut options = value::object(&facts.merged, "/config/jvmOptions");
    encryption::configure(facts, input.references, &mut cassandra_yaml, &mut options)?;
    authentication(facts, &mut cassandra_yaml, &mut dse_yaml);
    for option in reaper::jmx_options(facts) {
        prepend(&mut options, &option);
    }
    if let Some(option) = system_replication(facts, input) {
        prepend(&mut options, &option);
    }
    if facts.is_cassandra() && facts.version.major != 3 {
        prepend(&mut options, ALTER_WHILE_RANGES_MOVE);
    }
    if let Some(live) = input.live.filter(|live| stays_with_live_tokens(facts, live)) {
        value::set(&mut cassandra_yaml, "num_tokens", live.num_tokens().cloned());
    }
    defaults(facts, &mut cassandra_yaml);
    settings_conflict(facts)?;
    let mut files = Map::new();
    value::set(
        &mut files,
        "cassandra-yaml",
        value::not_empty(Value::Object(cassandra_yaml)),
    );
    value::set(&mut files, "dse-yaml", value::not_empty(Value::Object(dse_yaml)));
    jvm_options::write(facts, &options, &mut files)?;
    Ok(Value::Object(files))
}

/// How many tokens each node has: what the user says, else what goes with the version.
#[must_use]
pub fn num_tokens(facts: &Facts<'_>) -> Value {
    let given = value::at(&facts.merged, "/config/cassandraYaml/num_tokens").cloned();
    given.unwrap_or_else(|| json!(if facts.is_cassandra_3() { 256 } else { 16 }))
}

pub(super) fn put_if_absent(yaml: &mut Map<String, Value>, key: &str, value: Value) {
    if yaml.get(key).is_none_or(Value::is_null) {
        yaml.insert(key.to_owned(), value);
    }
}

fn authentication(
    facts: &Facts<'_>,
    cassandra_yaml: &mut Map<String, Value>,
    dse_yaml: &mut Map<String, Value>,
) {
    let is_dse = facts.server_type() == "dse";
    let (authenticator, authorizer, role_manager) = match (facts.kc.spec.auth(), is_dse) {
        (true, false) => (
            "PasswordAuthenticator".into(),
            "CassandraAuthorizer".into(),
            "CassandraRoleManager".into(),
        ),
        (true, true) => (
            format!("{DSE}DseAuthenticator"),
            format!("{DSE}DseAuthorizer"),
            format!("{DSE}DseRoleManager"),
        ),
        (false, _) => (
            "AllowAllAuthenticator".into(),
            "AllowAllAuthorizer".into(),
            "CassandraRoleManager".into(),
        ),
    };
    put_if_absent(cassandra_yaml, "authenticator", Value::String(authenticator));
    put_if_absent(cassandra_yaml, "authorizer", Value::String(authorizer));
    put_if_absent(cassandra_yaml, "role_manager", Value::String(role_manager));
    if facts.kc.spec.auth() && is_dse {
        // DSE reads these two as texts.
        for (section, key, on) in [
            ("authentication_options", "enabled", "true"),
            ("authorization_options", "enabled", "true"),
            ("role_management_options", "mode", "internal"),
        ] {
            put_if_absent(dse_yaml, section, json!({}));
            if let Some(Value::Object(section)) = dse_yaml.get_mut(section) {
                put_if_absent(section, key, Value::from(on));
            }
        }
    }
}

/// The founder makes the keyspace `system_distributed`, so it is told how. What an adopted datacenter was told stays.
fn system_replication(facts: &Facts<'_>, input: &DatacenterInput<'_>) -> Option<String> {
    match input.role {
        Role::Founder if facts.is_cassandra() => {
            let computed = founding_replication(facts.kc, facts.name);
            let replication = input.initial_system_replication.unwrap_or(&computed);
            let factors: Vec<String> = replication
                .iter()
                .map(|(name, factor)| format!("{name}:{factor}"))
                .collect();
            Some(format!("{SYSTEM_REPLICATION}{}", factors.join(",")))
        }
        Role::Adopted => input
            .live
            .and_then(LiveDatacenter::system_replication)
            .map(str::to_owned),
        Role::Founder | Role::Rebuild | Role::External => None,
    }
}

/// Puts an option before the user's, unless the user gives the very same.
pub(super) fn prepend(options: &mut Map<String, Value>, option: &str) {
    let given = options
        .get("additionalOptions")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    if !given.iter().any(|other| other.as_str() == Some(option)) {
        let all = [Value::from(option)].into_iter().chain(given).collect();
        options.insert("additionalOptions".to_owned(), all);
    }
}

/// A node cannot change how many tokens it has. From Cassandra 3 to a later one the default changes, so what is there
/// stays, unless the cluster says it itself.
pub(crate) fn stays_with_live_tokens(facts: &Facts<'_>, live: &LiveDatacenter) -> bool {
    let yaml = facts
        .cassandra
        .options
        .config
        .as_ref()
        .and_then(|config| config.cassandra_yaml.as_ref());
    let said_by_cluster = yaml.is_some_and(|yaml| yaml.0.contains_key("num_tokens"));
    let was_3 = live.version().is_some_and(|version| version.major == 3);
    facts.server_type() == "cassandra" && facts.version.major > 3 && was_3 && !said_by_cluster
}

fn defaults(facts: &Facts<'_>, cassandra_yaml: &mut Map<String, Value>) {
    put_if_absent(cassandra_yaml, "num_tokens", num_tokens(facts));
    if facts.is_cassandra_3() {
        put_if_absent(cassandra_yaml, "start_rpc", json!(false));
    }
    if matches!(facts.server_type(), "dse" | "hcd") {
        put_if_absent(
            cassandra_yaml,
            "allocate_tokens_for_local_replication_factor",
            json!(3),
        );
    }
}

/// Settings that exclude each other.
pub(crate) fn settings_conflict(facts: &Facts<'_>) -> Result<(), Refusal> {
    const PERIOD: &str = "commitlog_sync_period_in_ms";
    const WINDOW: &str = "commitlog_sync_batch_window_in_ms";
    let given = |key: &str| value::at(&facts.merged, &format!("/config/cassandraYaml/{key}")).is_some();
    if given(PERIOD) && given(WINDOW) {
        let message = format!("{PERIOD} and {WINDOW} exclude each other; take one of them out");
        return Err(refusal(
            reason::INVALID_SPEC,
            &facts.field("config.cassandraYaml"),
            message,
        ));
    }
    Ok(())
}
