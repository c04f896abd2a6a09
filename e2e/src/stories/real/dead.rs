//! A datacenter is dead, and the other one is restarted meanwhile.

use std::time::Instant;

use anyhow::ensure;
use api::k8ssandra_cluster::K8ssandraCluster;
use scylla::statement::Consistency;
use serde_json::Value;

use super::healing::{
    Members, addresses, back, delete_pods, gets_row, made, members, moved, seeds_are_of, session,
};
use super::ring::{RING_WITHIN, cluster_of, end, one_schema, whole};
use super::rows::{ROWS, has_every_row, has_row, write, written};
use crate::stories::clusters::dc;
use crate::stories::print;
use crate::world::{Login, World};
use crate::{Mode, eventually};

const NAME: &str = "dead";

pub(in crate::stories) async fn dead(world: &mut World) -> anyhow::Result<()> {
    let spec = cluster_of(NAME, &[dc("dc1", "east", 1), dc("dc2", "west", 2)], &["r1"]);
    let views = made(world, &spec, 3).await?;
    let superuser = world.superuser("control-plane", NAME).await?;
    let first = session(world, &views, "dc1", &superuser).await?;
    written(world, &views, &first, &[("dc1", 1), ("dc2", 2)]).await?;
    drop(first);
    let before = members(world, NAME).await?;

    world.power("east", false).await?;
    world.planes.data[0].proxy().set(Mode::BlackHole).await?;
    let began = Instant::now();
    delete_pods(world, "west", "dc2").await?;
    back(world, "west", "dc2", 2).await?;
    print(&format!(
        "    both nodes of dc2 are back after {:.0} s, with dc1 dead",
        began.elapsed().as_secs_f64()
    ));
    serves_alone(world, &spec, &before, &superuser).await?;
    let said = away(world).await?;
    ensure!(said.contains("plane east"), "the plane is not named: {said}");
    print(&format!("    status: {said}"));

    world.planes.data[0].proxy().set(Mode::Pass).await?;
    world.power("east", true).await?;
    let began = Instant::now();
    back(world, "east", "dc1", 1).await?;
    let views = whole(world, &spec, 3).await?;
    one_schema(world, &views).await?;
    world.ready(NAME, RING_WITHIN).await?;
    let after = members(world, NAME).await?;
    moved(&before, &after, "dc2")?;
    let service = ("east", "dead-dc1-additional-seed-service");
    seeds_are_of(world, service, &addresses(&after, "dc2")).await?;
    let first = session(world, &views, "dc1", &superuser).await?;
    has_every_row(&first).await?;
    gets_row(&first, ROWS).await?;
    print(&format!(
        "    dc1 is back, and the ring whole, after {:.0} s: the same {} host ids, each of {} rows in dc1",
        began.elapsed().as_secs_f64(),
        after.len(),
        ROWS + 1
    ));
    end(world, NAME).await
}

/// What Ready says of the plane that does not answer: False when something was to be decided meanwhile, else Unknown.
async fn away(world: &World) -> anyhow::Result<String> {
    let reason = "PlaneUnreachable";
    let ready = |cluster: &K8ssandraCluster| {
        let conditions = cluster.status.iter().flat_map(|status| &status.conditions);
        let mut ready =
            conditions.filter(|condition| condition.type_ == "Ready" && condition.status != "True");
        let said = ready.find(|condition| condition.reason.as_deref() == Some(reason));
        said.map(|condition| {
            format!(
                "Ready={} {reason}: {}",
                condition.status,
                condition.message.clone().unwrap_or_default()
            )
        })
    };
    let told = world.cluster_is(NAME, reason, RING_WITHIN, |cluster| ready(cluster).is_some());
    Ok(ready(&told.await?).unwrap_or_default())
}

/// dc2 is the ring that it was, has everything, and takes what is new. That dc1 is down is what it says of it.
async fn serves_alone(
    world: &World,
    spec: &Value,
    before: &Members,
    superuser: &Login,
) -> anyhow::Result<()> {
    moved(before, &members(world, NAME).await?, "dc2")?;
    let told = eventually("ring verify names dc1 alone", RING_WITHIN, || async {
        let views = world.node_views(NAME, "system_auth").await?;
        ensure!(views.len() == 2, "{} nodes answer", views.len());
        let (code, said) = world.verdict(&spec.to_string(), &views).await?;
        let about: Vec<&str> = said.lines().filter(|line| line.contains(": node ")).collect();
        let dc1_is_down = about.len() == 1 && about[0].starts_with("dc1: ") && about[0].contains("DN");
        ensure!(code == 1 && dc1_is_down, "it ends with {code}: {said}");
        Ok(Some(views))
    });
    let views = told.await?;
    let there = session(world, &views, "dc2", superuser).await?;
    has_every_row(&there).await?;
    write(&there, ROWS, Consistency::LocalQuorum).await?;
    has_row(&there, ROWS).await
}
