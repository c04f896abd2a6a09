//! Where the API server of each plane is reached, and with which token. Both can change.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::world::PLANES;

/// The doors of all data planes.
#[derive(Debug)]
pub struct Doors(Mutex<BTreeMap<&'static str, Door>>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// Host and port.
    pub host: String,
    /// The only token that is taken.
    pub token: String,
}

/// What somebody who knocks is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knock {
    /// Come in.
    Open,
    /// Nobody is there.
    Nobody,
    /// The token is not taken.
    Unauthorized,
}

impl Default for Doors {
    fn default() -> Self {
        Self(Mutex::new(PLANES.map(|plane| (plane, Door::first(plane))).into()))
    }
}

impl Door {
    /// As each plane is installed.
    #[must_use]
    pub fn first(plane: &str) -> Self {
        Self {
            host: format!("{plane}.example:6443"),
            token: format!("token-of-{plane}"),
        }
    }
}

impl Doors {
    /// From now on it is this one.
    pub fn set(&self, plane: &'static str, host: &str, token: &str) {
        let (host, token) = (host.to_owned(), token.to_owned());
        let mut doors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        doors.insert(plane, Door { host, token });
    }

    /// The plane that is at a host now.
    #[must_use]
    pub fn behind(&self, host: &str) -> Option<&'static str> {
        let doors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = doors.iter().filter(|(_, door)| door.host == host);
        found.next().map(|(plane, _)| *plane)
    }

    /// What is told to somebody who asks for a plane at this door.
    #[must_use]
    pub fn knock(&self, plane: &str, at: &Door) -> Knock {
        let doors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match doors.get(plane) {
            Some(door) if door == at => Knock::Open,
            Some(door) if door.host == at.host => Knock::Unauthorized,
            _ => Knock::Nobody,
        }
    }
}
