//! Options of the Java virtual machine: where each goes in the generated configuration.

mod table;

use api::names::reason;
use api::reports::Refusal;
use serde_json::{Map, Value};

use self::table::{OPTIONS, QUANTITIES};
use super::Facts;
use crate::quantity::Quantity;
use crate::validate::refusal;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::cluster_of;
    use serde_json::json;

    fn written(server_type: &str, version: &str, options: &Value) -> Value {
        let mut kc = cluster_of(json!([
            {"metadata": {"name": "dc1"}, "size": 1, "serverVersion": version, "config": {"jvmOptions": options}}
        ]));
        kc.spec.cassandra.as_mut().expect("given").server_type = Some(server_type.into());
        let facts = Facts::of(&kc, "dc1").expect("facts");
        let options = crate::value::object(&facts.merged, "/config/jvmOptions");
        let mut files = Map::new();
        write(&facts, &options, &mut files).expect("written");
        Value::Object(files)
    }

    #[test]
    fn c071_the_file_depends_on_server_type_and_version() {
        let options =
            json!({"heap_max_size": "1Gi", "gc": "G1GC", "gc_print_heap": false, "vm_use_numa": true});
        let of_4 = json!({
            "jvm-server-options": {"max_heap_size": 1_073_741_824, "use_numa": true},
            "jvm11-server-options": {"garbage_collector": "G1GC"}
        });
        let of_dse = json!({
            "jvm-server-options": {"max_heap_size": 1_073_741_824, "use_numa": true},
            "jvm8-server-options": {"garbage_collector": "G1GC"}
        });
        let of_3 = json!({
            "jvm-options": {"max_heap_size": 1_073_741_824, "garbage_collector": "G1GC", "print_heap_at_gc": false}
        });
        assert_eq!(written("cassandra", "4.0.5", &options), of_4);
        assert_eq!(written("cassandra", "3.11.17", &options), of_3);
        assert_eq!(written("dse", "6.8.25", &options), of_dse);
        assert_eq!(written("hcd", "1.2.3", &options), of_4);
        assert_eq!(written("cassandra", "3.0.30", &options), json!({}));
        assert_eq!(written("dse", "5.1.0", &options), json!({}));
    }

    #[test]
    fn options_for_one_java_version_keep_their_file_on_dse() {
        let options = json!({"additionalJvm11ServerOptions": ["a"], "additionalJvm8ServerOptions": ["b"]});
        let expected = json!({
            "jvm11-server-options": {"additional-jvm-opts": ["a"]},
            "jvm8-server-options": {"additional-jvm-opts": ["b"], "garbage_collector": "G1GC"}
        });
        assert_eq!(written("dse", "6.8.25", &options), expected);
    }

    #[test]
    fn c073_deprecated_heap_fields_give_what_the_others_do_not_say() {
        let options = json!({"heapSize": "1Ki", "heap_initial_size": "2Ki", "heapNewGenSize": "3Ki"});
        let expected = json!({"jvm-options": {
            "initial_heap_size": 2048, "max_heap_size": 1024, "heap_size_young_generation": 3072,
            "garbage_collector": "G1GC"
        }});
        assert_eq!(written("cassandra", "3.11.17", &options), expected);
    }

    #[test]
    fn zero_is_said_and_empty_is_not() {
        let options = json!({
            "gc_g1_conc_threads": 0, "cassandra_triggers_directory": "", "additionalOptions": [], "jmx_remote_ssl": false
        });
        let expected = json!({
            "jvm-server-options": {"jmx-remote-ssl": false},
            "jvm11-server-options": {"conc_gc_threads": 0, "garbage_collector": "G1GC"}
        });
        assert_eq!(written("cassandra", "4.1.5", &options), expected);
    }

    #[test]
    fn no_two_options_go_to_one_place() {
        let of_3: Vec<&str> = OPTIONS
            .iter()
            .map(|row| row.1)
            .filter(|place| !place.is_empty())
            .collect();
        let of_4: Vec<&str> = OPTIONS
            .iter()
            .map(|row| row.2)
            .filter(|place| !place.is_empty())
            .collect();
        for mut places in [of_3, of_4] {
            let count = places.len();
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), count);
        }
    }
}
