//! Which `ClientConfig` gives which context.

use std::collections::BTreeMap;

use api::client_config::ClientConfig;
use api::grants::Grants;
use api::names::annotation;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use runtime::Key;

use crate::quote::quote_to;
use crate::refusal::{Refusal, RefusalReason};

/// What counts of a `ClientConfig`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Name of the context that it gives.
    pub context: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Name of its Secret.
    pub secret: Option<String>,
    /// What it says of who may use it.
    pub grants: Option<String>,
}

impl Claim {
    pub fn of(object: &ClientConfig) -> Self {
        Self {
            context: object.context_name().to_owned(),
            created: object.metadata.creation_timestamp.as_ref().map(|time| time.0),
            secret: object.secret_name().map(str::to_owned),
            grants: object.annotations().get(annotation::GRANTS).cloned(),
        }
    }
}

/// For each context the `ClientConfig` that gives it: of several the oldest, then the first by namespace and name.
pub(crate) fn winners<'a>(
    claims: impl IntoIterator<Item = (&'a Key, &'a Claim)>,
) -> BTreeMap<&'a str, &'a Key> {
    let mut best: BTreeMap<&str, (Timestamp, &Key)> = BTreeMap::new();
    for (key, claim) in claims {
        let rank = (claim.created.unwrap_or(Timestamp::MAX), key);
        let held = best.entry(&claim.context).or_insert(rank);
        *held = rank.min(*held);
    }
    best.into_iter()
        .map(|(context, (_, key))| (context, key))
        .collect()
}

/// By context: whom its `ClientConfig` lets in. The control plane has none.
pub(crate) fn grants<'a>(
    winners: &BTreeMap<&str, &Key>,
    claim: impl Fn(&Key) -> Option<&'a Claim>,
    required: bool,
) -> BTreeMap<String, Grants> {
    let home = required.then(|| (String::new(), Grants::OwnNamespace));
    let said = winners.iter().filter_map(|(context, key)| {
        let grants = Grants::read(claim(key)?.grants.as_deref(), required);
        Some(((*context).to_owned(), grants))
    });
    said.chain(home).collect()
}

/// What a `ClientConfig` is told that has come second.
pub(crate) fn duplicate(claim: &Claim, winner: &Key) -> Refusal {
    Refusal::new(
        RefusalReason::DuplicateContext,
        format!(
            "ClientConfig {winner} is older and has the context name {} too. Give spec.contextName another value, or delete one of them.",
            quote_to(&claim.context, 63)
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(context: &str, created: i64) -> Claim {
        Claim {
            context: context.to_owned(),
            created: Timestamp::from_second(created).ok(),
            secret: None,
            grants: None,
        }
    }

    #[test]
    fn of_two_with_one_context_the_older_wins_and_then_the_first_by_name() {
        let (a, b, c) = (Key::new("ns", "a"), Key::new("ns", "b"), Key::new("ns", "c"));
        let (young, old, other) = (claim("east", 20), claim("east", 10), claim("west", 30));
        let claims = [(&a, &young), (&b, &old), (&c, &other)];
        assert_eq!(winners(claims), BTreeMap::from([("east", &b), ("west", &c)]));
        let same = [(&b, &young), (&a, &young)];
        assert_eq!(winners(same), BTreeMap::from([("east", &a)]));
    }

    #[test]
    fn one_without_a_time_comes_last() {
        let (a, b) = (Key::new("ns", "a"), Key::new("ns", "b"));
        let (timeless, old) = (
            Claim {
                created: None,
                ..claim("east", 0)
            },
            claim("east", 10),
        );
        assert_eq!(
            winners([(&a, &timeless), (&b, &old)]),
            BTreeMap::from([("east", &b)])
        );
    }
}
