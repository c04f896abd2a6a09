use super::*;

const STATUS: &str = "\
Datacenter: dc1
===============
Status=Up/Down
|/ State=Normal/Leaving/Joining/Moving
--  Address     Load        Tokens  Owns (effective)  Host ID                               Rack
UN  127.18.0.1  114.47 KiB  4       100.0%            d322f387-d883-4d56-866b-6b826f0198ac  r1
DL  127.18.0.2  ?           16      ?                 27eb5176-2efb-4f85-8292-4820a6c80de8  my rack

Datacenter: dc2
===============
--  Address      Load        Tokens  Owns (effective)  Host ID                               Rack
UJ  127.18.16.1  75.2 KiB    8       33.3%             5ad16d6f-2a2c-4bd3-a3a5-5b4f6e0f2a10  r1

";

#[test]
fn a_table_has_a_row_for_each_node_under_its_datacenter() {
    let rows = table(STATUS);
    let short: Vec<_> = rows
        .iter()
        .map(|row| {
            let up = if row.up { 'U' } else { 'D' };
            format!("{} {up}{} {} {}", row.datacenter, row.state, row.tokens, row.rack)
        })
        .collect();
    assert_eq!(short, ["dc1 UN 4 r1", "dc1 DL 16 my rack", "dc2 UJ 8 r1"]);
    assert_eq!(rows[2].address, Ipv4Addr::new(127, 18, 16, 1));
    assert_eq!(rows[1].host_id, "27eb5176-2efb-4f85-8292-4820a6c80de8");
    assert!(table("nodetool: Failed to connect to '127.0.0.1:7199'").is_empty());
}

#[test]
fn gossip_keeps_what_each_node_said_of_itself() {
    let nodes = gossip(
        "/127.18.0.1\n  generation:1795302787\n  heartbeat:63\n  STATUS:36:NORMAL,-3510392503384820240\n  DC:12:dc1\n  \
         INTERNAL_ADDRESS_AND_PORT:8:127.18.0.1:7000\n  TOKENS:34:<hidden>\n\nlocalhost/127.18.0.2\n  \
         STATUS_WITH_PORT:40:LEFT,-1,1795302\n  TOKENS: not present\n",
    );
    let addresses: Vec<_> = nodes.iter().map(|(address, _)| address.to_string()).collect();
    assert_eq!(addresses, ["127.18.0.1", "127.18.0.2"]);
    let (first, second) = (&nodes[0].1, &nodes[1].1);
    assert_eq!(first["STATUS"], "NORMAL,-3510392503384820240");
    assert_eq!(first["INTERNAL_ADDRESS_AND_PORT"], "127.18.0.1:7000");
    assert!(!first.contains_key("generation"));
    assert_eq!(second["STATUS_WITH_PORT"], "LEFT,-1,1795302");
    assert!(!second.contains_key("TOKENS"));
}

#[test]
fn a_cluster_has_versions_of_its_schema_and_replications() {
    let known = cluster(
        "Cluster Information:\n\tName: t\n\tSchema versions:\n\
         \t\td03783d7-b468-3c1a-82f1-8e30b2edde8b: [127.18.0.1, 127.18.0.2]\n\n\
         \t\tUNREACHABLE: [127.18.16.1]\n\nStats for all nodes:\n\tLive: 2\n\nData Centers: \n\tdc1 #Nodes: 2 #Down: 0\n\n\
         Database versions:\n\t5.0.6: [127.18.0.1:7000, 127.18.0.2:7000]\n\nKeyspaces:\n\
         \tsystem_auth -> Replication class: NetworkTopologyStrategy {dc1=3, dc2=2}\n\
         \tsystem -> Replication class: LocalStrategy {}\n",
    );
    let nodes = |version: &str| known.schema[version].len();
    assert_eq!(
        (
            nodes("d03783d7-b468-3c1a-82f1-8e30b2edde8b"),
            nodes("UNREACHABLE")
        ),
        (2, 1)
    );
    assert_eq!(known.schema.len(), 2);
    let auth = &known.keyspaces["system_auth"];
    assert_eq!(
        auth["class"],
        "org.apache.cassandra.locator.NetworkTopologyStrategy"
    );
    assert_eq!((auth["dc1"].as_str(), auth["dc2"].as_str()), ("3", "2"));
    assert_eq!(known.keyspaces["system"].len(), 1);
}
