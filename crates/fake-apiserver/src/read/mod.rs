//! Get, list and watch.

mod list;
mod pages;
mod table;

use serde_json::Value;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::failure::{Cause, Failure};
use crate::selectors::Selection;
use crate::server::Server;
use crate::state::State;
use crate::watch::{Begin, WatchStream};

pub(crate) use list::{list, selected};

pub(crate) fn get(state: &State, ask: &Ask<'_>) -> Result<Answer, Failure> {
    let table = state.table(ask.kind.table);
    let key = ask.key();
    check_version(state, ask)?;
    let object = match ask.as_of {
        Some(version) => table.get_at(&key, version),
        None => table.objects.get(&key).cloned(),
    };
    let object = object.ok_or_else(|| Failure::not_found(&ask.kind, ask.name))?;
    let mut text = Vec::new();
    if ask.subresource == "scale" {
        let scale = crate::kinds::scale(&ask.kind, &object.value);
        return Ok(Answer::json(200, scale.to_string()));
    }
    if table::is_wanted(ask) {
        let metadata = serde_json::json!({"resourceVersion": object.version.to_string()});
        text = table::of(state, ask, metadata, std::iter::once(&object));
    } else if ask.wants_metadata() {
        object.write_metadata(&mut text);
    } else {
        object.write(&ask.kind, ask.shown, &mut text);
    }
    Ok(Answer::json(200, text))
}

/// Nobody has seen a version that has not been yet.
fn check_version(state: &State, ask: &Ask<'_>) -> Result<(), Failure> {
    let now = ask.as_of.unwrap_or(state.version);
    let Some(wanted) = version_parameter(ask)? else {
        return Ok(());
    };
    if wanted <= now {
        return Ok(());
    }
    let cause = Cause::new("ResourceVersionTooLarge", "", "Too large resource version");
    let message = format!("Timeout: Too large resource version: {wanted}, current: {now}");
    Err(Failure::new(504, "Timeout", message)
        .caused(&[cause])
        .retry_after(1))
}

fn version_parameter(ask: &Ask<'_>) -> Result<Option<u64>, Failure> {
    let Some(text) = ask.query.get("resourceVersion") else {
        return Ok(None);
    };
    let version = text.parse().map_err(|_| {
        let value = Value::from(text.as_ref());
        let why = format!(
            "resourceVersion: Invalid value: {value}: strconv.ParseUint: parsing {value}: invalid syntax"
        );
        let lists = ask.name.is_empty() && !ask.query.flag("watch");
        if lists {
            Failure::bad_request(format!("invalid resource version: {why}"))
        } else {
            Failure::new(500, "", why)
        }
    })?;
    Ok(Some(version))
}

fn selection(ask: &Ask<'_>) -> Result<Selection, Failure> {
    let mut fields = ask.query.get("fieldSelector").map(std::borrow::Cow::into_owned);
    if !ask.name.is_empty() {
        // `watch` of one object by its path.
        fields = Some(format!("metadata.name={}", ask.name));
    }
    Selection::parse(
        Some(ask.namespace).filter(|namespace| !namespace.is_empty()),
        ask.query.get("labelSelector").as_deref(),
        fields.as_deref(),
        |path| crate::kinds::selectable(&ask.kind, path),
        |path| crate::kinds::not_selectable(&ask.kind, path),
    )
}

pub(crate) fn watch(server: &Server, state: &State, ask: &Ask<'_>) -> Result<Answer, Failure> {
    let query = ask.query;
    let streams = query.flag("sendInitialEvents");
    check_initial_events(ask)?;
    let version = version_parameter(ask)?;
    let selection = selection(ask)?;
    let now = ask.as_of.unwrap_or(state.version);
    let table = state.table(ask.kind.table);
    let starts_with_objects = version.is_none_or(|version| version == 0);
    let objects = if streams || (starts_with_objects && !query.has("sendInitialEvents")) {
        let objects = match ask.as_of {
            Some(version) => table.at(version),
            None => table.objects.clone(),
        };
        let selected = objects.into_values().filter(|object| selection.has(object));
        selected.collect()
    } else {
        Vec::new()
    };
    let from = if streams || starts_with_objects {
        now
    } else {
        version.unwrap_or(now)
    };
    let oldest = state.oldest(ask.kind.table);
    let expired = (from < oldest).then(|| {
        let message = format!("too old resource version: {from} ({oldest})");
        Failure::expired(message).status()
    });
    let begin = Begin {
        kind: std::sync::Arc::clone(&ask.kind),
        selection,
        objects,
        from,
        until: ask.as_of,
        expired,
        bookmarks: query.flag("allowWatchBookmarks"),
        says_when_complete: streams,
        metadata_only: ask.wants_metadata(),
        shown: ask.shown,
        seconds: query.number("timeoutSeconds"),
        cuts: state.cuts,
        served_version: state.served_version,
    };
    Ok(Answer::watch(WatchStream::new(server.clone(), begin)))
}

fn check_initial_events(ask: &Ask<'_>) -> Result<(), Failure> {
    const FIELD: &str = "resourceVersionMatch";
    let version_match = ask.query.get(FIELD);
    let initial = ask.query.has("sendInitialEvents");
    let required = || {
        Cause::forbidden(
            FIELD,
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        )
    };
    let causes = match version_match.as_deref() {
        Some(_) if !initial => vec![Cause::forbidden(
            FIELD,
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        )],
        Some("NotOlderThan") => return Ok(()),
        None if !initial => return Ok(()),
        None => vec![required()],
        Some(other) => {
            let message = format!("Unsupported value: {other:?}: supported values: \"NotOlderThan\"");
            vec![required(), Cause::new("FieldValueNotSupported", FIELD, message)]
        }
    };
    Err(Failure::invalid_named("meta.k8s.io", "ListOptions", "", &causes))
}
