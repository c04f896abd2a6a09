//! Options of the Java virtual machine that Cassandra runs in.

use crate::all_optional::all_optional;
use crate::embedded::Quantity;

all_optional! {
    /// Options of the Java virtual machine. Most go to the key of the same name in the generated configuration.
    #[expect(missing_docs, reason = "each field is named after the one option that it sets")]
    pub struct JvmOptions {
        #[serde(rename = "additionalJvm11ServerOptions")]
        pub additional_jvm11_server_options: Option<Vec<String>>,
        #[serde(rename = "additionalJvm8ServerOptions")]
        pub additional_jvm8_server_options: Option<Vec<String>>,
        #[serde(rename = "additionalJvmServerOptions")]
        pub additional_jvm_server_options: Option<Vec<String>>,
        #[serde(rename = "additionalOptions")]
        pub additional_options: Option<Vec<String>>,
        pub cassandra_available_processors: Option<i64>,
        pub cassandra_disable_auth_caches_remote_configuration: Option<bool>,
        pub cassandra_expiration_date_overflow_policy: Option<String>,
        pub cassandra_force_3_0_protocol_version: Option<bool>,
        pub cassandra_force_default_indexing_page_size: Option<bool>,
        pub cassandra_max_hint_ttl_seconds: Option<i64>,
        pub cassandra_metrics_reporter_config_file: Option<String>,
        pub cassandra_ring_delay_ms: Option<i64>,
        pub cassandra_triggers_directory: Option<String>,
        pub cassandra_write_survey: Option<bool>,
        pub debug_disable_contended_annotations: Option<bool>,
        pub debug_enable_flight_recorder: Option<bool>,
        pub debug_listen_remote_debuggers: Option<bool>,
        pub debug_log_compilation: Option<bool>,
        pub debug_non_safepoints: Option<bool>,
        pub debug_preserve_frame_pointer: Option<bool>,
        pub debug_unlock_commercial_features: Option<bool>,
        pub debug_unlock_diagnostic_vm_options: Option<bool>,
        #[schemars(extend("default" = "G1GC", "enum" = ["G1GC", "CMS", "ZGC", "Shenandoah", "Graal", "Custom"]))]
        pub gc: Option<String>,
        pub gc_cms_heap_size_young_generation: Option<Quantity>,
        #[schemars(range(min = 0, max = 100))]
        pub gc_cms_initiating_occupancy_fraction: Option<i64>,
        pub gc_cms_max_tenuring_threshold: Option<i64>,
        pub gc_cms_survivor_ratio: Option<i64>,
        pub gc_cms_wait_duration_ms: Option<i64>,
        pub gc_g1_conc_threads: Option<i64>,
        #[schemars(range(min = 0, max = 100))]
        pub gc_g1_initiating_heap_occupancy_percent: Option<i64>,
        pub gc_g1_max_gc_pause_ms: Option<i64>,
        pub gc_g1_parallel_threads: Option<i64>,
        #[schemars(range(min = 0, max = 100))]
        pub gc_g1_rset_updating_pause_time_percent: Option<i64>,
        pub gc_print_application_stopped_time: Option<bool>,
        pub gc_print_date_stamps: Option<bool>,
        pub gc_print_details: Option<bool>,
        pub gc_print_flss_statistics: Option<bool>,
        pub gc_print_heap: Option<bool>,
        pub gc_print_log_file_size: Option<Quantity>,
        pub gc_print_number_of_log_files: Option<i64>,
        pub gc_print_promotion_failure: Option<bool>,
        pub gc_print_tenuring_distribution: Option<bool>,
        pub gc_print_use_log_file: Option<bool>,
        pub gc_print_use_log_file_rotation: Option<bool>,
        pub heap_initial_size: Option<Quantity>,
        pub heap_max_size: Option<Quantity>,
        #[serde(rename = "heapNewGenSize")]
        pub heap_new_gen_size: Option<Quantity>,
        #[serde(rename = "heapSize")]
        pub heap_size: Option<Quantity>,
        pub jdk_allow_attach_self: Option<bool>,
        pub jmx_connection_type: Option<String>,
        pub jmx_port: Option<i64>,
        pub jmx_remote_ssl: Option<bool>,
        pub jmx_remote_ssl_opts: Option<String>,
        pub jmx_remote_ssl_require_client_auth: Option<bool>,
        pub netty_eventloop_maxpendingtasks: Option<i64>,
        pub netty_try_reflection_set_accessible: Option<bool>,
        pub nio_align_direct_memory: Option<bool>,
        pub nio_maxcachedbuffersize: Option<Quantity>,
        pub vm_always_pre_touch: Option<bool>,
        pub vm_crash_on_out_of_memory_error: Option<bool>,
        pub vm_disable_biased_locking: Option<bool>,
        pub vm_disable_perf_shared_mem: Option<bool>,
        pub vm_enable_assertions: Option<bool>,
        pub vm_enable_non_root_thread_priority: Option<bool>,
        pub vm_enable_thread_priorities: Option<bool>,
        pub vm_exit_on_out_of_memory_error: Option<bool>,
        pub vm_guaranteed_safepoint_interval_ms: Option<i64>,
        pub vm_heap_dump_on_out_of_memory_error: Option<bool>,
        pub vm_per_thread_stack_size: Option<Quantity>,
        pub vm_prefer_ipv4: Option<bool>,
        pub vm_print_heap_histogram_on_out_of_memory_error: Option<bool>,
        pub vm_resize_tlab: Option<bool>,
        pub vm_string_table_size: Option<Quantity>,
        pub vm_use_numa: Option<bool>,
        pub vm_use_tlab: Option<bool>,
    }
}
