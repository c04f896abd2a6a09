//! How a plane is made: connections, watches, and somebody who looks after its health.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use runtime::Guard;
use tokio::time::Instant;

use crate::dial;
use crate::health::{Pulse, watch_over};
use crate::kubeconfig::Access;
use crate::link::{Bounds, PlaneLink, Pool};
use crate::options::header;
use crate::plane::Plane;
use crate::refusal::Refusal;
use crate::registry::{Fleet, Slot};
use crate::settle::Round;
use crate::sources::everything;

impl<C: Send + Sync + 'static> Fleet<C> {
    /// Makes the plane of one context and starts its watches.
    pub(crate) fn engage(self: &Arc<Self>, context: &str, access: &Access) -> Result<Arc<Plane<C>>, Refusal> {
        let (dial, deadlines) = (Arc::clone(&self.options.dial), self.options.deadlines);
        let host = access.host();
        let expires = access.expires;
        let access = access.clone();
        self.make(
            context,
            Arc::new(move || dial(&access, &deadlines)),
            host,
            expires,
        )
    }

    pub(crate) fn engage_home(self: &Arc<Self>) {
        let rest = self.home.watch_client.clone();
        // The first pool is for requests, all later ones for watches.
        let first = Mutex::new(Some(self.home.client.clone()));
        let pool: Pool = Arc::new(move || {
            let first = first.lock().unwrap_or_else(PoisonError::into_inner).take();
            Ok(dial::through(first.unwrap_or_else(|| rest.clone())))
        });
        match self.make("", pool, String::new(), None) {
            Ok(plane) => {
                let slot = Slot {
                    fingerprint: [0; 32],
                    since: Instant::now(),
                    outcome: Ok(plane),
                };
                self.write().by_context.insert(String::new(), slot);
            }
            Err(refusal) => tracing::error!(%refusal, "the control plane cannot be used as a plane"),
        }
    }

    /// The control plane is made anew, too, when another cluster answers at its address.
    pub(crate) fn renew_home(self: &Arc<Self>, round: &mut Round) {
        let swapped = self.read().by_context.get("").is_some_and(|slot| {
            slot.outcome
                .as_ref()
                .is_ok_and(|plane| plane.link().pulse.swapped())
        });
        if swapped {
            self.remove("");
            self.engage_home();
            round.moved = true;
        }
    }

    fn make(
        self: &Arc<Self>,
        context: &str,
        pool: Pool,
        host: String,
        expires: Option<Timestamp>,
    ) -> Result<Arc<Plane<C>>, Refusal> {
        let (changed, queue) = (Arc::clone(&self.changed), self.queue.clone());
        let pulse = Pulse::new(
            context,
            Arc::new(move || {
                queue.wake(everything());
                changed();
            }),
        );
        let bounds = Bounds {
            deadlines: self.options.deadlines,
            limits: self.options.limits,
            user_agent: header(&self.options.user_agent),
            counter: (!context.is_empty()).then(|| self.counter(context)),
        };
        let stop = self.home.stop.child_token();
        let namespaces = &self.options.namespaces;
        let link = PlaneLink::new(
            context,
            pool,
            &bounds,
            namespaces,
            Arc::clone(&pulse),
            &self.home.metrics,
            stop.clone(),
        )?;
        let caches = (self.engage)(&link);
        let care = watch_over(pulse, link.probe.clone(), self.options.deadlines);
        tokio::spawn(async move { stop.run_until_cancelled_owned(care).await });
        tracing::info!(plane = context, host, "plane engaged");
        Ok(Arc::new(Plane::new(
            caches,
            link,
            host,
            expires,
            self.options.limits.listed,
        )))
    }

    fn counter(&self, context: &str) -> Guard {
        let later = self.options.deadlines.call + Duration::from_secs(1);
        Guard::new(context, &self.home.metrics)
            .deadline(later)
            .most_answer(self.options.limits.page * 2)
    }
}
