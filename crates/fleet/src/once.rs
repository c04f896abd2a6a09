//! Planes for a program that looks once and ends: no watch, no probe, nothing but gets and lists.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use api::client_config::ClientConfig;
use api::grants::Grants;
use api::seen::{Seen, Unknown};
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use runtime::{CancellationToken, Key, Metrics};

use crate::claim::{self, Claim, duplicate, winners};
use crate::dial;
use crate::health::Pulse;
use crate::kubeconfig::Access;
use crate::link::{Bounds, PlaneLink, Pool};
use crate::options::{FleetOptions, header};
use crate::plane::Plane;
use crate::refusal::{Refusal, RefusalReason};
use crate::sources::KUBECONFIG;
use crate::trouble::unknown;

/// The control plane, and every plane that its `ClientConfigs` give.
pub struct Once {
    control: Plane<()>,
    options: FleetOptions,
    claims: BTreeMap<Key, Claim>,
}

impl Once {
    /// Lists the `ClientConfigs` of the options' namespaces; none = all.
    ///
    /// # Errors
    /// They cannot be listed, or nobody could be asked at all.
    pub async fn look(client: Client, options: FleetOptions) -> Result<Self, Unknown> {
        let first = Mutex::new(Some(client.clone()));
        let pool: Pool = Arc::new(move || {
            let first = first.lock().unwrap_or_else(PoisonError::into_inner).take();
            Ok(dial::through(first.unwrap_or_else(|| client.clone())))
        });
        let control = plane("", pool, None, &options)
            .map_err(|refusal| unknown("", refusal.reason.as_str(), refusal.message))?;
        let mut claims = BTreeMap::new();
        let everywhere = [None];
        let some: Vec<_> = options
            .namespaces
            .iter()
            .map(|name| Some(name.as_str()))
            .collect();
        let namespaces = if some.is_empty() { &everywhere[..] } else { &some };
        for namespace in namespaces {
            let listed = control.list_live::<ClientConfig>(*namespace, "", None).await?;
            claims.extend(listed.iter().filter_map(|it| Some((Key::of(it)?, Claim::of(it)))));
        }
        Ok(Self {
            control,
            options,
            claims,
        })
    }

    /// The control plane itself.
    #[must_use]
    pub fn control(&self) -> &Plane<()> {
        &self.control
    }

    /// Names of the contexts that `ClientConfigs` give.
    #[must_use]
    pub fn contexts(&self) -> BTreeSet<&str> {
        self.claims.values().map(|claim| claim.context.as_str()).collect()
    }

    /// By context: whom the owners of planes let in, see [`api::grants`].
    #[must_use]
    pub fn grants(&self) -> BTreeMap<String, Grants> {
        claim::grants(
            &winners(&self.claims),
            |key| self.claims.get(key),
            self.options.require_grants,
        )
    }

    /// What the `ClientConfigs` are told whose context an older one gives.
    #[must_use]
    pub fn duplicates(&self) -> Vec<String> {
        let winners = winners(&self.claims);
        let second = self.claims.iter().filter_map(|(key, claim)| {
            let winner = winners.get(claim.context.as_str()).filter(|it| **it != key)?;
            Some(format!(
                "ClientConfig {key}: {}",
                duplicate(claim, winner).message
            ))
        });
        second.collect()
    }

    /// The plane of a context that is not empty. It has not been asked anything.
    ///
    /// # Errors
    /// Why there is none: no `ClientConfig`, no Secret, or a kubeconfig that is refused.
    pub async fn plane(&self, context: &str) -> Result<Plane<()>, Unknown> {
        let claimed = winners(&self.claims);
        let Some((key, claim)) = claimed
            .get(context)
            .and_then(|key| Some((*key, self.claims.get(*key)?)))
        else {
            return Err(crate::registry::no_such_context(context));
        };
        let refused = |refusal: Refusal| unknown(context, refusal.reason.as_str(), refusal.message);
        let name = claim.secret.as_ref().ok_or_else(|| {
            refused(Refusal::new(
                RefusalReason::SecretNotNamed,
                format!("ClientConfig {key} names no Secret. Set spec.kubeConfigSecret.name."),
            ))
        })?;
        let secret = Key::new(&key.namespace, name);
        let bytes = match self.control.read::<Secret>(&key.namespace, name, None).await {
            Seen::Present(found) => found.data.and_then(|mut data| data.remove(KUBECONFIG)),
            Seen::Unknown(why) => {
                let message = format!("Its kubeconfig is in Secret {secret}: {}", why.message);
                return Err(unknown(context, &why.reason, message));
            }
            Seen::Absent(_) | Seen::NotListed => return Err(refused(crate::sources::no_secret(&secret))),
        };
        let bytes = bytes.filter(|bytes| !bytes.0.is_empty());
        let bytes = bytes.ok_or_else(|| refused(crate::sources::no_kubeconfig(&secret)))?;
        let access = Access::parse(&bytes.0, context).map_err(|refusal| {
            let message = format!("Secret {secret}, key kubeconfig: {}", refusal.message);
            refused(Refusal { message, ..refusal })
        })?;
        let (dial, deadlines) = (Arc::clone(&self.options.dial), self.options.deadlines);
        let known = access.clone();
        let pool: Pool = Arc::new(move || dial(&access, &deadlines));
        plane(context, pool, Some(&known), &self.options).map_err(refused)
    }
}

fn plane(
    context: &str,
    pool: Pool,
    access: Option<&Access>,
    options: &FleetOptions,
) -> Result<Plane<()>, Refusal> {
    let bounds = Bounds {
        deadlines: options.deadlines,
        limits: options.limits,
        user_agent: header(&options.user_agent),
        counter: None,
    };
    let link = PlaneLink::new(
        context,
        pool,
        &bounds,
        &options.namespaces,
        Pulse::new(context, Arc::new(|| {})),
        &Metrics::new(),
        CancellationToken::new(),
    )?;
    let host = access.map(Access::host).unwrap_or_default();
    let expires = access.and_then(|access| access.expires);
    Ok(Plane::new((), link, host, expires, options.limits.listed))
}

impl std::fmt::Debug for Once {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Once")
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}
