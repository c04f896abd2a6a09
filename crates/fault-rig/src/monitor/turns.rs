//! P7: datacenters of one cluster come, change and go one after another.
//!
//! A datacenter is *busy* while an operation on it is under way, as far as its own object tells: it has not been initialized,
//! cass-operator has not answered its last spec or is still at it, it is being deleted, or it was ready and is not. One that
//! is stopped is at rest when cass-operator says so. A change of one that is busy itself mends it: it may be made beside others.

use serde_json::Value;

use super::owner;
use super::sight::{DATACENTERS, Look, Sight, holds, is_going, text};

pub(super) fn check(sight: &Sight<'_>) -> Vec<String> {
    if sight.write.plural != "cassandradatacenters" || sight.program().is_none() {
        return Vec::new();
    }
    let Some(act) = disruption(sight) else {
        return Vec::new();
    };
    let Some(object) = sight.before().or(sight.after()) else {
        return Vec::new();
    };
    let Some(uid) = owner::mark(object).map(str::to_owned) else {
        return Vec::new();
    };
    busy(sight.look, &uid, object)
        .map(|(name, why)| format!("P7: it is {act} while datacenter {name} {why}"))
        .into_iter()
        .collect()
}

/// What the write does to its datacenter, if that disturbs anything.
fn disruption(sight: &Sight<'_>) -> Option<&'static str> {
    let generation = |object: &Value| object["metadata"]["generation"].as_i64();
    match (sight.before(), sight.after()) {
        (None, Some(_)) => Some("created"),
        (Some(_), _) if sight.deletes() => Some("deleted"),
        (Some(before), Some(after)) if generation(before) != generation(after) => {
            occupation(before).is_none().then_some("changed")
        }
        _ => None,
    }
}

/// Another datacenter of the same cluster that is busy, and with what.
fn busy(look: &dyn Look, uid: &str, but: &Value) -> Option<(String, &'static str)> {
    look.planes().into_iter().find_map(|plane| {
        let all = look.all(plane, DATACENTERS);
        let others = all
            .iter()
            .filter(|it| owner::mark(it) == Some(uid) && it["metadata"]["uid"] != but["metadata"]["uid"]);
        let mut busy = others.filter_map(|it| Some((text(it, "/metadata/name").to_owned(), occupation(it)?)));
        busy.next()
    })
}

fn occupation(datacenter: &Value) -> Option<&'static str> {
    let observed = datacenter
        .pointer("/status/observedGeneration")
        .and_then(Value::as_i64);
    if is_going(datacenter) {
        return Some("is being deleted");
    }
    if observed != datacenter["metadata"]["generation"].as_i64() {
        return Some("has not been looked at by cass-operator");
    }
    if text(datacenter, "/status/cassandraOperatorProgress") == "Updating" {
        return Some("is being worked on");
    }
    if datacenter["spec"]["stopped"] == true {
        return None;
    }
    if !holds(datacenter, "Initialized") {
        return Some("has not joined yet");
    }
    (!holds(datacenter, "Ready")).then_some("is not ready")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::{Planes, but, datacenter, going, said, write};
    use super::*;

    fn created_beside(other: &Value) -> Vec<String> {
        let asked = write(
            "cluster-reconciler",
            "create",
            "cassandradatacenters",
            None,
            Some(datacenter("dc2", 1)),
        );
        said(
            check,
            "west",
            &asked,
            &Planes::default().with("east", DATACENTERS, other),
        )
    }

    #[test]
    fn nothing_is_done_to_a_datacenter_while_another_is_busy() {
        let dc = datacenter("dc1", 1);
        let busy = [
            going(dc.clone()),
            but(dc.clone(), "/metadata/generation", json!(2)),
            but(dc.clone(), "/status/cassandraOperatorProgress", json!("Updating")),
            but(dc.clone(), "/status/conditions", json!([])),
            but(dc.clone(), "/status/conditions/1/status", json!("False")),
        ];
        for other in busy {
            assert_eq!(created_beside(&other).len(), 1, "{other}");
        }
        assert_eq!(created_beside(&dc), [""; 0]);
    }

    #[test]
    fn a_stopped_datacenter_is_at_rest() {
        let stopped = but(datacenter("dc1", 1), "/spec/stopped", json!(true));
        let stopped = but(stopped, "/status/conditions/1/status", json!("False"));
        assert_eq!(created_beside(&stopped), [""; 0]);
    }

    #[test]
    fn one_in_trouble_may_be_mended_beside_another() {
        let planes = Planes::default().with("east", DATACENTERS, &going(datacenter("dc1", 1)));
        for (ready, count) in [("True", 1), ("False", 0)] {
            let before = but(datacenter("dc2", 1), "/status/conditions/1/status", json!(ready));
            let after = but(before.clone(), "/metadata/generation", json!(2));
            let asked = write(
                "cluster-reconciler",
                "apply",
                "cassandradatacenters",
                Some(before),
                Some(after),
            );
            assert_eq!(said(check, "west", &asked, &planes).len(), count, "{ready}");
        }
    }

    #[test]
    fn another_clusters_datacenters_do_not_count() {
        let mark = "/metadata/annotations/ringspan.io~1cluster-uid";
        let other = but(going(datacenter("dc1", 1)), mark, json!("kc-2"));
        assert_eq!(created_beside(&other), [""; 0]);
    }

    #[test]
    fn only_what_disturbs_takes_turns() {
        let planes = Planes::default().with("east", DATACENTERS, &going(datacenter("dc1", 1)));
        let before = datacenter("dc2", 1);
        let told = but(before.clone(), "/metadata/annotations/a", json!("b"));
        let grown = but(
            but(before.clone(), "/spec/size", json!(2)),
            "/metadata/generation",
            json!(2),
        );
        for (after, count) in [(Some(told), 0), (Some(grown), 1), (None, 1)] {
            let asked = write(
                "cluster-reconciler",
                "apply",
                "cassandradatacenters",
                Some(before.clone()),
                after,
            );
            assert_eq!(said(check, "west", &asked, &planes).len(), count);
        }
    }
}
