//! Names of what is made for a cluster. They are wire format: cass-operator and the tools of users find objects by
//! them, so the rules of cleaning are those of cass-operator to the letter.

/// Longest name that a DNS-1035 label may have.
const LONGEST_LABEL: usize = 63;
/// Longest name that a DNS-1123 subdomain may have.
pub const LONGEST_SUBDOMAIN: usize = 253;
/// Longest name of a StatefulSet whose pods still get a valid host name and revision label.
pub const LONGEST_STATEFUL_SET: usize = 60;
/// The rack of a datacenter that names none.
pub const DEFAULT_RACK: &str = "default";

/// Makes a DNS-1035 label of a name that users may write freely: a valid one stays, of any other the valid parts are
/// put together in lower case. `Not K8s_Compliant` becomes `notk8s-compliant`. Nothing is cut off, and nothing may be left.
#[must_use]
pub fn cleanup_for_kubernetes(name: &str) -> String {
    if is_dns_1035_label(name) {
        return name.to_owned();
    }
    let text: Vec<char> = name.to_lowercase().replace('_', "-").chars().collect();
    parts(
        &text,
        |c| c.is_ascii_lowercase(),
        is_label_character,
        is_label_end,
    )
}

/// The same for a DNS-1123 subdomain, which may begin with a digit and have dots.
#[must_use]
pub fn cleanup_subdomain(name: &str) -> String {
    if is_dns_1123_subdomain(name) {
        return name.to_owned();
    }
    let text: Vec<char> = name.to_lowercase().replace('_', "-").chars().collect();
    let mut cleaned = String::new();
    let mut at = 0;
    while at < text.len() {
        if !is_label_end(text[at]) {
            at += 1;
            continue;
        }
        let mut end = end_of_part(&text, at, is_label_character, is_label_end);
        while text.get(end) == Some(&'.') && text.get(end + 1).copied().is_some_and(is_label_end) {
            end = end_of_part(&text, end + 1, is_label_character, is_label_end);
        }
        cleaned.extend(&text[at..end]);
        at = end;
    }
    cleaned
}

/// Makes the value of a label: spaces go, and of what is left the valid parts. Case and `_` stay.
#[must_use]
pub fn clean_label_value(value: &str) -> String {
    let text: Vec<char> = value.chars().filter(|c| *c != ' ').collect();
    let middle = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    parts(
        &text,
        |c| c.is_ascii_alphanumeric(),
        middle,
        |c| c.is_ascii_alphanumeric(),
    )
}

/// True for a name that may stand in a host name: lower-case letters, digits and `-`, beginning with a letter, not
/// ending with `-`, at most 63 characters.
#[must_use]
pub fn is_dns_1035_label(name: &str) -> bool {
    name.len() <= LONGEST_LABEL
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.ends_with(is_label_end)
        && name.chars().all(is_label_character)
}

fn is_dns_1123_subdomain(name: &str) -> bool {
    let is_label = |label: &str| {
        label.starts_with(is_label_end)
            && label.ends_with(is_label_end)
            && label.chars().all(is_label_character)
    };
    name.len() <= LONGEST_SUBDOMAIN && name.split('.').all(is_label)
}

fn is_label_character(c: char) -> bool {
    is_label_end(c) || c == '-'
}

fn is_label_end(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

/// The longest parts, from the left, that begin with `first`, go on with `middle` and end with `last`.
fn parts(text: &[char], first: fn(char) -> bool, middle: fn(char) -> bool, last: fn(char) -> bool) -> String {
    let mut found = String::new();
    let mut at = 0;
    while at < text.len() {
        if first(text[at]) {
            let end = end_of_part(text, at, middle, last);
            found.extend(&text[at..end]);
            at = end;
        } else {
            at += 1;
        }
    }
    found
}

/// Where the part that begins at `start` ends; its first character counts as an end, too.
fn end_of_part(text: &[char], start: usize, middle: fn(char) -> bool, last: fn(char) -> bool) -> usize {
    let mut end = start + 1;
    for (at, c) in text.iter().enumerate().skip(start + 1) {
        if !middle(*c) {
            break;
        }
        if last(*c) {
            end = at + 1;
        }
    }
    end
}

/// The StatefulSet of a rack. `cluster` is Cassandra's name of the cluster, `datacenter` the name of the object.
#[must_use]
pub fn stateful_set(cluster: &str, datacenter: &str, rack: &str) -> String {
    format!(
        "{}-{}-{}-sts",
        cleanup_for_kubernetes(cluster),
        cleanup_for_kubernetes(datacenter),
        cleanup_subdomain(rack)
    )
}

/// A pod of a rack.
#[must_use]
pub fn pod(cluster: &str, datacenter: &str, rack: &str, ordinal: usize) -> String {
    format!("{}-{ordinal}", stateful_set(cluster, datacenter, rack))
}

/// The service over the seed pods of a cluster in one namespace.
#[must_use]
pub fn seed_service(cluster: &str) -> String {
    format!("{}-seed-service", cleanup_for_kubernetes(cluster))
}

/// The service over seeds that are not in the datacenter's own namespace. `datacenter` is the name of the object.
#[must_use]
pub fn additional_seed_service(cluster: &str, datacenter: &str) -> String {
    format!(
        "{}-{}-additional-seed-service",
        cleanup_for_kubernetes(cluster),
        cleanup_for_kubernetes(datacenter)
    )
}

/// The service over all pods of a datacenter, ready or not.
#[must_use]
pub fn all_pods_service(cluster: &str, datacenter: &str) -> String {
    format!(
        "{}-{}-all-pods-service",
        cleanup_for_kubernetes(cluster),
        cleanup_for_kubernetes(datacenter)
    )
}

/// The service in the control plane by which clients find a datacenter. `datacenter` is Cassandra's name of it.
#[must_use]
pub fn contact_points_service(cluster: &str, datacenter: &str) -> String {
    format!(
        "{}-{}-contact-points-service",
        cleanup_for_kubernetes(cluster),
        cleanup_for_kubernetes(datacenter)
    )
}

/// The Stargate and the Reaper that upstream makes beside a datacenter. `datacenter` is Cassandra's name of it.
#[must_use]
pub fn addons(cluster: &str, datacenter: &str) -> [String; 2] {
    ["stargate", "reaper"].map(|addon| cleanup_for_kubernetes(&format!("{cluster}-{datacenter}-{addon}")))
}

/// ConfigMap of the metrics agent. `datacenter` is Cassandra's name of the datacenter.
#[must_use]
pub fn metrics_agent_config_map(cluster: &str, datacenter: &str) -> String {
    cleanup_for_kubernetes(&format!("{cluster}-{datacenter}-metrics-agent-config"))
}

/// ConfigMap of the Vector agent beside Cassandra. `datacenter` is Cassandra's name of the datacenter.
#[must_use]
pub fn vector_config_map(cluster: &str, datacenter: &str) -> String {
    let cluster = cleanup_for_kubernetes(cluster);
    cleanup_for_kubernetes(&format!("{cluster}-{datacenter}-cass-vector"))
}

/// ConfigMap with the generated configuration of single nodes. `datacenter` is Cassandra's name of the datacenter.
#[must_use]
pub fn per_node_config_map(cluster: &str, datacenter: &str) -> String {
    cleanup_for_kubernetes(&format!("{cluster}-{datacenter}-per-node-config"))
}

/// The superuser Secret that is made where the user names none.
#[must_use]
pub fn superuser_secret(cluster: &str) -> String {
    format!("{}-superuser", cleanup_for_kubernetes(cluster))
}

/// The Secret with Reaper's user in Cassandra that is made where the user names none.
#[must_use]
pub fn reaper_secret(cluster: &str) -> String {
    format!("{}-reaper", cleanup_for_kubernetes(cluster))
}

/// The Secret with the user of Reaper's page that is made where the user names none.
#[must_use]
pub fn reaper_ui_secret(cluster: &str) -> String {
    format!("{}-reaper-ui", cleanup_for_kubernetes(cluster))
}

/// Medusa's ConfigMap, and the Secret of its user in Cassandra that is made where the user names none.
#[must_use]
pub fn medusa(cluster: &str) -> String {
    format!("{}-medusa", cleanup_for_kubernetes(cluster))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_label_stays_as_it_is() {
        assert_eq!(cleanup_for_kubernetes("my-cluster1"), "my-cluster1");
        assert_eq!(cleanup_for_kubernetes("a"), "a");
    }

    #[test]
    fn of_any_other_name_the_valid_parts_are_put_together() {
        for (name, cleaned) in [
            ("Not K8s_Compliant", "notk8s-compliant"),
            ("Weird Cluster Name", "weirdclustername"),
            ("1abc", "abc"),
            ("-a-", "a"),
            ("a- b", "ab"),
            ("Prod.East", "prodeast"),
            ("DC_1", "dc-1"),
            ("x_1_", "x-1"),
            ("\u{fc}ber", "ber"),
            ("123", ""),
        ] {
            assert_eq!(cleanup_for_kubernetes(name), cleaned, "{name}");
        }
    }

    #[test]
    fn a_label_that_is_too_long_is_cleaned_but_not_cut() {
        let long = "a".repeat(70);
        assert!(!is_dns_1035_label(&long));
        assert_eq!(cleanup_for_kubernetes(&long), long);
    }

    #[test]
    fn a_subdomain_keeps_dots_between_its_labels_and_leading_digits() {
        for (name, cleaned) in [
            ("rack1", "rack1"),
            ("1a", "1a"),
            ("Rack 1", "rack1"),
            ("Zone.A", "zone.a"),
            ("a-.b", "ab"),
            ("a..b", "ab"),
            ("Rack_A.", "rack-a"),
        ] {
            assert_eq!(cleanup_subdomain(name), cleaned, "{name}");
        }
    }

    #[test]
    fn a_label_value_loses_spaces_and_keeps_case() {
        for (value, cleaned) in [
            ("Weird Cluster Name", "WeirdClusterName"),
            ("DC_1", "DC_1"),
            ("-a_-", "a"),
            ("a/b", "ab"),
            ("", ""),
        ] {
            assert_eq!(clean_label_value(value), cleaned, "{value}");
        }
    }

    #[test]
    fn names_of_objects_are_those_of_cass_operator() {
        assert_eq!(
            stateful_set("My Cluster", "dc1", "Rack_1"),
            "mycluster-dc1-rack-1-sts"
        );
        assert_eq!(pod("demo", "dc1", "default", 2), "demo-dc1-default-sts-2");
        assert_eq!(seed_service("demo"), "demo-seed-service");
        assert_eq!(
            additional_seed_service("demo", "dc2"),
            "demo-dc2-additional-seed-service"
        );
        assert_eq!(all_pods_service("demo", "dc2"), "demo-dc2-all-pods-service");
        assert_eq!(
            contact_points_service("demo", "Real DC"),
            "demo-realdc-contact-points-service"
        );
        assert_eq!(
            metrics_agent_config_map("My Cluster", "DC_2"),
            "mycluster-dc-2-metrics-agent-config"
        );
        assert_eq!(
            vector_config_map("Weird Cluster Name", "DC_1"),
            "weirdclustername-dc-1-cass-vector"
        );
        assert_eq!(
            per_node_config_map("test", "real-dc2"),
            "test-real-dc2-per-node-config"
        );
        assert_eq!(superuser_secret("My Cluster"), "mycluster-superuser");
    }
}
