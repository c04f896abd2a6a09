//! Conditions, with the rules that apimachinery has for them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::all_optional::all_optional;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One statement about an object, and since when it holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// When `status` last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
    /// What is waited for, since when, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Generation of the object that the statement is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Why, as a CamelCase noun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// What is stated.
    #[serde(rename = "type")]
    pub type_: String,
}

impl Condition {
    /// A condition without a time, which [`set`] gives it.
    #[must_use]
    pub fn new(type_: &str, holds: Option<bool>, reason: &str, message: impl Into<String>) -> Self {
        Self {
            last_transition_time: None,
            message: Some(message.into()),
            observed_generation: None,
            reason: Some(reason.to_owned()),
            status: status(holds).to_owned(),
            type_: type_.to_owned(),
        }
    }

    /// `Some` for `True` and `False`, `None` for everything else.
    #[must_use]
    pub fn holds(&self) -> Option<bool> {
        match self.status.as_str() {
            "True" => Some(true),
            "False" => Some(false),
            _ => None,
        }
    }
}

/// The wire word for a statement that holds, does not hold, or is not known to.
#[must_use]
pub fn status(holds: Option<bool>) -> &'static str {
    match holds {
        Some(true) => "True",
        Some(false) => "False",
        None => "Unknown",
    }
}

/// The condition of that type, if there is one.
#[must_use]
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

/// Puts `new` in the place of the condition of its type, or at the end, and says whether anything but its time differs.
///
/// `lastTransitionTime` becomes `now` only when the condition is new or its status differs from the former one; a time
/// in `new` is ignored.
pub fn set(conditions: &mut Vec<Condition>, new: Condition, now: &Time) -> bool {
    let Some(old) = conditions
        .iter_mut()
        .find(|condition| condition.type_ == new.type_)
    else {
        conditions.push(Condition {
            last_transition_time: Some(now.clone()),
            ..new
        });
        return true;
    };
    let since = if old.status == new.status {
        old.last_transition_time.clone()
    } else {
        None
    };
    let new = Condition {
        last_transition_time: Some(since.unwrap_or_else(|| now.clone())),
        ..new
    };
    let changed = *old != new;
    *old = new;
    changed
}

all_optional! {
    /// The bare condition that add-ons have: a status and its time, no reason.
    #[serde(rename_all = "camelCase")]
    pub struct BareCondition {
        /// When `status` last changed.
        pub last_transition_time: Option<Time>,
        /// `True`, `False` or `Unknown`.
        pub status: Option<String>,
        /// What is stated.
        #[serde(rename = "type")]
        pub type_: Option<String>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Time {
        Time::from(k8s_openapi::jiff::Timestamp::from_second(second).unwrap())
    }

    #[test]
    fn a_new_condition_gets_the_time_of_now() {
        let mut conditions = vec![];
        assert!(set(
            &mut conditions,
            Condition::new("Ready", Some(true), "AllReady", "ok"),
            &at(10)
        ));
        assert_eq!(conditions[0].last_transition_time, Some(at(10)));
    }

    #[test]
    fn a_new_message_does_not_move_the_time() {
        let mut conditions = vec![];
        set(
            &mut conditions,
            Condition::new("Ready", Some(false), "Waiting", "for dc1"),
            &at(10),
        );
        assert!(set(
            &mut conditions,
            Condition::new("Ready", Some(false), "Waiting", "for dc2"),
            &at(20)
        ));
        assert_eq!(conditions[0].last_transition_time, Some(at(10)));
        assert_eq!(conditions[0].message.as_deref(), Some("for dc2"));
    }

    #[test]
    fn a_new_status_moves_the_time() {
        let mut conditions = vec![];
        set(
            &mut conditions,
            Condition::new("Ready", Some(false), "Waiting", ""),
            &at(10),
        );
        assert!(set(
            &mut conditions,
            Condition::new("Ready", None, "Waiting", ""),
            &at(20)
        ));
        assert_eq!(conditions[0].last_transition_time, Some(at(20)));
        assert_eq!(conditions.len(), 1);
    }

    #[test]
    fn setting_the_same_again_changes_nothing() {
        let mut conditions = vec![];
        let ready = Condition::new("Ready", Some(true), "AllReady", "ok");
        set(&mut conditions, ready.clone(), &at(10));
        let before = conditions.clone();
        assert!(!set(&mut conditions, ready, &at(99)));
        assert_eq!(conditions, before);
    }

    #[test]
    fn find_goes_by_type() {
        let mut conditions = vec![];
        set(&mut conditions, Condition::new("A", Some(true), "R", ""), &at(1));
        set(&mut conditions, Condition::new("B", Some(false), "R", ""), &at(1));
        assert_eq!(find(&conditions, "B").and_then(Condition::holds), Some(false));
        assert_eq!(find(&conditions, "C"), None);
    }
}
