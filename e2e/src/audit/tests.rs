use std::fs::OpenOptions;
use std::io::Write;

use serde_json::json;

use super::*;

fn line(verb: &str, stage: &str, uri: &str, resource: &str, code: u16) -> String {
    let event = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": "1",
        "stage": stage, "requestURI": uri, "verb": verb,
        "user": { "username": "system:serviceaccount:ringspan:ringspan-status-rollup", "groups": [] },
        "userAgent": "curl/8",
        "objectRef": { "resource": resource, "namespace": "db", "name": "demo", "apiVersion": "v1" },
        "responseStatus": { "metadata": {}, "code": code },
        "stageTimestamp": "2026-01-01T00:00:00.000000Z"
    });
    format!("{event}\n")
}

fn entry(program: &str, verb: &str, resource: &str, code: u16) -> Entry {
    Entry {
        plane: "east".into(),
        user: format!("system:serviceaccount:ringspan:{program}"),
        verb: verb.into(),
        resource: resource.into(),
        namespace: "db".into(),
        name: "demo".into(),
        code,
        ..Entry::default()
    }
}

#[test]
fn a_line_that_is_still_being_written_waits_for_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let mut log = AuditLog::open("east", &path);
    assert_eq!(log.refresh().unwrap(), [], "a log that is not there yet is empty");

    let whole = line("create", "ResponseComplete", "/api/v1/x", "secrets", 201);
    let (first, rest) = whole.split_at(40);
    let mut file = OpenOptions::new().create(true).append(true).open(&path).unwrap();
    file.write_all(whole.as_bytes()).unwrap();
    file.write_all(first.as_bytes()).unwrap();
    assert_eq!(log.refresh().unwrap().len(), 1);
    file.write_all(rest.as_bytes()).unwrap();
    assert_eq!(log.refresh().unwrap().len(), 2);
}

#[test]
fn a_watch_counts_once_when_it_begins_or_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let uri = "/api/v1/secrets?watch=true";
    let text = [
        line("watch", "ResponseStarted", uri, "secrets", 200),
        line("watch", "ResponseComplete", uri, "secrets", 200),
        line("watch", "ResponseComplete", uri, "secrets", 403),
    ];
    std::fs::write(&path, text.concat()).unwrap();
    let mut log = AuditLog::open("east", &path);
    let codes: Vec<u16> = log.refresh().unwrap().iter().map(|entry| entry.code).collect();
    assert_eq!(codes, [200, 403]);
}

#[test]
fn a_dry_run_a_review_and_a_token_are_no_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let uri = "/api/v1/namespaces/db/secrets/demo?fieldManager=ringspan-x&dryRun=All&force=true";
    std::fs::write(&path, line("patch", "ResponseComplete", uri, "secrets", 200)).unwrap();
    let mut log = AuditLog::open("east", &path);
    let dry = log.refresh().unwrap()[0].clone();
    assert!(dry.dry_run && !dry.is_write());
    assert_eq!(dry.field_manager, "ringspan-x");

    let wet = Entry {
        dry_run: false,
        ..dry
    };
    assert!(wet.is_write());
    assert!(
        !Entry {
            subresource: "token".into(),
            ..wet.clone()
        }
        .is_write()
    );
    assert!(
        !Entry {
            group: "authorization.k8s.io".into(),
            ..wet
        }
        .is_write()
    );
}

#[test]
fn a_program_is_known_by_its_agent_then_its_manager_then_its_account() {
    let by_account = entry("ringspan-status-rollup", "get", "secrets", 200);
    assert_eq!(by_account.program(), "status-rollup");
    let by_manager = Entry {
        field_manager: "ringspan-topology-reconciler".into(),
        ..by_account
    };
    assert_eq!(by_manager.program(), "topology-reconciler");
    let by_agent = Entry {
        user_agent: "ringspan-secret-replicator/0.1.0".into(),
        ..by_manager
    };
    assert_eq!(by_agent.program(), "secret-replicator");
    assert_eq!(entry("join", "get", "secrets", 200).program(), "join");
}

#[test]
fn an_account_is_matched_whole() {
    let entry = entry("rollup", "get", "secrets", 200);
    assert!(entry.is_by("ringspan", None));
    assert!(entry.is_by("ringspan", Some("rollup")));
    assert!(!entry.is_by("ringspan", Some("roll")));
    assert!(!entry.is_by("ring", None));
}

#[test]
fn the_table_has_one_order_and_keeps_events_apart() {
    let entries = [
        entry("b", "patch", "secrets", 409),
        entry("b", "create", "events", 201),
        entry("a", "create", "secrets", 201),
        entry("b", "patch", "secrets", 200),
        entry("b", "delete", "secrets", 404),
    ];
    let by_kind = Tally::of(&entries, Detail::Kind);
    let table = "a  secrets  create     1
b  secrets  delete     1  (0 conflicts, 1 refused)
b  secrets  patch      2  (1 conflicts, 0 refused)
b  events   create     1
total 4, events 1, conflicts 1";
    assert_eq!(by_kind.to_string(), table);
    assert_eq!(Tally::of(entries.iter().rev(), Detail::Kind), by_kind);
    assert_eq!((by_kind.total_by("a"), by_kind.total_by("b")), (1, 3));

    let by_object = Tally::of(&entries[2..3], Detail::Object);
    assert_eq!(
        by_object.to_string(),
        "a  secrets  create     1  east  db/demo\ntotal 1, events 0, conflicts 0"
    );
}
