//! The audit log of a server in memory, with the lines that kube-apiserver would write.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use bytes::Bytes;
use fake_apiserver::{Answer, Attributes, Body, User};
use http::Request;
use http::header::USER_AGENT;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

/// Where the lines go.
pub(super) struct Record(Mutex<File>);

impl Record {
    pub(super) fn at(path: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.with_context(|| format!("{}: cannot be written", path.display()))?;
        Ok(Self(Mutex::new(file)))
    }

    /// One line for an answer that is about to be given. A watch has one when it begins and none when it ends, which no reader of
    /// ours counts.
    pub(super) fn add(&self, user: Option<&User>, request: &Request<Bytes>, answer: &Answer) {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // With the lock, so that the order of lines is that of their times.
        let line = format!("{}\n", event(user, request, answer, Timestamp::now()));
        // As a whole, so that no reader sees half a line where a write is small. A full disk shows in what is read.
        let _ = file.write_all(line.as_bytes());
    }
}

fn event(user: Option<&User>, request: &Request<Bytes>, answer: &Answer, now: Timestamp) -> Value {
    let attributes = Attributes::of(request.method(), request.uri());
    let stage = match answer.body {
        Body::Watch(_) => "ResponseStarted",
        Body::Whole(_) => "ResponseComplete",
    };
    let agent = request
        .headers()
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let uri = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let mut event = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": stage,
        "requestURI": uri, "verb": attributes.verb,
        "user": user.map_or_else(|| json!({}), |user| json!({"username": user.name, "groups": user.groups})),
        "userAgent": agent, "responseStatus": status(answer), "stageTimestamp": format!("{now:.6}"),
    });
    if !attributes.resource.is_empty() {
        event["objectRef"] = object(&attributes, request.body());
    }
    event
}

/// Fields that are empty are left out.
fn object(attributes: &Attributes, body: &Bytes) -> Value {
    let mut object = json!({"resource": attributes.resource, "apiVersion": attributes.version});
    let name = if attributes.name.is_empty() && attributes.verb == "create" {
        name_in(body)
    } else {
        attributes.name.clone()
    };
    let parts = [
        ("namespace", &attributes.namespace),
        ("name", &name),
        ("apiGroup", &attributes.group),
        ("subresource", &attributes.subresource),
    ];
    for (field, text) in parts.into_iter().filter(|(_, text)| !text.is_empty()) {
        object[field] = text.clone().into();
    }
    object
}

/// A new object is named in the body alone; one whose name the server makes has none in either.
fn name_in(body: &Bytes) -> String {
    let object: Value = serde_json::from_slice(body).unwrap_or_default();
    let name = object.pointer("/metadata/name").and_then(Value::as_str);
    name.unwrap_or_default().to_owned()
}

fn status(answer: &Answer) -> Value {
    let mut status = json!({"metadata": {}, "code": answer.status.as_u16()});
    if answer.status.is_success() {
        return status;
    }
    if let Body::Whole(body) = &answer.body {
        let said: Value = serde_json::from_slice(body).unwrap_or_default();
        for field in ["status", "message", "reason"] {
            if let Some(text) = said.get(field) {
                status[field] = text.clone();
            }
        }
    }
    status
}

#[cfg(test)]
mod tests {
    use fake_apiserver::{Options, Server};

    use super::*;
    use crate::AuditLog;

    fn ask(method: &str, uri: &str, body: &Value) -> Request<Bytes> {
        Request::builder()
            .method(method)
            .uri(uri)
            .header(USER_AGENT, "ringspan-test/1")
            .body(body.to_string().into())
            .unwrap()
    }

    /// By the reader that reads the logs of real servers, too.
    #[tokio::test]
    async fn what_is_asked_reads_as_it_would_from_a_real_servers_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let (record, server) = (Record::at(&path).unwrap(), Server::new(Options::default()));
        let maps = "/api/v1/namespaces/default/configmaps";
        let (admin, nobody) = (User::admin(), User::service_account("db", "nobody"));
        let named = json!({"metadata": {"name": "one"}});
        let asked = [
            (&admin, ask("POST", &format!("{maps}?fieldManager=me"), &named)),
            (&admin, ask("POST", &format!("{maps}?dryRun=All"), &named)),
            (
                &admin,
                ask(
                    "GET",
                    &format!("https://localhost{maps}?watch=true"),
                    &Value::Null,
                ),
            ),
            (&nobody, ask("GET", &format!("{maps}/one"), &Value::Null)),
        ];
        for (user, request) in &asked {
            record.add(Some(user), request, &server.answer(user, request));
        }
        let stranger = ask("GET", "/apis", &Value::Null);
        record.add(None, &stranger, &Answer::unauthorized());

        let mut log = AuditLog::open("east", &path);
        let entries = log.refresh().unwrap();
        let seen: Vec<_> = entries
            .iter()
            .map(|it| {
                let who = it.user.rsplit(':').next().unwrap_or_default();
                format!(
                    "{who} {} {}/{} {} {}",
                    it.verb, it.resource, it.name, it.code, it.reason
                )
            })
            .collect();
        let expected = [
            "admin create configmaps/one 201 ",
            "admin create configmaps/one 409 AlreadyExists",
            "admin watch configmaps/ 200 ",
            "nobody get configmaps/one 403 Forbidden",
            " get / 401 Unauthorized",
        ];
        assert_eq!(seen, expected);
        assert!(entries[0].is_write() && entries[0].field_manager == "me");
        assert!(entries[1].dry_run && !entries[1].is_write());
        assert!(
            entries
                .iter()
                .all(|entry| entry.program() != "" || entry.code == 401)
        );
        assert!(entries.is_sorted_by(|one, next| one.at <= next.at));
    }
}
