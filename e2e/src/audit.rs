//! Who read and wrote what, from an API server's audit log.

mod tally;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

pub use tally::{Count, Detail, Row, Tally};

/// Reads an audit log as it grows.
#[derive(Debug)]
pub struct AuditLog {
    plane: String,
    path: PathBuf,
    read_to: u64,
    entries: Vec<Entry>,
}

/// One answered request, or one watch that began.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Entry {
    /// Name of the API server.
    pub plane: String,
    /// As the API server authenticated it: `system:serviceaccount:<namespace>:<name>` or the name in a certificate.
    pub user: String,
    /// `User-Agent` as sent.
    pub user_agent: String,
    /// `create`, `update`, `patch`, `delete`, `deletecollection`, `get`, `list` or `watch`.
    pub verb: String,
    /// API group; empty for the core group.
    pub group: String,
    /// Plural of the resource; empty for what is none (`/readyz`, discovery).
    pub resource: String,
    /// `status`, `token` ...; empty for the object itself.
    pub subresource: String,
    /// Empty for what has none.
    pub namespace: String,
    /// Empty for lists, and for objects whose name the server makes.
    pub name: String,
    /// HTTP status of the answer.
    pub code: u16,
    /// Reason of a refusal (`Conflict`, `AlreadyExists`, `NotFound` ...), where the server gave one.
    pub reason: String,
    /// The `fieldManager` parameter.
    pub field_manager: String,
    /// Whether it was a dry run, which writes nothing.
    pub dry_run: bool,
    /// When the answer was given: RFC 3339 in UTC with microseconds, so text order is time order.
    pub at: String,
}

impl Entry {
    /// A request to change an object, whether or not it succeeded. Dry runs, reviews and token requests store nothing and
    /// are none.
    #[must_use]
    pub fn is_write(&self) -> bool {
        let stores = !matches!(
            self.group.as_str(),
            "authentication.k8s.io" | "authorization.k8s.io"
        );
        let verb = matches!(
            self.verb.as_str(),
            "create" | "update" | "patch" | "delete" | "deletecollection"
        );
        verb && stores && self.subresource != "token" && !self.dry_run && !self.resource.is_empty()
    }

    /// A request to see objects. A watch counts once, when it begins. Discovery and health are none.
    #[must_use]
    pub fn is_read(&self) -> bool {
        matches!(self.verb.as_str(), "get" | "list" | "watch") && !self.resource.is_empty()
    }

    /// 409: a stale version, or an object that exists already (see `reason`).
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.code == 409
    }

    /// An Event, of either group.
    #[must_use]
    pub fn is_event(&self) -> bool {
        self.resource == "events"
    }

    /// Whether the user is a ServiceAccount of this namespace; with a name, that one.
    #[must_use]
    pub fn is_by(&self, namespace: &str, account: Option<&str>) -> bool {
        let prefix = format!("system:serviceaccount:{namespace}:");
        let name = self.user.strip_prefix(&prefix);
        name.is_some_and(|name| account.is_none_or(|account| account == name))
    }

    /// Which of our programs it was, without the prefix `ringspan-`. In a data plane several share one ServiceAccount, so what a
    /// program says of itself comes first: User-Agent, then field manager, then the name of the account.
    #[must_use]
    pub fn program(&self) -> &str {
        let agent = self.user_agent.split(['/', ' ']).next().unwrap_or_default();
        let account = self.user.rsplit(':').next().unwrap_or_default();
        [agent, &self.field_manager]
            .into_iter()
            .find_map(|name| name.strip_prefix("ringspan-"))
            .unwrap_or_else(|| account.strip_prefix("ringspan-").unwrap_or(account))
    }
}

impl AuditLog {
    /// A reader that begins at the beginning of the file, which may not be there yet.
    #[must_use]
    pub fn open(plane: &str, path: &Path) -> Self {
        Self {
            plane: plane.to_owned(),
            path: path.to_owned(),
            read_to: 0,
            entries: Vec::new(),
        }
    }

    /// Reads what was added and returns all entries, in the order of their answers. A line that is still being written is left
    /// for the next time.
    ///
    /// # Errors
    /// The file cannot be read, or a whole line of it is no audit event.
    pub fn refresh(&mut self) -> anyhow::Result<&[Entry]> {
        let what = || format!("audit log of {}", self.plane);
        if self.path.exists() {
            let mut text = Vec::new();
            let mut file = File::open(&self.path).with_context(what)?;
            file.seek(SeekFrom::Start(self.read_to)).with_context(what)?;
            file.read_to_end(&mut text).with_context(what)?;
            let whole = text
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |last| last + 1);
            for line in text[..whole]
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
            {
                let event: Event = serde_json::from_slice(line).with_context(what)?;
                self.entries.extend(event.entry(&self.plane));
            }
            self.read_to += u64::try_from(whole)?;
        }
        Ok(&self.entries)
    }

    /// How many entries have been read: entries from this index on are new after the next [`AuditLog::refresh`].
    #[must_use]
    pub fn mark(&self) -> usize {
        self.entries.len()
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Event {
    stage: String,
    verb: String,
    #[serde(rename = "requestURI")]
    request_uri: String,
    user: User,
    user_agent: String,
    object_ref: ObjectRef,
    response_status: ResponseStatus,
    stage_timestamp: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct User {
    username: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ObjectRef {
    api_group: String,
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ResponseStatus {
    code: u16,
    reason: String,
}

impl Event {
    /// `None` for the end of a watch that was counted when it began.
    fn entry(self, plane: &str) -> Option<Entry> {
        let refused = self.response_status.code >= 400;
        if self.verb == "watch" && self.stage == "ResponseComplete" && !refused {
            return None;
        }
        let parameter = |name: &str| parameter(&self.request_uri, name).unwrap_or_default().to_owned();
        Some(Entry {
            plane: plane.to_owned(),
            field_manager: parameter("fieldManager"),
            dry_run: !parameter("dryRun").is_empty(),
            user: self.user.username,
            user_agent: self.user_agent,
            verb: self.verb,
            group: self.object_ref.api_group,
            resource: self.object_ref.resource,
            subresource: self.object_ref.subresource,
            namespace: self.object_ref.namespace,
            name: self.object_ref.name,
            code: self.response_status.code,
            reason: self.response_status.reason,
            at: self.stage_timestamp,
        })
    }
}

fn parameter<'a>(uri: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = uri.split_once('?')?;
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

#[cfg(test)]
mod tests;
