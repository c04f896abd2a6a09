//! From the `ClientConfigs` and Secrets as they are to the planes as they should be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use api::grants::Grants;
use runtime::{Key, Next};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::claim::{self, Claim, duplicate, winners};
use crate::kubeconfig::Access;
use crate::refusal::{Refusal, RefusalReason};
use crate::registry::{Fingerprint, Fleet, Slot, Verdict};
use crate::sources::Found;

/// A plane whose Secret changes all the time is rebuilt at most this often.
const LEAST_LIFE: Duration = Duration::from_secs(1);

impl<C: Send + Sync + 'static> Fleet<C> {
    /// One look at everything: from the `ClientConfigs` and Secrets as they are to the planes as they should be.
    pub(crate) fn settle(self: &Arc<Self>) -> Next {
        let Some(claims) = self.sources.claims() else {
            return Next::Done;
        };
        let claims: BTreeMap<_, _> = claims.iter().map(|(key, claim)| (key, claim.as_ref())).collect();
        let winners = winners(claims.iter().map(|(key, claim)| (*key, *claim)));
        let secrets = winners
            .values()
            .filter_map(|key| secret_of(key, claims.get(*key)?))
            .collect();
        self.sources.watch_secrets(&secrets);
        let mut round = Round {
            moved: false,
            waiting: BTreeSet::new(),
            again: None,
        };
        let granted = claim::grants(
            &winners,
            |key| claims.get(key).copied(),
            self.options.require_grants,
        );
        self.let_in(granted, &mut round);
        self.drop_unclaimed(&winners, &mut round);
        let mut verdicts = BTreeMap::new();
        for (key, claim) in &claims {
            let winner = winners.get(claim.context.as_str()).copied().unwrap_or(key);
            let verdict = if winner == *key {
                self.settle_one(key, claim, &mut round)
            } else {
                Verdict::Refused(duplicate(claim, winner))
            };
            verdicts.insert((*key).clone(), verdict);
        }
        self.renew_home(&mut round);
        let first = round.waiting.is_empty() && !self.settled.send_replace(true);
        let known = {
            let mut slots = self.write();
            slots.waiting = round.waiting;
            std::mem::replace(&mut slots.verdicts, verdicts.clone())
        };
        if round.moved || first || known != verdicts {
            (self.changed)();
        }
        round.again.map_or(Next::Done, Next::After)
    }

    /// Brings one context to what its `ClientConfig` and Secret say.
    fn settle_one(self: &Arc<Self>, key: &Key, claim: &Claim, round: &mut Round) -> Verdict {
        let context = claim.context.as_str();
        let Some(secret) = secret_of(key, claim) else {
            let refusal = Refusal::new(
                RefusalReason::SecretNotNamed,
                format!("ClientConfig {key} names no Secret. Set spec.kubeConfigSecret.name."),
            );
            return self.refuse(context, refusal, round);
        };
        let bytes = match self.sources.kubeconfig(&secret) {
            Found::Bytes(bytes) => bytes,
            Found::Refused(refusal) => return self.refuse(context, refusal, round),
            Found::Waiting => {
                round.waiting.insert(context.to_owned());
                return Verdict::Waiting;
            }
        };
        let Some(sealed) = bytes.as_ref() else {
            return Verdict::Waiting;
        };
        let fingerprint = fingerprint(context, sealed.bytes());
        if let Some(verdict) = self.unchanged(context, &fingerprint, round) {
            return verdict;
        }
        let outcome = Access::parse(sealed.bytes(), context)
            .and_then(|access| self.engage(context, &access))
            .map_err(|refusal| Refusal {
                message: format!("Secret {secret}, key kubeconfig: {}", refusal.message),
                ..refusal
            });
        let verdict = match &outcome {
            Ok(_) => Verdict::Engaged(context.to_owned()),
            Err(refusal) => Verdict::Refused(refusal.clone()),
        };
        self.put(
            context,
            Slot {
                fingerprint,
                since: Instant::now(),
                outcome,
            },
            round,
        );
        verdict
    }

    /// The verdict that stays, if the plane is made from the same bytes or was made too recently.
    fn unchanged(&self, context: &str, fingerprint: &Fingerprint, round: &mut Round) -> Option<Verdict> {
        let slots = self.read();
        let slot = slots.by_context.get(context)?;
        let swapped = slot
            .outcome
            .as_ref()
            .is_ok_and(|plane| plane.link().pulse.swapped());
        let young = LEAST_LIFE.saturating_sub(slot.since.elapsed());
        if (slot.fingerprint != *fingerprint || swapped) && young.is_zero() {
            return None;
        }
        if slot.fingerprint != *fingerprint || swapped {
            round.again = Some(round.again.map_or(young, |again| again.min(young)));
        }
        Some(match &slot.outcome {
            Ok(_) => Verdict::Engaged(context.to_owned()),
            Err(refusal) => Verdict::Refused(refusal.clone()),
        })
    }

    fn refuse(&self, context: &str, refusal: Refusal, round: &mut Round) -> Verdict {
        let same = self
            .read()
            .by_context
            .get(context)
            .is_some_and(|slot| slot.outcome.as_ref().err() == Some(&refusal));
        if !same {
            let slot = Slot {
                fingerprint: [0; 32],
                since: Instant::now(),
                outcome: Err(refusal.clone()),
            };
            self.put(context, slot, round);
        }
        Verdict::Refused(refusal)
    }

    /// Takes over whom the planes let in: before a new one can be used, so that nobody is let in by mistake.
    fn let_in(&self, granted: BTreeMap<String, Grants>, round: &mut Round) {
        let mut slots = self.write();
        if slots.grants != granted {
            slots.grants = granted;
            round.moved = true;
        }
    }

    fn drop_unclaimed(&self, winners: &BTreeMap<&str, &Key>, round: &mut Round) {
        let claimed = |context: &str| context.is_empty() || winners.contains_key(context);
        let gone: BTreeSet<_> = self
            .read()
            .by_context
            .keys()
            .filter(|context| !claimed(context))
            .cloned()
            .collect();
        for context in gone {
            self.remove(&context);
            round.moved = true;
        }
    }

    fn put(&self, context: &str, slot: Slot<C>, round: &mut Round) {
        self.remove(context);
        if let Err(refusal) = &slot.outcome {
            tracing::warn!(plane = context, reason = %refusal.reason, why = refusal.message, "plane refused");
        }
        self.write().by_context.insert(context.to_owned(), slot);
        round.moved = true;
    }

    pub(crate) fn remove(&self, context: &str) {
        let slot = self.write().by_context.remove(context);
        if let Some(plane) = slot.and_then(|slot| slot.outcome.ok()) {
            plane.link().stop.cancel();
            tracing::info!(plane = context, "plane disengaged");
        }
    }
}

/// What one look at everything found.
pub(crate) struct Round {
    pub moved: bool,
    /// Contexts whose Secret has not been listed yet.
    waiting: BTreeSet<String>,
    again: Option<Duration>,
}

fn secret_of(key: &Key, claim: &Claim) -> Option<Key> {
    claim.secret.as_ref().map(|name| Key::new(&key.namespace, name))
}

fn fingerprint(context: &str, bytes: &[u8]) -> Fingerprint {
    Sha256::new()
        .chain_update(context)
        .chain_update([0])
        .chain_update(bytes)
        .finalize()
        .into()
}
