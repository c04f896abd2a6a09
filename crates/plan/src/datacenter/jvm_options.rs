//! Options of the Java virtual machine: where each goes in the generated configuration.

use api::names::reason;
use api::reports::Refusal;
use serde_json::{Map, Value};

use super::Facts;
use crate::quantity::Quantity;
use crate::validate::refusal;

/// Field, and where it goes (file and key) for Cassandra 3.11 and from Cassandra 4 on; empty where it goes nowhere.
const OPTIONS: [(&str, &str, &str); 73] = [
    (
        "heap_initial_size",
        "jvm-options/initial_heap_size",
        "jvm-server-options/initial_heap_size",
    ),
    (
        "heap_max_size",
        "jvm-options/max_heap_size",
        "jvm-server-options/max_heap_size",
    ),
    (
        "vm_enable_assertions",
        "jvm-options/enable_assertions",
        "jvm-server-options/enable_assertions",
    ),
    (
        "vm_enable_thread_priorities",
        "jvm-options/use_thread_priorities",
        "jvm-server-options/use_thread_priorities",
    ),
    (
        "vm_enable_non_root_thread_priority",
        "jvm-options/thread_priority_policy_42",
        "",
    ),
    (
        "vm_heap_dump_on_out_of_memory_error",
        "jvm-options/heap_dump_on_out_of_memory_error",
        "jvm-server-options/heap_dump_on_out_of_memory_error",
    ),
    (
        "vm_per_thread_stack_size",
        "jvm-options/per_thread_stack_size",
        "jvm-server-options/per_thread_stack_size",
    ),
    (
        "vm_string_table_size",
        "jvm-options/string_table_size",
        "jvm-server-options/string_table_size",
    ),
    (
        "vm_always_pre_touch",
        "jvm-options/always_pre_touch",
        "jvm-server-options/always_pre_touch",
    ),
    (
        "vm_disable_biased_locking",
        "jvm-options/use_biased_locking",
        "jvm-server-options/use-biased-locking",
    ),
    ("vm_use_tlab", "jvm-options/use_tlb", "jvm-server-options/use_tlb"),
    (
        "vm_resize_tlab",
        "jvm-options/resize_tlb",
        "jvm-server-options/resize_tlb",
    ),
    (
        "vm_disable_perf_shared_mem",
        "jvm-options/perf_disable_shared_mem",
        "jvm-server-options/perf_disable_shared_mem",
    ),
    (
        "vm_prefer_ipv4",
        "jvm-options/java_net_prefer_ipv4_stack",
        "jvm-server-options/java_net_prefer_ipv4_stack",
    ),
    ("vm_use_numa", "", "jvm-server-options/use_numa"),
    (
        "vm_print_heap_histogram_on_out_of_memory_error",
        "",
        "jvm-server-options/print_heap_histogram_on_out_of_memory_error",
    ),
    (
        "vm_exit_on_out_of_memory_error",
        "",
        "jvm-server-options/exit_on_out_of_memory_error",
    ),
    (
        "vm_crash_on_out_of_memory_error",
        "",
        "jvm-server-options/crash_on_out_of_memory_error",
    ),
    (
        "vm_guaranteed_safepoint_interval_ms",
        "",
        "jvm-server-options/guaranteed-safepoint-interval",
    ),
    (
        "netty_eventloop_maxpendingtasks",
        "",
        "jvm-server-options/io_netty_eventloop_maxpendingtasks",
    ),
    (
        "netty_try_reflection_set_accessible",
        "",
        "jvm11-server-options/io_netty_try_reflection_set_accessible",
    ),
    (
        "nio_maxcachedbuffersize",
        "",
        "jvm-server-options/jdk_nio_maxcachedbuffersize",
    ),
    (
        "nio_align_direct_memory",
        "",
        "jvm-server-options/page-align-direct-memory",
    ),
    (
        "jdk_allow_attach_self",
        "",
        "jvm11-server-options/jdk_attach_allow_attach_self",
    ),
    (
        "cassandra_available_processors",
        "jvm-options/cassandra_available_processors",
        "jvm-server-options/cassandra_available_processors",
    ),
    (
        "cassandra_metrics_reporter_config_file",
        "jvm-options/cassandra_metrics_reporter_config_file",
        "jvm-server-options/cassandra_metrics_reporter_config_file",
    ),
    (
        "cassandra_ring_delay_ms",
        "jvm-options/cassandra_ring_delay_ms",
        "jvm-server-options/cassandra_ring_delay_ms",
    ),
    (
        "cassandra_triggers_directory",
        "jvm-options/cassandra_triggers_dir",
        "jvm-server-options/cassandra_triggers_dir",
    ),
    (
        "cassandra_write_survey",
        "jvm-options/cassandra_write_survey",
        "jvm-server-options/cassandra_write_survey",
    ),
    (
        "cassandra_disable_auth_caches_remote_configuration",
        "jvm-options/cassandra_disable_auth_caches_remote_configuration",
        "jvm-server-options/cassandra_disable_auth_caches_remote_configuration",
    ),
    (
        "cassandra_force_default_indexing_page_size",
        "jvm-options/cassandra_force_default_indexing_page_size",
        "jvm-server-options/cassandra_force_default_indexing_page_size",
    ),
    (
        "cassandra_force_3_0_protocol_version",
        "jvm-options/cassandra_force_3_0_protocol_version",
        "",
    ),
    (
        "cassandra_expiration_date_overflow_policy",
        "",
        "jvm-server-options/cassandra_expiration_date_overflow_policy",
    ),
    (
        "cassandra_max_hint_ttl_seconds",
        "",
        "jvm-server-options/cassandra_max_hint_ttl",
    ),
    (
        "gc",
        "jvm-options/garbage_collector",
        "jvm11-server-options/garbage_collector",
    ),
    (
        "gc_cms_heap_size_young_generation",
        "jvm-options/heap_size_young_generation",
        "",
    ),
    ("gc_cms_survivor_ratio", "jvm-options/survivor_ratio", ""),
    (
        "gc_cms_max_tenuring_threshold",
        "jvm-options/max_tenuring_threshold",
        "",
    ),
    (
        "gc_cms_initiating_occupancy_fraction",
        "jvm-options/cms_initiating_occupancy_fraction",
        "",
    ),
    ("gc_cms_wait_duration_ms", "jvm-options/cms_wait_duration", ""),
    (
        "gc_g1_rset_updating_pause_time_percent",
        "jvm-options/g1r_set_updating_pause_time_percent",
        "jvm11-server-options/g1r_set_updating_pause_time_percent",
    ),
    (
        "gc_g1_max_gc_pause_ms",
        "jvm-options/max_gc_pause_millis",
        "jvm11-server-options/max_gc_pause_millis",
    ),
    (
        "gc_g1_initiating_heap_occupancy_percent",
        "jvm-options/initiating_heap_occupancy_percent",
        "jvm11-server-options/initiating_heap_occupancy_percent",
    ),
    (
        "gc_g1_parallel_threads",
        "jvm-options/parallel_gc_threads",
        "jvm11-server-options/parallel_gc_threads",
    ),
    (
        "gc_g1_conc_threads",
        "jvm-options/conc_gc_threads",
        "jvm11-server-options/conc_gc_threads",
    ),
    ("gc_print_details", "jvm-options/print_gc_details", ""),
    ("gc_print_date_stamps", "jvm-options/print_gc_date_stamps", ""),
    ("gc_print_heap", "jvm-options/print_heap_at_gc", ""),
    (
        "gc_print_tenuring_distribution",
        "jvm-options/print_tenuring_distribution",
        "",
    ),
    (
        "gc_print_application_stopped_time",
        "jvm-options/print_gc_application_stopped_time",
        "",
    ),
    (
        "gc_print_promotion_failure",
        "jvm-options/print_promotion_failure",
        "",
    ),
    (
        "gc_print_flss_statistics",
        "jvm-options/print_flss_statistics",
        "",
    ),
    ("gc_print_use_log_file", "jvm-options/log_gc", ""),
    (
        "gc_print_use_log_file_rotation",
        "jvm-options/use_gc_log_file_rotation",
        "",
    ),
    (
        "gc_print_number_of_log_files",
        "jvm-options/number_of_gc_log_files",
        "",
    ),
    ("gc_print_log_file_size", "jvm-options/gc_log_file_size", ""),
    ("jmx_port", "jvm-options/jmx-port", "jvm-server-options/jmx-port"),
    (
        "jmx_connection_type",
        "jvm-options/jmx-connection-type",
        "jvm-server-options/jmx-connection-type",
    ),
    (
        "jmx_remote_ssl",
        "jvm-options/jmx-remote-ssl",
        "jvm-server-options/jmx-remote-ssl",
    ),
    (
        "jmx_remote_ssl_opts",
        "jvm-options/jmx-remote-ssl-opts",
        "jvm-server-options/jmx-remote-ssl-opts",
    ),
    (
        "jmx_remote_ssl_require_client_auth",
        "",
        "jvm-server-options/jmx-remote-ssl-require-client-auth",
    ),
    (
        "debug_unlock_commercial_features",
        "jvm-options/unlock_commercial_features",
        "jvm-server-options/unlock_commercial_features",
    ),
    (
        "debug_enable_flight_recorder",
        "jvm-options/flight_recorder",
        "jvm-server-options/flight_recorder",
    ),
    (
        "debug_listen_remote_debuggers",
        "jvm-options/agent_lib_jdwp",
        "jvm-server-options/agent_lib_jdwp",
    ),
    (
        "debug_disable_contended_annotations",
        "",
        "jvm-server-options/restrict-contended",
    ),
    (
        "debug_non_safepoints",
        "",
        "jvm-server-options/debug-non-safepoints",
    ),
    (
        "debug_unlock_diagnostic_vm_options",
        "",
        "jvm-server-options/unlock-diagnostic-vm-options",
    ),
    ("debug_log_compilation", "", "jvm-server-options/log_compilation"),
    (
        "debug_preserve_frame_pointer",
        "",
        "jvm-server-options/preserve-frame-pointer",
    ),
    (
        "additionalOptions",
        "cassandra-env-sh/additional-jvm-opts",
        "cassandra-env-sh/additional-jvm-opts",
    ),
    (
        "additionalJvm11ServerOptions",
        "jvm11-server-options/additional-jvm-opts",
        "jvm11-server-options/additional-jvm-opts",
    ),
    (
        "additionalJvm8ServerOptions",
        "jvm8-server-options/additional-jvm-opts",
        "jvm8-server-options/additional-jvm-opts",
    ),
    (
        "additionalJvmServerOptions",
        "jvm-server-options/additional-jvm-opts",
        "jvm-server-options/additional-jvm-opts",
    ),
];
/// Fields that are quantities: their worth is written.
const QUANTITIES: [&str; 7] = [
    "heap_initial_size",
    "heap_max_size",
    "vm_per_thread_stack_size",
    "vm_string_table_size",
    "nio_maxcachedbuffersize",
    "gc_cms_heap_size_young_generation",
    "gc_print_log_file_size",
];
/// Fields without a place, and those that they stand for.
const DEPRECATED: [(&str, &[&str]); 2] = [
    ("heapSize", &["heap_initial_size", "heap_max_size"]),
    ("heapNewGenSize", &["gc_cms_heap_size_young_generation"]),
];
/// The one option whose name says which file it goes to, on DSE as well.
const OF_JVM_11: &str = "additionalJvm11ServerOptions";

/// Writes the options into their files. One without a place for this server type and version is left out.
pub(super) fn write(
    facts: &Facts<'_>,
    options: &Map<String, Value>,
    files: &mut Map<String, Value>,
) -> Result<(), Refusal> {
    let options = without_deprecated(options);
    for (field, cassandra_3, cassandra_4) in OPTIONS {
        let place = place(facts, field, cassandra_3, cassandra_4);
        let Some((file, key)) = place.split_once('/') else {
            continue;
        };
        let Some(value) = options.get(field).filter(|value| is_said(value)) else {
            continue;
        };
        let value = if QUANTITIES.contains(&field) {
            worth(facts, field, value)?
        } else {
            value.clone()
        };
        let file = files.entry(file).or_insert_with(|| Value::Object(Map::new()));
        file[key] = value;
    }
    Ok(())
}

/// The deprecated fields give what the fields that they stand for do not say.
fn without_deprecated(options: &Map<String, Value>) -> Map<String, Value> {
    let mut options = options.clone();
    for (deprecated, fields) in DEPRECATED {
        let Some(given) = options.remove(deprecated).filter(is_said) else {
            continue;
        };
        for field in fields {
            if !options.get(*field).is_some_and(is_said) {
                options.insert((*field).to_owned(), given.clone());
            }
        }
    }
    options
}

fn place(facts: &Facts<'_>, field: &str, cassandra_3: &'static str, cassandra_4: &'static str) -> String {
    let version = &facts.version;
    match facts.server_type() {
        "dse" if version.is_release_from(6, 8, 0) && field != OF_JVM_11 => {
            cassandra_4.replace("jvm11-server-options/", "jvm8-server-options/")
        }
        "dse" if version.is_release_from(6, 8, 0) => cassandra_4.to_owned(),
        "hcd" if version.is_release_from(1, 0, 0) => cassandra_4.to_owned(),
        "cassandra" if version.is_release_from(4, 0, 0) => cassandra_4.to_owned(),
        "cassandra" if version.is_release_from(3, 11, 0) => cassandra_3.to_owned(),
        _ => String::new(),
    }
}

/// Empty texts and lists say nothing; `false` and 0 do.
fn is_said(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    }
}

fn worth(facts: &Facts<'_>, field: &str, value: &Value) -> Result<Value, Refusal> {
    let number = Quantity::read(value).and_then(Quantity::to_number);
    number.map(Value::Number).ok_or_else(|| {
        let field = facts.field(&format!("config.jvmOptions.{field}"));
        refusal(
            reason::INVALID_SPEC,
            &field,
            format!("{value} is no quantity; write it as 512Mi"),
        )
    })
}
