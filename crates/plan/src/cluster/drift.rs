//! What somebody else has set in a datacenter since we wrote it: told, left as it is, and not taken back by an edit of another
//! field.

use std::collections::BTreeMap;

use api::names::reason;
use api::reports::FieldChange;
use serde_json::json;

use super::draft::{Draft, Entry};
use super::facts::LiveDatacenter;
use crate::change::{Change, digest_of, kept};
use crate::datacenter::DesiredDatacenter;

/// A change without what is others'.
pub(super) struct Drift {
    /// What is left of it.
    pub change: Change,
    /// Fields in which the user's edit and somebody else want different values.
    pub conflicts: Vec<String>,
    /// Fields that are left out of a write, so that they stay as somebody else has set them.
    pub left_alone: Vec<String>,
}

/// Leaves out what somebody else has set since we wrote the datacenter, and reports it.
///
/// While the input is the one that the datacenter was written with, it is noted what the spec asks for in such a field. By
/// that an edit of the field is told from an edit beside it.
pub(super) fn without(
    draft: &mut Draft<'_>,
    entry: &Entry,
    live: &LiveDatacenter,
    change: Change,
    same_input: bool,
) -> Drift {
    let is_drift = |field: &FieldChange| live.ownership.is_foreign(&field.field, field.to.is_none());
    let (set_by_others, fields): (Vec<_>, Vec<_>) = change.fields.into_iter().partition(is_drift);
    let mut found = Drift {
        change: Change { fields },
        conflicts: Vec::new(),
        left_alone: Vec::new(),
    };
    if set_by_others.is_empty() {
        return found;
    }
    let known = noted(draft, &entry.name, live);
    let mut notes = BTreeMap::new();
    for field in set_by_others.iter().filter(|it| it.to.is_some()) {
        let wanted = digest_of(field);
        let before = if same_input {
            wanted.clone()
        } else {
            known.get(&field.field).cloned()
        };
        let is_edited = wanted.is_none() || wanted != before;
        notes.extend(before.map(|digest| (field.field.clone(), digest)));
        if is_edited
            || !live.ownership.is_theirs_alone(&field.field)
            || !kept::may_be_left_to_others(&field.field)
        {
            found.conflicts.push(field.field.clone());
        } else {
            found.left_alone.push(field.field.clone());
        }
    }
    let paths = set_by_others.into_iter().map(|field| field.field).collect();
    draft.drift.insert(entry.name.clone(), paths);
    draft.drifted_from.insert(entry.name.clone(), notes);
    found
}

/// What was reported of this very datacenter.
fn noted(draft: &Draft<'_>, name: &str, live: &LiveDatacenter) -> BTreeMap<String, String> {
    let status = draft.facts.kc.status.as_ref();
    let report = status.and_then(|status| status.reports.cluster.as_ref()?.datacenters.get(name));
    let same = report.filter(|report| report.uid == live.uid);
    same.map(|report| report.drifted_from.clone()).unwrap_or_default()
}

/// The datacenter without these fields.
pub(super) fn leaving_out(mut desired: DesiredDatacenter, fields: &[String]) -> DesiredDatacenter {
    let mut object = json!({ "spec": desired.spec });
    for field in fields {
        kept::leave_out(&mut object, field);
    }
    desired.spec = object["spec"].take();
    desired
}

/// A write states all that we want of a datacenter: where others have set another value, the API server would refuse it.
pub(super) fn conflicts(draft: &mut Draft<'_>, entry: &Entry, fields: &[String]) -> bool {
    if fields.is_empty() {
        return false;
    }
    let message = format!(
        "datacenter {} is not changed, for somebody else has set {} there to another value than the spec has: give the \
         spec that value, or take the field from whoever set it",
        entry.name,
        fields.join(", ")
    );
    draft.hold(
        reason::DRIFT_CONFLICT,
        Some(&entry.name),
        Some(&entry.context),
        message,
    );
    true
}
