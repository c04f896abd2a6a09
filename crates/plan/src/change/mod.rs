//! What a change of a datacenter would do, told before it is done.
//!
//! * `difference`: which fields differ, from what to what
//! * `effect`: what cass-operator does with a change of each
//! * `identity`: which fields must not change at all
//! * [`kept`]: which fields a plane knows
//! * `ownership`: whose a value is
//! * `path`: where a field is
//! * `redaction`: whose values are never shown

mod difference;
mod effect;
mod identity;
pub mod kept;
mod ownership;
mod path;
mod redaction;

use api::reports::{Effect, FieldChange, PendingChange};
use serde_json::Value;

use crate::datacenter::{DesiredDatacenter, LiveDatacenter};
use crate::hash;
use crate::normalize::normalize;

pub use identity::would_change;
pub use ownership::Ownership;

/// How large the fields of one change may become in a report, in bytes of JSON.
const REPORTED_BYTES: usize = 16 * 1024;

/// A CassandraDatacenter as it is beside what it would become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The fields that differ, in the order of their paths.
    pub fields: Vec<FieldChange>,
}

/// Digest of the value that a field is to have; none where it has none, or where that is not shown whole, so that no digest
/// of a secret is ever written down. 12 characters.
#[must_use]
pub(crate) fn digest_of(field: &FieldChange) -> Option<String> {
    let value = field.to.as_ref()?;
    let digest = redaction::is_whole(value).then(|| hash::of(value))?;
    digest.get(..12).map(str::to_owned)
}

impl Change {
    /// From the datacenter that is there to the one that is wanted.
    #[must_use]
    pub fn between(live: &LiveDatacenter, desired: &DesiredDatacenter) -> Self {
        let mut fields = Vec::new();
        metadata(
            "annotations",
            &live.annotations,
            &desired.annotations,
            &mut fields,
        );
        metadata("labels", &live.labels, &desired.labels, &mut fields);
        fields.extend(difference::between(
            &normalize(&live.spec),
            &normalize(&desired.spec),
        ));
        let fields = fields.into_iter().map(|found| FieldChange {
            effect: effect::of(&found),
            from: redaction::shown(&found.field, found.from),
            to: redaction::shown(&found.field, found.to),
            field: found.field,
        });
        Change {
            fields: fields.collect(),
        }
    }

    /// The strongest effect among the fields.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.fields
            .iter()
            .map(|field| field.effect)
            .max()
            .unwrap_or(Effect::None)
    }

    /// How many fields of the spec are among them.
    #[must_use]
    pub fn spec_fields(&self) -> usize {
        self.fields
            .iter()
            .filter(|field| field.field.starts_with("spec"))
            .count()
    }

    /// For a report: as many fields as it has room for. `held`: see [`PendingChange::held`].
    #[must_use]
    pub fn pending(self, held: bool) -> PendingChange {
        let effect = self.effect();
        let all = self.fields.len();
        let mut room = REPORTED_BYTES;
        let fits = |field: &FieldChange| {
            let size = serde_json::to_string(field).map_or(usize::MAX, |text| text.len());
            let fits = size <= room;
            room = room.saturating_sub(size);
            fits
        };
        let fields: Vec<FieldChange> = self.fields.into_iter().take_while(fits).collect();
        PendingChange {
            held,
            effect,
            more: u32::try_from(all - fields.len()).unwrap_or(u32::MAX),
            fields,
        }
    }
}

/// Keys of ours are not what a user asks about; keys that only the live object has are somebody else's.
fn metadata(
    what: &str,
    live: &std::collections::BTreeMap<String, String>,
    desired: &std::collections::BTreeMap<String, String>,
    fields: &mut Vec<difference::Difference>,
) {
    const OURS: &str = "ringspan.io/";
    let changed = desired
        .iter()
        .filter(|(key, value)| !key.starts_with(OURS) && live.get(*key) != Some(*value));
    fields.extend(changed.map(|(key, value)| difference::Difference {
        field: format!("metadata.{what}[{key}]"),
        from: live.get(key).map(|text| Value::from(text.as_str())),
        to: Some(Value::from(value.as_str())),
    }));
}

#[cfg(test)]
mod tests;
