//! Who owns which field, and server-side apply.
//!
//! | module | idea |
//! | --- | --- |
//! | [`fields`] | sets of fields, as `fieldsV1` writes them |
//! | [`typed`] | which fields a value has, under a schema |
//! | [`compare`] | which fields differ between two values |
//! | [`merge`] | what an applier names goes over what is there |
//! | [`remove`] | fields taken out of a value |
//! | [`managers`] | `metadata.managedFields` |
//! | [`update`] | ownership after a create or an update |
//! | [`applied`] | the result of an apply, and its conflicts |

mod applied;
mod compare;
mod fields;
mod managers;
mod merge;
mod remove;
mod typed;
mod update;

pub(crate) use applied::{Intent, apply};
pub(crate) use update::{Change, everything, track};
