use super::*;

fn data() -> Value {
    json!({
        "cluster-info": {"name": "My ring"},
        "datacenter-info": {"name": "DC One"},
        "cassandra-yaml": {
            "num_tokens": 8,
            "authenticator": "PasswordAuthenticator",
            "listen_address": "10.0.0.1",
            "memtable_heap_space": "8GiB",
            "hinted_handoff_enabled": false,
        },
        "jvm-server-options": {"max_heap_size": 2048, "additional-jvm-opts": ["-Dcassandra.ring_delay_ms=7000", "-Xmx4G"]},
        "cassandra-env-sh": {"additional-jvm-opts": ["-Dcassandra.system_distributed_replication=DC One:3,dc2:1"]},
    })
}

fn rendered(configuration: &Configuration) -> (Value, Vec<String>) {
    let place = Place {
        address: Ipv4Addr::new(127, 20, 0, 2),
        seeds: &[Ipv4Addr::new(127, 20, 0, 1), Ipv4Addr::new(127, 20, 16, 1)],
        disk: Path::new("/claims/one"),
        folder: Path::new("/nodes/one"),
        jmx: 7199,
        replaces: Some(Ipv4Addr::new(127, 20, 0, 9)),
    };
    let yaml = serde_json::from_str(&configuration.yaml(&place)).unwrap();
    let properties = configuration.properties(&place).into_iter();
    (yaml, properties.map(|one| one.into_string().unwrap()).collect())
}

#[test]
fn a_node_has_what_its_datacenter_asks_for_at_its_own_place() {
    let configuration = Configuration::new(&data(), "rack1");
    let (yaml, _) = rendered(&configuration);
    for (key, value) in [
        ("cluster_name", json!("My ring")),
        ("num_tokens", json!(8)),
        ("authenticator", json!("PasswordAuthenticator")),
        ("hinted_handoff_enabled", json!(false)),
        ("listen_address", json!("127.20.0.2")),
        ("rpc_address", json!("127.20.0.2")),
        ("memtable_heap_space", json!("32MiB")),
        ("commitlog_directory", json!("/claims/one/commitlog")),
    ] {
        assert_eq!(yaml[key], value, "{key}");
    }
    assert_eq!(
        text(&yaml, "/seed_provider/0/parameters/0/seeds"),
        "127.20.0.1,127.20.16.1"
    );
    assert_eq!(configuration.rack_properties(), "dc=DC One\nrack=rack1\n");
    assert!(configuration.authenticates());
}

#[test]
fn what_a_small_node_cannot_take_is_named() {
    let named: Vec<_> = Configuration::new(&data(), "rack1")
        .not_taken
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    assert_eq!(named, ["listen_address", "memtable_heap_space"]);
}

#[test]
fn only_settings_of_cassandra_reach_the_virtual_machine_and_they_win() {
    let configuration = Configuration::new(&data(), "rack1");
    let (_, properties) = rendered(&configuration);
    let place = |wanted: &str| properties.iter().position(|one| one == wanted);
    assert!(place("-Dcassandra.ring_delay_ms=7000") > place("-Dcassandra.ring_delay_ms=5000"));
    assert!(place("-Dcassandra.replace_address_first_boot=127.20.0.9").is_some());
    assert!(properties.iter().all(|one| !one.starts_with("-Xm")));
    assert!(properties.iter().all(|one| !one.contains("system_distributed")));
    assert_eq!(
        configuration.system_replication,
        [("DC One".to_owned(), 3), ("dc2".to_owned(), 1)].into()
    );
}

#[test]
fn a_pod_carries_the_configuration_of_its_template() {
    let variable = |name: &str, value: &str| json!({"name": name, "value": value});
    let pod = json!({"spec": {"initContainers": [
        {"name": "base"},
        {"name": "builder", "env": [
            variable("RACK_NAME", "r2"),
            variable("CONFIG_FILE_DATA", &data().to_string()),
        ]},
    ]}});
    let configuration = Configuration::of_pod(&pod, &Parts::new()).unwrap();
    assert_eq!(
        (configuration.rack.as_str(), configuration.datacenter.as_str()),
        ("r2", "DC One")
    );
    let part = "\ninitial_token: 1,2\naudit_logging_options: {enabled: true}".to_owned();
    let parts = [
        ("cassandra.yaml".to_owned(), part),
        ("jvm-server.options".to_owned(), "-Xmx1G".to_owned()),
    ];
    let own = Configuration::of_pod(&pod, &parts.into()).unwrap();
    assert_eq!(own.yaml["initial_token"], "1,2");
    assert_eq!(own.yaml["audit_logging_options"]["enabled"], true);
    assert_eq!(own.not_merged, ["jvm-server.options"]);
    let others = |it: &Configuration| it.yaml.len();
    assert!(others(&own) > others(&configuration) && own.rack == configuration.rack);
    assert!(Configuration::of_pod(&json!({"spec": {}}), &Parts::new()).is_none());
    let open = Configuration::new(
        &json!({"cassandra-yaml": {"authenticator": "AllowAllAuthenticator"}}),
        "r",
    );
    assert!(!open.authenticates());
}
