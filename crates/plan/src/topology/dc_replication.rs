//! Annotation `k8ssandra.io/dc-replication`: the user's word on how keyspaces are replicated to a datacenter that joins.

use std::collections::BTreeMap;

use serde_json::Value;

use api::names::annotation;

/// Cassandra's names of datacenters, with the replicas that each keyspace is to have there.
pub(super) type Asked = BTreeMap<String, BTreeMap<String, u32>>;

/// Reads the annotation. Fractions are cut off, as upstream does.
pub(super) fn read(text: &str) -> Result<Asked, String> {
    let bad = |what: String| {
        format!(
            "annotation {} is not usable: {what}. It must be a JSON object of datacenters, each an object of keyspaces \
             with the number of replicas",
            annotation::DC_REPLICATION
        )
    };
    let value: Value = serde_json::from_str(text).map_err(|error| {
        bad(format!(
            "no JSON at line {}, column {}",
            error.line(),
            error.column()
        ))
    })?;
    let datacenters = value
        .as_object()
        .ok_or_else(|| bad("it is no object".to_owned()))?;
    let mut asked = Asked::new();
    for (datacenter, keyspaces) in datacenters {
        let keyspaces = keyspaces
            .as_object()
            .ok_or_else(|| bad(format!("{datacenter} is no object")))?;
        let mut factors = BTreeMap::new();
        for (keyspace, replicas) in keyspaces {
            let number = whole(replicas).ok_or_else(|| {
                bad(format!(
                    "the replicas of {keyspace} in {datacenter} are no number, or a negative one"
                ))
            })?;
            factors.insert(keyspace.clone(), number);
        }
        asked.insert(datacenter.clone(), factors);
    }
    Ok(asked)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "in range, so only the fraction is lost"
)]
fn whole(value: &Value) -> Option<u32> {
    if let Some(whole) = value.as_u64() {
        return u32::try_from(whole).ok();
    }
    let number = value
        .as_f64()
        .filter(|number| (0.0..=f64::from(u32::MAX)).contains(number))?;
    Some(number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_that_is_no_replication_is_refused_with_a_message() {
        for (text, part) in [
            ("{", "no JSON"),
            ("[]", "it is no object"),
            (r#"{"dc2": 3}"#, "dc2 is no object"),
            (r#"{"dc2": {"shop": "3"}}"#, "no number"),
            (r#"{"dc2": {"shop": -1}}"#, "negative"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains(part), "{message}");
        }
        assert_eq!(read(r#"{"dc2": {"shop": 2.9}}"#).unwrap()["dc2"]["shop"], 2);
    }
}
