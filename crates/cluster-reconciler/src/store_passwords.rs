//! Reads the passwords of keystores and truststores, when a plan asks for them.
//!
//! They stand in the user's Secrets beside the stores themselves: in the datacenter's namespace of its plane. Each Secret
//! is read once, and of its content nothing is kept but the passwords, for one pass.

use std::collections::{BTreeMap, BTreeSet};

use api::k8ssandra_cluster::K8ssandraCluster;
use api::seen::{PlaneId, Seen};
use fleet::Plane;
use k8s_openapi::api::core::v1::Secret;
use plan::cluster::facts::ClusterFacts;
use plan::datacenter::{NoPassword, Password, PasswordOf, PasswordSource, password_sources};

use crate::Context;
use crate::watches::Remote;

type Passwords = BTreeMap<PasswordOf, Result<Password, NoPassword>>;

/// Fills in the passwords that these datacenters need.
pub(crate) async fn read(context: &Context, facts: &mut ClusterFacts, names: &BTreeSet<String>) {
    let places = names.iter().filter_map(|name| {
        let datacenter = facts.datacenters.get(name)?;
        let plane = facts.planes.get(&datacenter.context)?.clone();
        Some((
            name.clone(),
            datacenter.context.clone(),
            datacenter.namespace.clone(),
            plane,
        ))
    });
    let kc = &facts.kc;
    let reads = places
        .collect::<Vec<_>>()
        .into_iter()
        .map(async |(name, plane, namespace, expected)| {
            let plane = expected.and_then(|id| Ok((context.fleet.plane(&plane)?, id)));
            let passwords = match plane {
                Ok((plane, id)) => of_datacenter(&plane, &id, kc, &name, &namespace).await,
                Err(unknown) => sources(kc, &name)
                    .map(|source| (source.of, Err(NoPassword::Unknown(unknown.clone()))))
                    .collect(),
            };
            (name, passwords)
        });
    for (name, passwords) in futures::future::join_all(reads).await {
        facts.references.entry(name).or_default().store_passwords = passwords;
    }
}

/// A spec that names none is told of by the plan.
fn sources(kc: &K8ssandraCluster, datacenter: &str) -> impl Iterator<Item = PasswordSource> {
    password_sources(kc, datacenter).unwrap_or_default().into_iter()
}

async fn of_datacenter(
    plane: &Plane<Remote>,
    expected: &PlaneId,
    kc: &K8ssandraCluster,
    datacenter: &str,
    namespace: &str,
) -> Passwords {
    let mut by_secret: BTreeMap<String, Vec<PasswordSource>> = BTreeMap::new();
    for source in sources(kc, datacenter) {
        by_secret.entry(source.secret.clone()).or_default().push(source);
    }
    let mut passwords = Passwords::new();
    for (secret, sources) in by_secret {
        let seen = plane.read::<Secret>(namespace, &secret, Some(expected)).await;
        passwords.extend(
            sources
                .into_iter()
                .map(|source| (source.of, password(&seen, &source.key))),
        );
    }
    passwords
}

fn password(seen: &Seen<Secret>, key: &str) -> Result<Password, NoPassword> {
    match seen {
        Seen::Present(secret) => {
            let value = secret.data.as_ref().and_then(|data| data.get(key));
            let bytes = value.ok_or(NoPassword::NoKey)?;
            Password::of_bytes(bytes.0.clone())
        }
        Seen::Unknown(unknown) => Err(NoPassword::Unknown(unknown.clone())),
        // A live read lists nothing.
        Seen::Absent(_) | Seen::NotListed => Err(NoPassword::NoSecret),
    }
}
