//! Lists, whole or in pages.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use serde_json::json;

use super::pages::Page;
use super::{check_version, selection, table, version_parameter};
use crate::answer::Answer;
use crate::ask::Ask;
use crate::failure::{Cause, Failure};
use crate::object::Object;
use crate::state::{Key, State};

pub(crate) fn list(state: &State, ask: &Ask<'_>) -> Result<Answer, Failure> {
    let token = ask.query.get("continue");
    check_match(ask, token.is_some())?;
    let selection = selection(ask)?;
    let (exact, limit) = page(ask);
    let now = ask.as_of.unwrap_or(state.version);
    let (version, after) = if let Some(token) = &token {
        continued(state, ask, token, now)?
    } else {
        check_version(state, ask)?;
        let wanted = version_parameter(ask)?.filter(|_| exact);
        (wanted.unwrap_or(now), None)
    };
    if exact && version < state.oldest(ask.kind.table) {
        return Err(Failure::expired(
            "The resourceVersion for the provided list is too old.",
        ));
    }
    let table = state.table(ask.kind.table);
    let past;
    let objects = if version < state.version {
        past = table.at(version);
        &past
    } else {
        &table.objects
    };
    let most = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let mut here = range(objects, ask.namespace, after.as_deref());
    let mut items: Vec<(&Key, &Arc<Object>)> = Vec::new();
    while items.len() < most
        && let Some((key, object)) = here.next()
    {
        if selection.has(object) {
            items.push((key, object));
        }
    }
    // Whether any of these is selected is not known before they are read.
    let left = here.count();
    let mut metadata = json!({"resourceVersion": version.to_string()});
    if !ask.kind.built_in && !ask.wants_metadata() {
        metadata["continue"] = "".into();
    }
    if let (true, Some((last, _))) = (left > 0, items.last()) {
        metadata["continue"] = Page::new(i64::try_from(version).unwrap_or_default(), last)
            .token()
            .into();
        if selection.is_everything() {
            metadata["remainingItemCount"] = left.into();
        }
    }
    if table::is_wanted(ask) {
        let objects = items.iter().map(|(_, object)| *object);
        return Ok(Answer::json(200, table::of(state, ask, metadata, objects)));
    }
    Ok(Answer::json(200, text(ask, &metadata, &items)))
}

/// Whether the state at the version is wanted and no later one, and how much of it at most.
fn page(ask: &Ask<'_>) -> (bool, Option<u64>) {
    let limit = ask.query.number("limit").filter(|limit| *limit > 0);
    let version_match = ask.query.get("resourceVersionMatch");
    match (
        version_match.as_deref(),
        ask.query.get("resourceVersion").as_deref(),
    ) {
        (Some("Exact"), _) => (true, limit),
        // What is at hand is given whole.
        (None, Some("0")) if !ask.query.has("continue") => (false, None),
        // From the time before there were matches.
        (None, Some(_)) => (limit.is_some(), limit),
        _ => (false, limit),
    }
}

/// The objects that a deletion of a collection is about.
pub(crate) fn selected(state: &State, ask: &Ask<'_>) -> Result<Vec<(Key, Arc<Object>)>, Failure> {
    let selection = selection(ask)?;
    let objects = &state.table(ask.kind.table).objects;
    let here = range(objects, ask.namespace, None).filter(|(_, object)| selection.has(object));
    Ok(here
        .map(|(key, object)| (Key::clone(key), Arc::clone(object)))
        .collect())
}

fn check_match(ask: &Ask<'_>, continues: bool) -> Result<(), Failure> {
    let Some(version_match) = ask.query.get("resourceVersionMatch") else {
        return Ok(());
    };
    let version = ask.query.get("resourceVersion");
    let cause = if continues {
        Cause::forbidden(
            "resourceVersionMatch",
            "resourceVersionMatch is forbidden when continue is provided",
        )
    } else if version.is_none() {
        Cause::forbidden(
            "resourceVersionMatch",
            "resourceVersionMatch is forbidden unless resourceVersion is provided",
        )
    } else if !matches!(version_match.as_ref(), "Exact" | "NotOlderThan") {
        let message = format!(
            "Unsupported value: {version_match:?}: supported values: \"Exact\", \"NotOlderThan\", \"\""
        );
        Cause::new("FieldValueNotSupported", "resourceVersionMatch", message)
    } else if version_match == "Exact" && version.as_deref() == Some("0") {
        Cause::forbidden(
            "resourceVersionMatch",
            "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
        )
    } else {
        return Ok(());
    };
    Err(Failure::invalid_named("meta.k8s.io", "ListOptions", "", &[cause]))
}

/// The version and the last key of a continued list.
fn continued(state: &State, ask: &Ask<'_>, token: &str, now: u64) -> Result<(u64, Option<String>), Failure> {
    let page = Page::parse(token)
        .ok_or_else(|| Failure::bad_request("continue key is not valid: illegal base64 data"))?;
    if ask
        .query
        .get("resourceVersion")
        .is_some_and(|version| version != "0")
    {
        return Err(Failure::bad_request(
            "specifying resource version is not allowed when using continue",
        ));
    }
    let after = Some(page.after().to_owned());
    let Ok(version) = u64::try_from(page.rv) else {
        return Ok((now, after));
    };
    if version < state.oldest(ask.kind.table) {
        let fresh = Page::new(-1, page.after()).token();
        let message = "The provided continue parameter is too old to display a consistent list result. You can start \
                       a new list without the continue parameter, or use the continue token in this response to \
                       retrieve the remainder of the results. Continuing with the provided token results in an \
                       inconsistent list - objects that were created, modified, or deleted between the time the first \
                       chunk was returned and now may show up in the list.";
        return Err(Failure::expired(message).metadata(json!({"continue": fresh})));
    }
    Ok((version.min(now), after))
}

fn range<'o>(
    objects: &'o BTreeMap<Key, Arc<Object>>,
    namespace: &str,
    after: Option<&str>,
) -> impl Iterator<Item = (&'o Key, &'o Arc<Object>)> {
    let prefix = if namespace.is_empty() {
        String::new()
    } else {
        format!("{namespace}/")
    };
    let start = match after {
        Some(after) => Bound::Excluded(after),
        None => Bound::Included(prefix.as_str()),
    };
    objects
        .range::<str, _>((start, Bound::Unbounded))
        .take_while(move |(key, _)| key.starts_with(&prefix))
}

fn text(ask: &Ask<'_>, metadata: &serde_json::Value, items: &[(&Key, &Arc<Object>)]) -> Vec<u8> {
    let metadata_only = ask.wants_metadata();
    let (kind, api_version) = if metadata_only {
        ("PartialObjectMetadataList", "meta.k8s.io/v1")
    } else {
        (ask.kind.list_kind.as_str(), ask.kind.api_version.as_str())
    };
    let head =
        format!("{{\"kind\":\"{kind}\",\"apiVersion\":\"{api_version}\",\"metadata\":{metadata},\"items\":[");
    let mut text = head.into_bytes();
    for (number, (_, object)) in items.iter().enumerate() {
        if number > 0 {
            text.push(b',');
        }
        if metadata_only {
            object.write_metadata(&mut text);
        } else {
            object.write_item(&ask.kind, ask.shown, &mut text);
        }
    }
    text.extend_from_slice(b"]}");
    text
}
