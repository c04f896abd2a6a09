//! What is known of the plane of one `ClientConfig`. A plane is asked only once it is reached anew.

use api::client_config::ClientConfig;
use api::names::reason;
use api::seen::{PlaneId, Unknown};
use fleet::{Health, Plane, Verdict};
use k8s_openapi::jiff::Timestamp;
use plan::registry::{Answers, Credentials, Facts};
use runtime::Key;

use crate::watches::{Remote, Versions};
use crate::{Context, operator};

/// What was seen.
pub(crate) struct Seen {
    context: String,
    credentials: Credentials,
    answers: Answers,
    blind: Option<Unknown>,
    plane_id: Option<PlaneId>,
    versions: Versions,
    twins: Vec<String>,
    /// When the first of the credentials ends.
    pub expires: Option<Timestamp>,
    /// The plane is reached, and did not say what it was asked: nothing happens by itself that would ask it again.
    pub owes: bool,
}

impl Seen {
    /// The input of the judgement.
    pub fn facts<'a>(&'a self, config: &'a ClientConfig, now: Timestamp) -> Facts<'a> {
        Facts {
            generation: config.metadata.generation,
            context: &self.context,
            credentials: self.credentials.clone(),
            answers: self.answers.clone(),
            blind: self.blind.clone(),
            expired: self.expires.is_some_and(|expires| expires < now),
            plane_id: self.plane_id.as_ref().map(|id| id.0.clone()),
            server_version: self.versions.server.clone(),
            cass_operator_version: self.versions.cass_operator.clone(),
            twins: self.twins.clone(),
            former: config.status.as_ref(),
        }
    }
}

/// Looks at everything that concerns one `ClientConfig`.
pub(crate) async fn observe(context: &Context, key: &Key, config: &ClientConfig) -> Seen {
    let name = config.context_name().to_owned();
    let credentials = match context.fleet.verdict(key) {
        None | Some(Verdict::Waiting) => Credentials::Waiting,
        Some(Verdict::Refused(refusal)) => Credentials::Refused {
            reason: refusal.reason.as_str().to_owned(),
            message: refusal.message,
        },
        Some(Verdict::Engaged(_)) => Credentials::Accepted,
    };
    let mut seen = Seen {
        context: name.clone(),
        credentials,
        answers: Answers::NotYet,
        blind: None,
        plane_id: None,
        versions: Versions::default(),
        twins: vec![],
        expires: None,
        owes: false,
    };
    if seen.credentials == Credentials::Accepted
        && let Ok(plane) = context.fleet.plane(&name)
    {
        look_at(context, &plane, &mut seen).await;
    }
    seen
}

async fn look_at(context: &Context, plane: &Plane<Remote>, seen: &mut Seen) {
    seen.expires = plane.expires();
    seen.plane_id = plane.id();
    seen.twins = twins(context, plane);
    seen.answers = match plane.health() {
        Health::Connecting => Answers::NotYet,
        Health::Reachable => Answers::Yes,
        Health::Unreachable { unknown, .. } => {
            // It may come back as another version.
            plane.caches.set_versions(None);
            Answers::No(unknown)
        }
    };
    if seen.answers == Answers::Yes {
        seen.blind = plane.caches.datacenters.blind();
        match versions(plane).await {
            Ok(versions) => seen.versions = versions,
            // Who may not ask now may not ask later.
            Err(why) => seen.owes = why.reason != reason::PLANE_FORBIDDEN,
        }
    }
}

/// Other contexts of the same cluster. The control plane itself does not count: it is often a plane, too.
fn twins(context: &Context, plane: &Plane<Remote>) -> Vec<String> {
    let Some(id) = plane.id() else { return vec![] };
    let planes = context.fleet.planes();
    let others = planes
        .iter()
        .filter(|other| !other.context().is_empty() && other.context() != plane.context());
    others
        .filter(|other| other.id().as_ref() == Some(&id))
        .map(|other| other.context().to_owned())
        .collect()
}

/// Where the plane fails altogether, the fleet tells us; where it failed only here, it has to be asked again.
async fn versions(plane: &Plane<Remote>) -> Result<Versions, Unknown> {
    if let Some(known) = plane.caches.versions() {
        return Ok(known);
    }
    let server = plane.server_version().await?;
    let versions = Versions {
        server: Some(server),
        cass_operator: operator::version(plane).await,
    };
    plane.caches.set_versions(Some(versions.clone()));
    Ok(versions)
}
