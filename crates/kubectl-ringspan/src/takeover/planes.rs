//! Whether each plane can be used.

use std::collections::BTreeSet;

use api::cass_operator::CassandraDatacenter;
use api::k8ssandra_cluster::K8ssandraCluster;
use api::seen::Unknown;

use super::findings::Findings;
use crate::live::{Live, Place, identified, said};

pub(super) async fn look(live: &Live, clusters: &[K8ssandraCluster], found: &mut Findings) {
    let used: BTreeSet<&str> = clusters
        .iter()
        .flat_map(Place::of_spec)
        .map(|it| it.context)
        .filter(|it| !it.is_empty())
        .collect();
    let all: BTreeSet<&str> = live
        .once()
        .contexts()
        .into_iter()
        .chain(used.iter().copied())
        .collect();
    let asked = all
        .into_iter()
        .map(async |context| (context, usable(live, context).await));
    for (context, answer) in futures::future::join_all(asked).await {
        found.about(&format!("Plane {context}"));
        match answer {
            Ok(sentence) => found.fine(&sentence),
            Err(sentence) if used.contains(context) => found.in_the_way(&sentence),
            Err(sentence) => found.note(&format!(
                "no datacenter is there, and it cannot be used: {sentence}"
            )),
        }
    }
    for second in live.once().duplicates() {
        found.in_the_way(&second);
    }
}

/// What it says, or why it cannot be used.
async fn usable(live: &Live, context: &str) -> Result<String, String> {
    let told = |unknown: Unknown| said(&unknown);
    let plane = live.once().plane(context).await.map_err(told)?;
    identified(&plane).await.map_err(told)?;
    plane
        .list_live::<CassandraDatacenter>(None, "", None)
        .await
        .map_err(told)?;
    let version = plane.server_version().await.map_err(told)?;
    Ok(format!("answers ({version}), and its datacenters can be read"))
}
