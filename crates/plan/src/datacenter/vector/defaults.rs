//! The parts that are there by themselves. What nobody reads is left out: without parts of the user's only the log's way
//! to the container's output remains.

use std::fmt::Write;

use super::Scrape;
use super::pipeline::{Part, Parts};

const LOG: &str = "systemlog";
const RAW_METRICS: &str = "cassandra_metrics_raw";

/// Cassandra's log, from its beginning. A line that begins with a level begins an entry.
const LOG_FILE: &str = r#"include = [ "/var/log/cassandra/system.log" ]
read_from = "beginning"
fingerprint.strategy = "device_and_inode"
[sources.systemlog.multiline]
start_pattern = "^(INFO|WARN|ERROR|DEBUG|TRACE|FATAL)"
condition_pattern = "^(INFO|WARN|ERROR|DEBUG|TRACE|FATAL)"
mode = "halt_before"
timeout_ms = 10000
"#;

/// Fields of an entry of the log. One that is not understood stays whole.
const PARSED_LOG: &str = r#"source = '''
entry, problem = parse_regex(.message, r'^(?P<loglevel>[A-Z]+)\s+\[(?P<thread>.+?)\]\s+(?P<timestamp>\d{4}-\d\d-\d\d[T ]\S+)\s+(?P<class>[^\s:]+):(?P<line>\d+)\s+-\s+(?P<message>(?s:.*))$')
if problem == null {
  . |= entry
} else {
  log(problem, level: "warn")
  .loglevel = "warn"
}
.pod_name = get_env_var("POD_NAME") ?? ""
.node_name = get_env_var("NODE_NAME") ?? ""
.cluster = get_env_var("CLUSTER_NAME") ?? ""
.datacenter = get_env_var("DATACENTER_NAME") ?? ""
.rack = get_env_var("RACK_NAME") ?? ""
.namespace = get_env_var("NAMESPACE") ?? ""
'''
"#;

/// Metrics know the namespace that they come from.
const TAGGED_METRICS: &str = r#"source = '''
here = get_env_var("NAMESPACE") ?? ""
if here != "" {
  .tags.namespace = here
}
'''
"#;

const TO_OUTPUT: &str = "target = \"stdout\"\nencoding.codec = \"text\"\n";

/// All of them.
pub(super) fn parts(scrape: &Scrape) -> Parts {
    Parts {
        sources: vec![
            part(LOG, "file", &[], LOG_FILE),
            part(RAW_METRICS, "prometheus_scrape", &[], &scraped(scrape)),
        ],
        transforms: vec![
            part("parse_cassandra_log", "remap", &[LOG], PARSED_LOG),
            part("cassandra_metrics", "remap", &[RAW_METRICS], TAGGED_METRICS),
        ],
        sinks: vec![part("console_log", "console", &[LOG], TO_OUTPUT)],
    }
}

fn part(name: &str, kind: &str, inputs: &[&str], config: &str) -> Part {
    Part {
        name: name.to_owned(),
        kind: kind.to_owned(),
        inputs: inputs.iter().map(|input| (*input).to_owned()).collect(),
        config: config.to_owned(),
    }
}

fn scraped(scrape: &Scrape) -> String {
    let mut config = format!(
        "endpoints = [ \"{}\" ]\nscrape_interval_secs = {}",
        scrape.url, scrape.seconds
    );
    if let Some(paths) = &scrape.certificates {
        for (key, path) in ["ca_file", "crt_file", "key_file"].into_iter().zip(paths) {
            let _ = write!(config, "\ntls.{key} = \"{path}\"");
        }
    }
    config
}
