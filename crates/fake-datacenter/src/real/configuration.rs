//! What a node is started with, made from what the operator wrote into its pod.
//!
//! The operator passes the datacenter's `spec.config` to the pod's configuration builder, with the names of cluster,
//! datacenter and rack beside it. What is rendered here is what that builder would render, except what a small node on
//! loopback cannot take: that is listed in [`NOT_TAKEN`].

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::java::property;
use crate::json::{list, text};
use crate::ring::Replication;

/// Keys of `cassandra-yaml` that are not taken from a datacenter, and why.
pub const NOT_TAKEN: [(&str, &str); 46] = [
    ("cluster_name", IDENTITY),
    ("endpoint_snitch", "the rack of a pod comes by its properties"),
    ("seed_provider", "seeds are resolved when the node starts"),
    ("listen_address", IDENTITY),
    ("listen_interface", IDENTITY),
    ("rpc_address", IDENTITY),
    ("rpc_interface", IDENTITY),
    ("broadcast_address", IDENTITY),
    ("broadcast_rpc_address", IDENTITY),
    ("storage_port", PORT),
    ("ssl_storage_port", PORT),
    ("native_transport_port", PORT),
    ("native_transport_port_ssl", PORT),
    ("server_encryption_options", KEYS),
    ("client_encryption_options", KEYS),
    ("jmx_server_options", KEYS),
    ("data_file_directories", FOLDER),
    ("local_system_data_file_directory", FOLDER),
    ("commitlog_directory", FOLDER),
    ("hints_directory", FOLDER),
    ("saved_caches_directory", FOLDER),
    ("cdc_raw_directory", FOLDER),
    ("heap_dump_path", FOLDER),
    ("memtable", SMALL),
    ("memtable_heap_space", SMALL),
    ("memtable_heap_space_in_mb", SMALL),
    ("memtable_offheap_space", SMALL),
    ("memtable_offheap_space_in_mb", SMALL),
    ("memtable_allocation_type", SMALL),
    ("file_cache_size", SMALL),
    ("file_cache_size_in_mb", SMALL),
    ("networking_cache_size", SMALL),
    ("networking_cache_size_in_mb", SMALL),
    ("commitlog_segment_size", SMALL),
    ("commitlog_segment_size_in_mb", SMALL),
    ("commitlog_total_space", SMALL),
    ("commitlog_total_space_in_mb", SMALL),
    ("disk_access_mode", SMALL),
    ("concurrent_reads", SMALL),
    ("concurrent_writes", SMALL),
    ("concurrent_counter_writes", SMALL),
    ("concurrent_materialized_view_writes", SMALL),
    ("concurrent_compactors", SMALL),
    ("native_transport_max_threads", SMALL),
    ("key_cache_size", SMALL),
    ("key_cache_size_in_mb", SMALL),
];
const IDENTITY: &str = "who a node is, and where, follows from its pod";
const PORT: &str = "every node has its own address, and the same ports on it";
const KEYS: &str = "key stores are files in a pod, and there is none here";
const FOLDER: &str = "folders are those of the pod's claim";
const SMALL: &str = "a node is kept small, so that many fit on one machine";

/// Settings of the virtual machine that make a node quick to start. A datacenter may set them otherwise.
const QUICK: [(&str, &str); 7] = [
    ("cassandra.ring_delay_ms", "5000"),
    ("cassandra.skip_wait_for_gossip_to_settle", "0"),
    ("cassandra.superuser_setup_delay_ms", "0"),
    ("cassandra.shutdown_announce_in_ms", "200"),
    ("cassandra.auth_bcrypt_gensalt_log2_rounds", "4"),
    ("cassandra.available_processors", "2"),
    ("cassandra.max_queued_native_transport_requests", "64"),
];
const NETTY: [&str; 3] = [
    "-Dio.netty.eventLoopThreads=2",
    "-Dio.netty.allocator.numDirectArenas=1",
    "-Dio.netty.allocator.numHeapArenas=1",
];
/// An option that the image's own agent carries out, not Cassandra.
const SYSTEM_REPLICATION: &str = "cassandra.system_distributed_replication";

/// The configuration of a node.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// `cassandra.yaml`, without addresses, seeds and folders.
    yaml: Map<String, Value>,
    /// The datacenter's name in Cassandra.
    pub datacenter: String,
    /// The rack.
    pub rack: String,
    /// Settings of Cassandra that the datacenter passes to the virtual machine.
    options: Vec<String>,
    /// Replication of the distributed system keyspaces, when the datacenter asks for it.
    pub system_replication: Replication,
    /// Keys that were given and not taken, with the reason.
    pub not_taken: Vec<(&'static str, &'static str)>,
    /// Files for this pod alone that are not merged: no YAML, or not `cassandra.yaml`.
    pub not_merged: Vec<String>,
}

/// By name of the file: what is merged into it for one pod.
pub type Parts = BTreeMap<String, String>;
/// The one file that is made here from what is given.
const YAML: &str = "cassandra.yaml";

/// Where one start of a node happens.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// The address that it listens on.
    pub address: Ipv4Addr,
    /// The addresses of its seeds.
    pub seeds: &'a [Ipv4Addr],
    /// The folder of its claim.
    pub disk: &'a Path,
    /// The folder of its configuration.
    pub folder: &'a Path,
    /// Its JMX port.
    pub jmx: u16,
    /// The address of the node whose place it takes.
    pub replaces: Option<Ipv4Addr>,
}

impl Configuration {
    /// What the pod's configuration builder is given, with what is merged over it for this pod alone; `None` when the pod has no
    /// builder.
    #[must_use]
    pub fn of_pod(pod: &Value, parts: &Parts) -> Option<Self> {
        let builders = list(pod, "/spec/initContainers").iter();
        let mut variables = builders.flat_map(|container| list(container, "/env"));
        let value = |name: &str| {
            let found = variables.clone().find(|one| text(one, "/name") == name)?;
            Some(text(found, "/value").to_owned())
        };
        let (data, rack) = (value("CONFIG_FILE_DATA")?, value("RACK_NAME")?);
        variables.next()?;
        let mut data: Value = serde_json::from_str(&data).ok()?;
        let mut not_merged = Vec::new();
        for (file, part) in parts {
            match serde_saphyr::from_str::<Value>(part) {
                Ok(part) if file == YAML => merge(&mut data["cassandra-yaml"], part),
                _ => not_merged.push(file.clone()),
            }
        }
        let mut configuration = Self::new(&data, &rack);
        configuration.not_merged = not_merged;
        Some(configuration)
    }

    /// From the builder's input.
    #[must_use]
    pub fn new(data: &Value, rack: &str) -> Self {
        let given = data.get("cassandra-yaml").and_then(Value::as_object);
        let given = given.cloned().unwrap_or_default();
        let not_taken = NOT_TAKEN.into_iter().filter(|(key, _)| given.contains_key(*key));
        let not_taken: Vec<_> = not_taken.collect();
        let mut yaml = defaults();
        let is_taken = |(key, _): &(String, Value)| not_taken.iter().all(|(other, _)| other != key);
        yaml.extend(given.into_iter().filter(is_taken));
        yaml.insert("cluster_name".into(), text(data, "/cluster-info/name").into());
        let options = options(data);
        let replication = options.iter().find_map(|option| {
            let rest = option.strip_prefix("-D")?.strip_prefix(SYSTEM_REPLICATION)?;
            Some(replication(rest.strip_prefix('=')?))
        });
        Self {
            yaml,
            datacenter: text(data, "/datacenter-info/name").to_owned(),
            rack: rack.to_owned(),
            options: options
                .into_iter()
                .filter(|option| !option.contains(SYSTEM_REPLICATION))
                .collect(),
            system_replication: replication.unwrap_or_default(),
            not_taken,
            not_merged: Vec::new(),
        }
    }

    /// Whether a client must log in.
    #[must_use]
    pub fn authenticates(&self) -> bool {
        let authenticator = self.yaml.get("authenticator").map(|given| match given {
            Value::String(class) => class.clone(),
            given => text(given, "/class_name").to_owned(),
        });
        authenticator.is_some_and(|class| !class.is_empty() && !class.ends_with("AllowAllAuthenticator"))
    }

    /// `cassandra.yaml` (JSON is YAML as well).
    #[must_use]
    pub fn yaml(&self, place: &Place<'_>) -> String {
        let seeds: Vec<_> = place.seeds.iter().map(ToString::to_string).collect();
        let folder = |name: &str| place.disk.join(name).display().to_string();
        let mut yaml = self.yaml.clone();
        let placed = json!({
            "listen_address": place.address.to_string(),
            "rpc_address": place.address.to_string(),
            "storage_port": super::STORAGE_PORT,
            "native_transport_port": super::CQL_PORT,
            "endpoint_snitch": "GossipingPropertyFileSnitch",
            "seed_provider": [{
                "class_name": "org.apache.cassandra.locator.SimpleSeedProvider",
                "parameters": [{"seeds": seeds.join(",")}],
            }],
            "data_file_directories": [folder("data")],
            "commitlog_directory": folder("commitlog"),
            "hints_directory": folder("hints"),
            "saved_caches_directory": folder("saved_caches"),
            "cdc_raw_directory": folder("cdc_raw"),
        });
        yaml.extend(placed.as_object().cloned().unwrap_or_default());
        Value::Object(yaml).to_string()
    }

    /// `cassandra-rackdc.properties`.
    #[must_use]
    pub fn rack_properties(&self) -> String {
        format!("dc={}\nrack={}\n", self.datacenter, self.rack)
    }

    /// What the virtual machine is given.
    #[must_use]
    pub fn properties(&self, place: &Place<'_>) -> Vec<OsString> {
        let file = |name: &str, file: &str| {
            let url = format!("file://{}", place.folder.join(file).display());
            property(name, Path::new(&url))
        };
        let mut all = vec![
            file("cassandra.config", "cassandra.yaml"),
            file("cassandra-rackdc.properties", "cassandra-rackdc.properties"),
            file("logback.configurationFile", "logback.xml"),
            property("cassandra.storagedir", place.disk),
            property("cassandra.logdir", place.folder),
            property("user.home", place.folder),
            "-Djdk.attach.allowAttachSelf=true".into(),
            "-Dcassandra-foreground=yes".into(),
            format!("-Dcassandra.jmx.local.port={}", place.jmx).into(),
        ];
        all.extend(NETTY.map(OsString::from));
        all.extend(QUICK.map(|(name, value)| format!("-D{name}={value}").into()));
        // The last one counts.
        all.extend(self.options.iter().map(OsString::from));
        if let Some(old) = place.replaces {
            all.push(format!("-Dcassandra.replace_address_first_boot={old}").into());
        }
        all
    }
}

/// Objects are merged, and everything else is replaced.
fn merge(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                merge(below.entry(key).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above,
    }
}

/// What the shipped `cassandra.yaml` says where Cassandra's own default is another one, and the limits of a small node.
fn defaults() -> Map<String, Value> {
    let defaults = json!({
        "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
        "num_tokens": 16,
        "allocate_tokens_for_local_replication_factor": 3,
        "disk_failure_policy": "stop",
        "commitlog_sync": "periodic",
        "commitlog_sync_period": "10s",
        "commitlog_segment_size": "8MiB",
        "commitlog_total_space": "64MiB",
        "memtable_heap_space": "32MiB",
        "memtable_offheap_space": "32MiB",
        "file_cache_size": "16MiB",
        "networking_cache_size": "8MiB",
        "key_cache_size": "1MiB",
        "disk_access_mode": "standard",
        "concurrent_reads": 4,
        "concurrent_writes": 4,
        "concurrent_counter_writes": 2,
        "concurrent_materialized_view_writes": 2,
        "concurrent_compactors": 1,
        "native_transport_max_threads": 4,
    });
    defaults.as_object().cloned().unwrap_or_default()
}

/// Settings of Cassandra itself among the options of the virtual machine. Heap, collector and agents concern a machine.
fn options(data: &Value) -> Vec<String> {
    let sections = data.as_object().into_iter().flatten();
    let given = sections.flat_map(|(_, section)| list(section, "/additional-jvm-opts"));
    let given = given.filter_map(Value::as_str).map(str::trim);
    given
        .filter(|option| option.starts_with("-Dcassandra."))
        .map(str::to_owned)
        .collect()
}

/// `<datacenter>:<factor>`, separated by commas.
fn replication(text: &str) -> Replication {
    let pairs = text.split(',').filter_map(|pair| pair.split_once(':'));
    pairs
        .filter_map(|(name, factor)| Some((name.trim().to_owned(), factor.trim().parse().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests;
