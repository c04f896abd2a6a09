//! Questions about access: what is posted is answered and not stored.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::apply::{Change, everything, track};
use crate::ask::Ask;
use crate::failure::Failure;
use crate::options::User;
use crate::rbac::Request;
use crate::server::Server;
use crate::state::State;

pub(crate) fn answer(server: &Server, state: &State, ask: &Ask<'_>) -> Result<Answer, Failure> {
    if !ask.name.is_empty() || !ask.accept.is_ascii() {
        return Err(Failure::method_not_allowed());
    }
    let mut review: Value = serde_json::from_slice(ask.body)
        .map_err(|error| Failure::bad_request(format!("json parse error: {error}")))?;
    note_manager(state, ask, &mut review);
    let user = match ask.kind.plural.as_str() {
        "selfsubjectreviews" => {
            review["status"] = json!({"userInfo": {"username": ask.user.name, "groups": ask.user.groups}});
            None
        }
        "selfsubjectaccessreviews" => Some(ask.user.clone()),
        "subjectaccessreviews" => Some(other(&review)),
        _ => return Err(Failure::method_not_allowed()),
    };
    if let Some(user) = user {
        let reason = allowed(server, state, &user, &review);
        review["status"] = json!({"allowed": reason.is_some()});
        if let Some(reason) = reason.filter(|reason| !reason.is_empty()) {
            review["status"]["reason"] = reason.into();
        }
    }
    Ok(Answer::json(201, review.to_string()))
}

/// As of everything that is posted, somebody owns the fields.
pub(crate) fn note_manager(state: &State, ask: &Ask<'_>, review: &mut Value) {
    let (manager, now) = (ask.manager(), state.clock.now());
    let change = Change {
        manager: &manager,
        api_version: &ask.kind.api_version,
        subresource: ask.subresource,
        time: &now,
        owns: everything,
    };
    track(&Value::Null, review, ask.kind.at(), change);
    review["apiVersion"] = ask.kind.api_version.clone().into();
    review["kind"] = ask.kind.kind.clone().into();
}

fn other(review: &Value) -> User {
    let groups = review.pointer("/spec/groups").and_then(Value::as_array);
    let groups = groups.into_iter().flatten().filter_map(Value::as_str);
    User {
        name: review
            .pointer("/spec/user")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        groups: groups.map(str::to_owned).collect(),
    }
}

fn allowed(server: &Server, state: &State, user: &User, review: &Value) -> Option<String> {
    let text = |field: &str| {
        let pointer = format!("/spec/resourceAttributes/{field}");
        review
            .pointer(&pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let request = Request {
        verb: text("verb"),
        group: text("group"),
        plural: text("resource"),
        subresource: text("subresource"),
        namespace: text("namespace"),
        name: text("name"),
    };
    server.may(state, user, &request)
}
