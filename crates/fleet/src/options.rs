//! How a fleet is run, and in what.

use http::HeaderValue;
use kube::Client;
use runtime::{CancellationToken, Metrics};

use crate::dial::{self, Dial};
use crate::limits::{Deadlines, Limits};

/// How a fleet is run.
#[derive(Clone)]
pub struct FleetOptions {
    /// Namespaces whose `ClientConfigs` count, and which [`crate::PlaneLink::watch`] looks at; none = all.
    pub namespaces: Vec<String>,
    /// `User-Agent` of every request to a plane; characters that cannot stand in a header are left out.
    pub user_agent: String,
    /// Times after which we stop waiting.
    pub deadlines: Deadlines,
    /// Sizes above which an answer is refused.
    pub limits: Limits,
    /// How planes are connected to.
    pub dial: Dial,
    /// Whether a plane may be used only where its `ClientConfig` grants it, see [`api::grants`].
    pub require_grants: bool,
}

impl FleetOptions {
    /// The defaults, for one program.
    #[must_use]
    pub fn new(namespaces: &[String], user_agent: impl Into<String>) -> Self {
        Self {
            namespaces: namespaces.to_vec(),
            user_agent: user_agent.into(),
            deadlines: Deadlines::default(),
            limits: Limits::default(),
            dial: dial::sockets(),
            require_grants: false,
        }
    }
}

/// What a fleet needs of the program that it runs in.
#[derive(Clone)]
pub struct Home {
    /// Client of the control plane, for requests.
    pub client: Client,
    /// Client of the control plane, for watches.
    pub watch_client: Client,
    /// Where watches and the fleet's own queue are counted.
    pub metrics: Metrics,
    /// Ends everything.
    pub stop: CancellationToken,
}

pub(crate) fn header(text: &str) -> HeaderValue {
    let text: String = text
        .chars()
        .filter(|character| character.is_ascii_graphic() || *character == ' ')
        .collect();
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(api::names::PRODUCT))
}
