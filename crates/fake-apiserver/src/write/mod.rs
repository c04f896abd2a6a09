//! Create, update, patch and delete.
//!
//! | module | idea |
//! | --- | --- |
//! | [`body`] | a body becomes an object of the kind |
//! | [`create`] | what was not there |
//! | [`update`] | what is there becomes something else |
//! | [`duplicates`] | fields that a body has twice |
//! | [`patch`] | the four kinds of patches |
//! | [`json_patch`], [`strategic`] | what they compute |
//! | [`delete`] | one object, or a collection |
//! | [`metadata`] | what must hold for every object |
//! | [`commit`] | into the store and the journal |

mod body;
pub(crate) mod commit;
mod create;
pub(crate) mod delete;
mod duplicates;
pub(crate) mod json_patch;
pub(crate) mod metadata;
mod patch;
mod strategic;
pub(crate) mod update;

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::ask::Ask;
use crate::failure::Failure;
use crate::object::Object;
use crate::server::Server;
use crate::state::State;

/// An accepted write.
pub(crate) struct Done {
    pub(crate) code: u16,
    pub(crate) object: Arc<Object>,
    pub(crate) warnings: Vec<String>,
}

pub(crate) fn answer(
    server: &Server,
    state: &mut State,
    ask: &Ask<'_>,
    method: &Method,
) -> Result<Answer, Failure> {
    if method == Method::DELETE && !ask.subresource.is_empty() {
        return Err(Failure::not_deletable(&ask.kind));
    }
    let collection = ask.name.is_empty();
    let done = match (method, collection) {
        (&Method::POST, true) => create::create(state, ask)?,
        (&Method::POST, false) if !ask.subresource.is_empty() => {
            return crate::kinds::post(server, state, ask);
        }
        (&Method::PUT, false) => update::put(state, ask).map_err(|failure| body::warned(ask, failure))?,
        (&Method::PATCH, false) => patch::patch(state, ask).map_err(|failure| body::warned(ask, failure))?,
        (&Method::DELETE, false) => return delete::delete(state, ask),
        (&Method::DELETE, true) => return delete::delete_collection(state, ask),
        _ => return Err(Failure::method_not_allowed()),
    };
    let mut text = Vec::new();
    if ask.subresource == "scale" {
        text = crate::kinds::scale(&ask.kind, &done.object.value)
            .to_string()
            .into();
    } else if ask.wants_metadata() {
        done.object.write_metadata(&mut text);
    } else {
        done.object.write(&ask.kind, ask.shown, &mut text);
    }
    let mut answer = Answer::json(done.code, text);
    answer.warnings = done.warnings;
    Ok(answer)
}

/// The Status of a success.
pub(crate) fn success(ask: &Ask<'_>, object: &Object) -> Value {
    let mut details = json!({"name": object.name(), "kind": ask.kind.plural, "uid": object.uid()});
    if !ask.kind.group.is_empty() {
        details["group"] = ask.kind.group.clone().into();
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}
