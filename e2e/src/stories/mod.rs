//! User stories: each is a row with an id, told with the shipped programs on clusters of any provider.
//!
//! * `create`: one, two, three datacenters; the first stopped; the first in a dead plane
//! * `change`: size, another datacenter, stop and start, removal, deletion
//! * `planes`: a plane that is down in three ways; restart of everything; ClientConfigs that come, change and go
//! * `programs`: a program that is down
//! * `grants`: planes that are not for everybody
//! * `canaries`: Secrets stay secret
//! * `bad_input`: what users get wrong, and what they are told
//! * `takeover`: an installation of k8ssandra-operator is taken over, and could be given back
//! * `roll_out`: changes of datacenters that run
//! * `neighbours`: objects of others with the names of ours
//! * `removal`: what goes, or is gone already
//! * `real`: with nodes that are processes of Cassandra

mod bad_input;
mod canaries;
mod change;
mod clusters;
mod create;
mod grants;
mod neighbours;
mod planes;
mod programs;
mod real;
mod removal;
mod roll_out;
mod takeover;

use std::time::{Duration, Instant};

use anyhow::Context;
use futures::future::LocalBoxFuture;

use crate::world::{Setup, World};
use crate::{Mode, Provider};

/// How a story is told: in a world with three planes of which all are joined.
type Tell = for<'a> fn(&'a mut World) -> LocalBoxFuture<'a, anyhow::Result<()>>;

/// One row.
pub struct Story {
    /// What it is called on the command line and in output.
    pub id: &'static str,
    /// What it shows, in one sentence.
    pub shows: &'static str,
    /// Whether it needs nodes that are processes of Cassandra. The others are told with modelled ones: they look into the
    /// model, and have no time for processes.
    pub real: bool,
    told: Tell,
}

macro_rules! stories {
    (@ $id:literal, $shows:literal, $real:literal, $room:ident, $told:ident) => {
        Story { id: $id, shows: $shows, real: $real, told: |world| Box::pin($room::$told(world)) }
    };
    ($($id:literal, $shows:literal, $room:ident :: $told:ident;)* real: $($real_id:literal, $real_shows:literal, $real_told:ident;)*) => {
        /// Every story, in the order in which they are told.
        pub const ALL: &[Story] = &[
            $(stories!(@ $id, $shows, false, $room, $told),)*
            $(stories!(@ $real_id, $real_shows, true, real, $real_told),)*
        ];
    };
}

stories! {
    "create-two", "two datacenters in two planes become one ring, within the budget of writes, and then all is quiet", create::two;
    "create-one", "one datacenter in one plane", create::one;
    "create-local", "one datacenter in the control plane itself and one in a plane", create::local;
    "create-three", "three datacenters join one after the other", create::three;
    "first-stopped", "the first of the list is stopped: the second founds, and the first joins once it is started", create::first_stopped;
    "first-plane-dead", "the first of the list is in a dead plane: nothing is founded until it returns", create::first_plane_dead;
    "size", "a new size reaches the datacenter that it is for", change::size;
    "add", "a datacenter is added to a ring", change::add;
    "stop-start", "a datacenter is stopped and started", change::stop_start;
    "remove", "a datacenter is removed: its nodes are decommissioned and the ring shrinks", change::remove;
    "remove-held", "a datacenter with replicas is not removed before its keyspaces are altered", change::remove_held;
    "delete", "a cluster is deleted, and nothing of it is left in any plane", change::delete_story;
    "orphan", "a cluster is deleted with policy Orphan: its datacenters go on, and keep their Secret", change::orphan;
    "down-refused", "a plane refuses connections, before and after founding", planes::down_refused;
    "down-black-hole", "a plane is silent, before and after founding", planes::down_black_hole;
    "down-500", "a plane answers 500, before and after founding", planes::down_500;
    "restart", "all programs are killed and started: nothing is written", planes::restart;
    "secrets-gate", "while secret-replicator is down no datacenter is made", programs::secrets_gate;
    "seeds-gate", "while topology-reconciler is down no datacenter joins", programs::seeds_gate;
    "clientconfig", "ClientConfigs are added, replaced and removed while everything runs on", planes::client_config;
    "grants", "a plane that is not granted to the cluster's namespace is not used, and what is there when a grant goes stays", grants::grants;
    "secrets", "what is in Secrets stands in no log, event, metric, status or annotation", canaries::stay_secret;
    "bad-no-cassandra", "a cluster without spec.cassandra", bad_input::no_cassandra;
    "bad-unknown-context", "a datacenter in a context that nobody gave", bad_input::unknown_context;
    "bad-clientconfig", "ClientConfigs whose Secret is missing, empty, or has what is refused", bad_input::client_configs_story;
    "bad-no-cass-operator", "a plane without cass-operator's definitions", bad_input::no_cass_operator;
    "bad-foreign-datacenter", "a CassandraDatacenter of that name that somebody else made", bad_input::foreign_datacenter;
    "bad-superuser-secret", "a superuser Secret without its two keys", bad_input::superuser_secret;
    "takeover", "an installation of k8ssandra-operator is taken over without a write to any datacenter, changed as planned, and left so that k8ssandra-operator would hold", takeover::there_and_back;

    "roll-out", "an edit of the configuration reaches one datacenter after the other", roll_out::one_after_another;
    "upgrade-held", "what a new release would write differently is told with its effect, and not written without a word", roll_out::upgrade_held;
    "mended", "an edit with which no node starts stops at its first datacenter, and is mended by an edit", roll_out::mended;
    "live-edit", "what somebody else sets in a datacenter stays", roll_out::live_edit;
    "foreign-untouched", "a foreign datacenter of the same names is the same, byte for byte, whatever its namesake lives through", neighbours::foreign_untouched;
    "twins", "two clusters that differ in their namespace alone never cross", neighbours::twins;
    "older-plane", "a plane whose cass-operator does not know a field: that is told, and not sent again and again", neighbours::older_plane;
    "vanished", "a datacenter that was deleted by hand is not made again, before it was taken out and added anew", removal::vanished;
    "remove-plane-down", "a datacenter is removed whose plane is away: it goes when the plane is back", removal::remove_plane_down;
    "delete-plane-down", "a cluster is deleted while a plane is away: the rest goes, and it when the plane is back", removal::delete_plane_down;
    "abandon", "a plane is gone for good: it is given up by name, and what comes back there is left as it is", removal::abandon;
    "definition-cassandra-datacenter", "cass-operator's definition is deleted in a plane, and installed again", removal::datacenter_definition;
    "definition-k8ssandra-cluster", "our definition is deleted: no database goes without a word, and all works when it is installed again", removal::cluster_definition;

    real:
    "real-two", "two datacenters of three racks in two planes, of processes of Cassandra: one ring in the eyes of every node, one schema, all logins everywhere", two;
    "real-data", "a datacenter joins a ring of processes of Cassandra that has data: after its rebuild it has every row, the tokens that were dealt, and the superuser; removed again, no row is lost", data;
    "real-bad-join", "a node dies while it bootstraps, beside a seed that belongs to nobody; another cluster has no other seed: both are told, and go on", bad_join;
    "real-bad-node", "nodes disagree on the schema, then a disk is full: both are told by the names of nodes, and what was held goes on", bad_node;
    "real-bad-password", "a wrong superuser password in one plane does not stay, and a new one of the user reaches every node", bad_password;
    "real-restart", "every node of a datacenter is restarted at another address: the other one serves on, seeds follow, the same ring is whole and has every row", restart;
    "real-dead", "a datacenter is restarted while the other one is dead: it comes back and serves, and the ring is whole when the other one returns", dead;
    "real-alone", "a datacenter joins while none of its seeds can be reached: no second ring, and it joins when they are back", alone;
    "real-rebuild-crash", "topology-reconciler is killed while a datacenter is rebuilt: each node is rebuilt once, and has every row", rebuild_crash;
}

/// What came of stories.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// How many were told.
    pub told: usize,
    /// Ids of those that failed.
    pub failed: Vec<&'static str>,
    /// Ids of those that could not be told with these nodes.
    pub not_run: Vec<&'static str>,
}

/// Tells the stories with these ids, or all that fit the nodes of the setup, and prints a row for each.
///
/// # Errors
/// The world of the stories cannot be started, or no story has one of the ids.
pub async fn tell(provider: &Provider, setup: &Setup, only: &[&str]) -> anyhow::Result<Told> {
    if let Some(unknown) = only.iter().find(|id| ALL.iter().all(|story| story.id != **id)) {
        anyhow::bail!("no story has the id {unknown}");
    }
    let mut came = Told::default();
    let mut world = None;
    for story in ALL
        .iter()
        .filter(|story| only.is_empty() || only.contains(&story.id))
    {
        if story.real != setup.cassandra.is_some() {
            // With real nodes the others are told by a run of their own: nobody waits for a list of them.
            if story.real || only.contains(&story.id) {
                let nodes = if story.real { "real" } else { "modelled" };
                print(&format!(
                    "row {} not run: it is told with --cassandra {nodes}",
                    story.id
                ));
                came.not_run.push(story.id);
            }
            continue;
        }
        came.told += 1;
        if world.is_none() {
            world = Some(
                World::start(provider, setup.clone())
                    .await
                    .context("the world of the stories")?,
            );
        }
        let Some(there) = &mut world else { continue };
        if !told(story, there).await? {
            came.failed.push(story.id);
            // The next story must not suffer from what this one left.
            world = None;
        }
    }
    Ok(came)
}

/// Tells one, prints its row, and keeps the logs of one that fails. Returns whether it passed.
async fn told(story: &Story, world: &mut World) -> anyhow::Result<bool> {
    let within = Duration::from_mins(if story.real { 20 } else { 4 });
    let began = Instant::now();
    let mut outcome = tokio::time::timeout(within, (story.told)(world))
        .await
        .unwrap_or_else(|_| {
            Err(anyhow::anyhow!(
                "not told to its end within {} min",
                within.as_secs() / 60
            ))
        });
    for name in world.planes.all() {
        name.proxy().set(Mode::Pass).await?;
    }
    if outcome.is_ok() {
        outcome = clusters::nobody_ended(world);
    }
    match outcome {
        Ok(()) => {
            let took = began.elapsed().as_secs_f64();
            print(&format!("row {} ok ({took:.1} s)", story.id));
            Ok(true)
        }
        Err(error) => {
            print(&format!("row {} fail {error:#}", story.id));
            clusters::keep_logs(world, story.id)?;
            Ok(false)
        }
    }
}

#[expect(clippy::print_stdout, reason = "rows are what whoever runs the stories reads")]
fn print(line: &str) {
    println!("{line}");
}
