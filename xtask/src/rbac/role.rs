//! Rules of several tables as rows of roles: one row for each resource, nothing granted that nobody asked for.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use runtime::rbac::Rule;

/// A rule, and who needs it.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    /// The program.
    pub by: &'static str,
    /// What it needs.
    pub rule: Rule,
}

/// What a row is about: group, resource, and the names that it is limited to (none = all).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct About {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Plural of the kind, perhaps with a subresource.
    pub resource: &'static str,
    /// Names of objects.
    pub names: BTreeSet<&'static str>,
}

/// What may be done, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// Verbs of the API.
    pub verbs: BTreeSet<&'static str>,
    /// Who says why.
    pub why: BTreeSet<(&'static str, &'static str)>,
}

/// The rows of one account, by the namespace that they are limited to; `None` = all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows(pub BTreeMap<Option<&'static str>, BTreeMap<About, Grant>>);

impl Rows {
    /// Rows for all of these.
    ///
    /// # Errors
    /// When a rule has a wildcard, characters that no name in the API has, no verb or no reason; or when it limits
    /// `create` to names, which the API refuses always.
    pub fn of(needs: impl Iterator<Item = Use>) -> Result<Rows> {
        let mut rows = Rows::default();
        for Use { by, rule } in needs {
            sound(by, &rule)?;
            let about = About {
                group: rule.group,
                resource: rule.resource,
                names: rule.names.iter().copied().collect(),
            };
            let role = rows.0.entry(rule.namespace).or_default();
            let grant = role.entry(about).or_default();
            grant.verbs.extend(rule.verbs);
            grant.why.insert((by, rule.why));
        }
        Ok(rows)
    }

    /// These rows, except those that grant nothing beyond the same row of the other.
    pub fn without(mut self, other: &Rows) -> Rows {
        for (namespace, role) in &mut self.0 {
            let Some(granted) = other.0.get(namespace) else {
                continue;
            };
            role.retain(|about, grant| {
                let there = granted.get(about);
                !there.is_some_and(|there| grant.verbs.is_subset(&there.verbs))
            });
        }
        self.0.retain(|_, role| !role.is_empty());
        self
    }
}

/// Whether a rule may stand in a shipped role.
fn sound(by: &str, rule: &Rule) -> Result<()> {
    let what = || format!("{by}: rule for {:?} of group {:?}", rule.resource, rule.group);
    let plain = |word: &&str| {
        word.chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-./".contains(letter))
    };
    let words = [rule.group, rule.resource]
        .into_iter()
        .chain(rule.namespace)
        .chain(rule.verbs.iter().copied())
        .chain(rule.names.iter().copied());
    for word in words {
        ensure!(plain(&word), "{}: {word:?} is not a plain name", what());
    }
    ensure!(!rule.resource.is_empty(), "{}: no resource", what());
    ensure!(!rule.verbs.is_empty(), "{}: no verbs", what());
    ensure!(!rule.why.trim().is_empty(), "{}: no reason", what());
    ensure!(!rule.why.contains('\n'), "{}: a reason of several lines", what());
    ensure!(
        rule.names.is_empty() || !rule.verbs.contains(&"create"),
        "{}: the API never allows `create` by name",
        what()
    );
    Ok(())
}
