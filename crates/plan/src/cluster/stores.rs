//! Passwords of keystores and truststores: when they are read, and what waits for them.
//!
//! Nobody watches the Secrets that they stand in, which are the user's. They are read when a datacenter is made, when the
//! user has changed it, and when `autoupdate-spec` allows a change without one. At any other time a datacenter is built
//! with those that it was told last, so that it is neither changed nor read for.

use api::names::reason;
use api::reports::Refusal;
use api::seen::Unknown;

use super::draft::{Draft, Entry};
use super::facts::LiveDatacenter;
use crate::datacenter::{
    DesiredDatacenter, Facts, NoPassword, PasswordSource, References, named, told_password,
};

/// A datacenter as the spec asks for it, or why it is not known how that is.
pub(super) enum Built {
    /// As the spec asks.
    Yes(Box<DesiredDatacenter>),
    /// Passwords must be read first.
    Unread {
        /// Whether the user has changed it, so that it is to be written.
        edited: bool,
    },
    /// A password is not where the spec says.
    Lacking(String),
    /// The plane does not tell.
    Unknown(Unknown),
}

/// Adds the passwords that a datacenter is built with to what it refers to; what keeps it from being built, if something
/// does.
pub(super) fn complete(
    draft: &Draft<'_>,
    entry: &Entry,
    wanted: &[Facts<'_>],
    live: Option<&LiveDatacenter>,
    references: &mut References,
) -> Result<Option<Built>, Refusal> {
    let facts = named(wanted, &entry.name)?;
    let sources = facts.password_sources();
    if sources.is_empty() {
        return Ok(None);
    }
    let hash = facts.input_hash(references);
    let known = live.and_then(|live| draft.known_input(&entry.name, live));
    let edited = known.is_some_and(|known| known != hash);
    let unchanged = live.filter(|_| !edited && !draft.may_update());
    for source in &sources {
        let read = references.store_passwords.get(&source.of);
        if let Some(Ok(_)) = read {
            continue;
        }
        let told = unchanged.and_then(|live| told_password(&live.binding, source.of));
        let not_built = match (told, read) {
            (Some(told), _) => {
                references.store_passwords.insert(source.of, Ok(told));
                continue;
            }
            (None, Some(Err(NoPassword::Unknown(unknown)))) => Built::Unknown(unknown.clone()),
            (None, Some(Err(why))) => Built::Lacking(lacks(entry, source, why)),
            (None, _) => Built::Unread { edited },
        };
        return Ok(Some(not_built));
    }
    Ok(None)
}

fn lacks(entry: &Entry, source: &PasswordSource, why: &NoPassword) -> String {
    let why = source.lacks(&entry.namespace, &entry.context, Some(why));
    format!("datacenter {} is neither made nor changed: {why}", entry.name)
}

/// The datacenter, for who is about to make or change it; asks for what is missing, and holds what is not there.
pub(super) fn needed<'a>(
    draft: &mut Draft<'_>,
    entry: &Entry,
    built: &'a Built,
) -> Option<&'a DesiredDatacenter> {
    match built {
        Built::Yes(desired) => return Some(desired),
        Built::Unread { .. } => {
            draft.wants_passwords.insert(entry.name.clone());
        }
        Built::Lacking(message) => draft.hold(
            reason::STORE_PASSWORD_MISSING,
            Some(&entry.name),
            Some(&entry.context),
            message.clone(),
        ),
        Built::Unknown(unknown) => draft.hold_unknown(&entry.name, unknown),
    }
    None
}
