//! Whether a plane answers. Nothing asks a plane in turns; a failure of any call or watch raises suspicion, and then
//! it is asked who it is. A plane that does not answer is asked again, at most 15 s apart, until it does.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::names::reason;
use api::seen::{PlaneId, Unknown};
use kube::Client;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};

use crate::identity::{self, Strong};
use crate::limits::Deadlines;
use crate::trouble::{explain, plane_named, reasons, unknown};

/// Least time between two probes, however many calls fail.
const LEAST_PAUSE: Duration = Duration::from_secs(1);

/// Whether a plane answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It has not been heard of yet.
    Connecting,
    /// It answered the last time it was asked.
    Reachable,
    /// It does not answer, or not as a Kubernetes API server that accepts us.
    Unreachable {
        /// Since when.
        since: Instant,
        /// Why, and what to do.
        unknown: Unknown,
    },
}

/// What is known of one plane, told to everybody who holds it.
pub(crate) struct Pulse {
    context: String,
    state: Mutex<State>,
    suspicion: Notify,
    swapped: AtomicBool,
    changed: Arc<dyn Fn() + Send + Sync>,
    told: watch::Sender<u64>,
}

struct State {
    health: Health,
    id: Option<PlaneId>,
    /// Watches of this plane by number, and whether they have an answer of any kind.
    watches: BTreeMap<usize, bool>,
}

impl Pulse {
    pub fn new(context: &str, changed: Arc<dyn Fn() + Send + Sync>) -> Arc<Self> {
        let state = State {
            health: Health::Connecting,
            id: None,
            watches: BTreeMap::new(),
        };
        Arc::new(Self {
            context: context.to_owned(),
            state: Mutex::new(state),
            suspicion: Notify::new(),
            swapped: AtomicBool::new(false),
            changed,
            told: watch::Sender::new(0),
        })
    }

    pub fn health(&self) -> Health {
        self.state().health.clone()
    }

    pub fn id(&self) -> Option<PlaneId> {
        self.state().id.clone()
    }

    /// True once another cluster answered than before: everything known of this plane is of the other one.
    pub fn swapped(&self) -> bool {
        self.swapped.load(Ordering::Acquire)
    }

    /// Something went wrong that may mean that the plane is gone.
    pub fn suspect(&self) {
        self.suspicion.notify_one();
    }

    /// Why nothing can be said, if the plane is known not to answer.
    pub fn unreachable(&self) -> Option<Unknown> {
        match &self.state().health {
            Health::Unreachable { unknown, .. } => Some(unknown.clone()),
            _ => None,
        }
    }

    pub fn not_heard_yet(&self) -> Unknown {
        let message = format!("{} has not been listed yet.", plane_named(&self.context));
        unknown(&self.context, reason::PLANE_UNREACHABLE, message)
    }

    /// A new watch that has no answer yet; returns its number.
    pub fn add_watch(&self) -> usize {
        let mut state = self.state();
        let number = state.watches.len();
        state.watches.insert(number, false);
        number
    }

    /// A watch got or lost its answer.
    pub fn watch_changed(&self, number: usize, answered: bool) {
        self.state().watches.insert(number, answered);
        self.tell();
    }

    /// Waits until the plane is known not to answer, or all its watches have got an answer.
    pub async fn settled(&self) {
        let mut told = self.told.subscribe();
        let settled = |state: &State| match state.health {
            Health::Connecting => false,
            Health::Reachable => state.watches.values().all(|answered| *answered),
            Health::Unreachable { .. } => true,
        };
        while !settled(&self.state()) {
            if told.changed().await.is_err() {
                return;
            }
        }
    }

    fn answered(&self, strong: Strong) {
        if self.swapped() {
            return;
        }
        let mut state = self.state();
        let known = state.id.clone();
        if let (Some(known), Strong::Id(id)) = (&known, &strong)
            && known != id
        {
            drop(state);
            tracing::warn!(plane = self.context, %known, now = %id, "another cluster answers than before");
            return self.swap();
        }
        if let Strong::Id(id) = strong {
            state.id = Some(id);
        }
        let moved = state.health != Health::Reachable || state.id != known;
        state.health = Health::Reachable;
        drop(state);
        if moved {
            tracing::info!(plane = self.context, "plane answers");
            self.tell();
        }
    }

    /// What was seen through this plane was seen in the other cluster, so nothing is said of it any more, and its id
    /// stays that of the other. The registry makes the plane anew.
    fn swap(&self) {
        self.swapped.store(true, Ordering::Release);
        let message = format!(
            "{} is now another cluster than a moment ago. It is connected anew.",
            plane_named(&self.context)
        );
        self.lost(unknown(&self.context, reasons::IDENTITY_CHANGED, message));
    }

    fn lost(&self, unknown: Unknown) {
        let mut state = self.state();
        let since = match &state.health {
            // The words of the first failure stay: they differ from try to try, and would make everybody look again.
            Health::Unreachable { unknown: old, .. } if old.reason == unknown.reason => return,
            Health::Unreachable { since, .. } => *since,
            _ => Instant::now(),
        };
        tracing::warn!(
            plane = self.context,
            reason = unknown.reason,
            why = unknown.message,
            "plane lost"
        );
        state.health = Health::Unreachable { since, unknown };
        drop(state);
        self.tell();
    }

    fn tell(&self) {
        self.told.send_modify(|told| *told = told.wrapping_add(1));
        (self.changed)();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each holder leaves whole values behind, even if it panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks the plane who it is: at once, on every suspicion, and in growing pauses while it does not answer. Never ends.
pub(crate) async fn watch_over(pulse: Arc<Pulse>, client: Client, deadlines: Deadlines) {
    let mut pause = deadlines.first_pause;
    loop {
        let asked = Instant::now();
        match probe(&pulse.context, &client, deadlines.probe).await {
            Ok(strong) => {
                pause = deadlines.first_pause;
                pulse.answered(strong);
                pulse.suspicion.notified().await;
                sleep(
                    LEAST_PAUSE
                        .min(deadlines.first_pause)
                        .saturating_sub(asked.elapsed()),
                )
                .await;
            }
            Err(unknown) => {
                pulse.lost(unknown);
                sleep(pause).await;
                pause = (pause * 2).min(deadlines.longest_pause);
            }
        }
    }
}

async fn probe(context: &str, client: &Client, within: Duration) -> Result<Strong, Unknown> {
    let what = "who it is";
    let Ok(answer) = timeout(within, identity::strong(client)).await else {
        let message = format!(
            "{} gave no answer on {what} within {within:?}.",
            plane_named(context)
        );
        return Err(unknown(context, reason::PLANE_UNREACHABLE, message));
    };
    answer.map_err(|error| explain(context, what, "", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn once_another_cluster_answered_nothing_is_said_of_either() {
        let pulse = Pulse::new("east", Arc::new(|| {}));
        let id = |uid: &str| Strong::Id(PlaneId(uid.to_owned()));
        pulse.answered(id("one"));
        assert_eq!(pulse.unreachable(), None);
        for who in ["another", "one"] {
            pulse.answered(id(who));
            assert!(pulse.swapped(), "{who}");
            assert_eq!(pulse.id(), Some(PlaneId("one".to_owned())), "{who}");
            let unknown = pulse.unreachable().unwrap();
            assert_eq!(unknown.reason, reasons::IDENTITY_CHANGED, "{who}");
        }
    }
}
