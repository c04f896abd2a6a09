//! What is told: `ClientConfig.status`, where it says something new, and an Event when a plane becomes usable or not.

use api::client_config::{ClientConfig, ClientConfigStatus};
use api::conditions::{self, Condition, find};
use api::names::{condition, manager};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::{Api, ResourceExt};
use runtime::write::{self, Apply};
use runtime::{EventType, Key, WriteError};
use serde_json::json;

use crate::Context;

/// Writes the status if anything but times differs from what is written.
pub(crate) async fn publish(
    context: &Context,
    key: &Key,
    config: &ClientConfig,
    status: ClientConfigStatus,
    expires: Option<Timestamp>,
) -> Result<(), WriteError> {
    let former = config.status.clone().unwrap_or_default();
    let status = dated(
        &former,
        status,
        expires,
        &Time(context.process.outside.clock.now()),
    );
    if config.status.as_ref() == Some(&status) {
        return Ok(());
    }
    let body = json!({
        "apiVersion": "config.k8ssandra.io/v1beta1",
        "kind": "ClientConfig",
        "status": status,
    });
    let api = Api::<ClientConfig>::namespaced(context.process.client.clone(), &key.namespace);
    let version = config.resource_version();
    // Nobody else writes this status, so whatever stands there is ours to take.
    let how = Apply {
        manager: manager::CLIENT_REGISTRY,
        force: true,
        resource_version: version.as_deref(),
    };
    let stored = write::apply_status(&api, &key.name, &body, how).await?;
    tell(context, config, &former, &status);
    let version = stored.resource_version().unwrap_or_default();
    context
        .client_configs
        .absorb(key.clone(), &version, without_managed_fields(stored));
    Ok(())
}

/// The status with its times: those of conditions move only with their status.
fn dated(
    former: &ClientConfigStatus,
    mut status: ClientConfigStatus,
    expires: Option<Timestamp>,
    now: &Time,
) -> ClientConfigStatus {
    status.credentials_expire = expires.map(Time);
    let mut kept: Vec<Condition> = former.conditions.clone();
    kept.retain(|old| find(&status.conditions, &old.type_).is_some());
    for new in std::mem::take(&mut status.conditions) {
        conditions::set(&mut kept, new, now);
    }
    kept.sort_by(|a, b| a.type_.cmp(&b.type_));
    status.conditions = kept;
    status
}

/// One Event when it becomes usable, and one Warning for each new reason why not.
fn tell(context: &Context, config: &ClientConfig, former: &ClientConfigStatus, status: &ClientConfigStatus) {
    let Some(usable) = find(&status.conditions, condition::USABLE) else {
        return;
    };
    let before = find(&former.conditions, condition::USABLE);
    if before.is_some_and(|before| before.status == usable.status && before.reason == usable.reason) {
        return;
    }
    let events = &context.process.events;
    let (reason, message) = (
        usable.reason.as_deref().unwrap_or_default(),
        usable.message.as_deref().unwrap_or_default(),
    );
    tracing::info!(
        client_config = config.name_any(),
        usable = usable.status,
        reason,
        "{message}"
    );
    let regarding = reference(config);
    if let Some(old) = before.and_then(|before| before.reason.as_deref()) {
        events.forget(&regarding, old);
    }
    match usable.holds() {
        Some(true) => events.publish(&regarding, EventType::Normal, "PlaneUsable", "Verify", message),
        _ => events.publish(&regarding, EventType::Warning, reason, "Verify", message),
    }
}

fn reference(config: &ClientConfig) -> ObjectReference {
    ObjectReference {
        api_version: Some("config.k8ssandra.io/v1beta1".to_owned()),
        kind: Some("ClientConfig".to_owned()),
        name: Some(config.name_any()),
        namespace: config.namespace(),
        uid: config.uid(),
        ..ObjectReference::default()
    }
}

/// As the watch shows it, so that its own event is no news.
fn without_managed_fields(mut config: ClientConfig) -> ClientConfig {
    config.metadata.managed_fields = None;
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Time {
        Time(Timestamp::from_second(second).unwrap())
    }

    fn status(usable: bool, message: &str) -> ClientConfigStatus {
        let conditions = vec![
            Condition::new("Reachable", Some(true), "AsSpecified", "answers"),
            Condition::new("Usable", Some(usable), "R", message),
        ];
        ClientConfigStatus {
            conditions,
            ..ClientConfigStatus::default()
        }
    }

    #[test]
    fn the_same_again_is_equal_and_a_time_moves_only_with_its_status() {
        let first = dated(&ClientConfigStatus::default(), status(true, "m"), None, &at(10));
        assert_eq!(dated(&first, status(true, "m"), None, &at(99)), first);
        let later = dated(&first, status(false, "m"), None, &at(20));
        let time = |type_| {
            find(&later.conditions, type_)
                .unwrap()
                .last_transition_time
                .clone()
        };
        assert_eq!((time("Reachable"), time("Usable")), (Some(at(10)), Some(at(20))));
    }

    #[test]
    fn a_condition_that_no_longer_holds_is_taken_away() {
        let mut with_twin = status(true, "m");
        with_twin.conditions.insert(
            0,
            Condition::new("DuplicateCluster", Some(true), "DuplicateCluster", "x"),
        );
        let first = dated(&ClientConfigStatus::default(), with_twin, None, &at(10));
        assert_eq!(first.conditions.len(), 3);
        assert_eq!(
            dated(&first, status(true, "m"), None, &at(20)).conditions.len(),
            2
        );
    }
}
