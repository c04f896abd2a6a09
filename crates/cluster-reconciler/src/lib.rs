//! Deployment 2: K8ssandraCluster to CassandraDatacenters, in order and only when it is safe.
//!
//! A pass over one cluster: [`observe`] what the watches show, let `plan::cluster` decide, read live what it asks for
//! and decide again, [`act`], [`report`]. What is watched and allowed stands in [`watches`].

mod act;
mod addons;
mod error;
mod last_seen;
mod observe;
mod password;
mod patience;
mod references;
mod report;
mod store_passwords;
mod watches;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::reason;
use api::reports::Hold;
use fleet::{Fleet, FleetOptions};
use plan::cluster::acts::{Act, ClusterPlan};
use runtime::{Failure, GrantArgs, Key, Next, Process, ProcessArgs, Queue, WriteError, work};

pub use watches::RULES;

use error::ActError;
use last_seen::LastSeen;
use patience::Patience;
use watches::{Local, Remote};

/// Name of the program.
pub const NAME: &str = "cluster-reconciler";

/// How long the first lists may take before passes begin all the same.
const FIRST_LISTS: Duration = Duration::from_secs(10);
/// Between a pass that wrote and the next one.
const SETTLE: Duration = Duration::from_millis(50);
/// Rounds of live reads in one pass: datacenters up to three times, then passwords, then what is left of add-ons.
const ROUNDS: usize = 5;

/// Flags.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Those that every program has.
    #[command(flatten)]
    pub process: ProcessArgs,

    /// Who may use which plane.
    #[command(flatten)]
    pub grants: GrantArgs,
}

/// What a pass works with.
pub(crate) struct Context {
    pub process: Arc<Process>,
    pub local: Local,
    pub fleet: Arc<Fleet<Remote>>,
    pub patience: Patience,
    pub last_seen: LastSeen,
}

/// Runs the program until it is asked to stop.
///
/// # Errors
/// A configuration that cannot be used.
pub fn run(args: Args) -> anyhow::Result<()> {
    runtime::run(NAME, args.process, |process| async move {
        let planes = FleetOptions {
            require_grants: args.grants.require_grants,
            ..FleetOptions::new(&process.args.namespaces(), format!("ringspan-{NAME}"))
        };
        serve(process, planes).await;
        Ok(())
    })
}

/// Works until the process stops.
pub async fn serve(process: Arc<Process>, planes: FleetOptions) {
    let queue = Queue::new(NAME, &process.metrics);
    let options = process.args.work();
    let listed = process.ready.gate("first lists");
    let local = Local::start(&process, &queue);
    let clusters = local.clusters.clone();
    let (remote, users, wake) = (queue.clone(), clusters.clone(), queue.clone());
    let fleet = Fleet::start(
        &process,
        planes,
        move |link| Remote::start(link, &remote, &users),
        move || clusters.list().into_iter().for_each(|(key, _)| wake.wake(key)),
    );
    let context = Arc::new(Context {
        process: process.clone(),
        local,
        fleet,
        patience: Patience::default(),
        last_seen: LastSeen::default(),
    });
    tokio::select! {
        () = first_lists(&context) => listed.open(),
        () = process.stop.cancelled() => return,
    }
    work(queue, options, process.stop.clone(), move |key| {
        pass(context.clone(), key)
    })
    .await;
}

async fn first_lists(context: &Context) {
    context.local.clusters.synced().await;
    context.local.secrets.synced().await;
    context.local.replicated.synced().await;
    context.local.references.answered().await;
    context.fleet.synced(FIRST_LISTS).await;
}

/// One pass over one cluster.
async fn pass(context: Arc<Context>, key: Key) -> Result<Next, ActError> {
    let Some(kc) = context.local.clusters.get(&key) else {
        context.patience.forget(&key);
        context.last_seen.forget(&key);
        return Ok(Next::Done);
    };
    let mut plan = decide(&context, &kc).await;
    let acted = !plan.acts.is_empty();
    match carry_out(&context, &key, &mut plan).await {
        // What was written is known without a watch's event, so nothing else would wake the next step. It decides on
        // what is now there, and reports: a report in between would be old at once.
        None if acted => return Ok(Next::After(SETTLE)),
        Some(error) => {
            tell(&context, &key, &plan).await?;
            return Err(error);
        }
        None => {}
    }
    tell(&context, &key, &plan).await?;
    Ok(context.patience.next(&key, &plan))
}

async fn tell(context: &Context, key: &Key, plan: &ClusterPlan) -> Result<(), ActError> {
    match context.local.clusters.get(key) {
        Some(kc) => report::publish(context, &kc, &plan.report).await,
        None => Ok(()),
    }
}

async fn decide(context: &Context, kc: &K8ssandraCluster) -> ClusterPlan {
    let mut facts = Box::pin(observe::watched(context, kc)).await;
    if kc.metadata.deletion_timestamp.is_some() {
        facts.crd_deleting = observe::crd_deleting(context).await;
    }
    let mut plan = plan::cluster::plan(&facts);
    let (mut asked, mut read, mut looked) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for _ in 0..ROUNDS {
        let wanted: BTreeSet<String> = plan.wants_live.difference(&asked).cloned().collect();
        let passwords: BTreeSet<String> = plan.wants_passwords.difference(&read).cloned().collect();
        let addons: BTreeSet<String> = plan.wants_addons.difference(&looked).cloned().collect();
        if wanted.is_empty() && passwords.is_empty() && addons.is_empty() {
            break;
        }
        observe::live(context, &mut facts, &wanted).await;
        store_passwords::read(context, &mut facts, &passwords).await;
        addons::look_for(context, &mut facts, &addons).await;
        asked.extend(wanted);
        looked.extend(addons);
        read.extend(passwords);
        plan = plan::cluster::plan(&facts);
    }
    plan
}

/// Does the acts in order. One that fails ends what is about its datacenter, and one that is about the whole cluster
/// ends the pass; what failed is said in the report.
async fn carry_out(context: &Context, key: &Key, plan: &mut ClusterPlan) -> Option<ActError> {
    let mut failed = None;
    let mut stuck = BTreeSet::new();
    for act in &plan.acts {
        if act.datacenter().is_some_and(|name| stuck.contains(name)) {
            continue;
        }
        let kc = context.local.clusters.get(key)?;
        match act::carry_out(context, &kc, act).await {
            Ok(()) => report::done(context, &kc, act),
            Err(error) => {
                tracing::warn!(cluster = %key, act = act.reason(), class = error.class(), %error, "act failed");
                plan.report.complete = false;
                if let Some(hold) = hold(act, &error) {
                    plan.report.holds.push(hold);
                }
                let whole = act.datacenter().is_none();
                stuck.extend(act.datacenter().map(str::to_owned));
                failed.get_or_insert(error);
                if whole {
                    break;
                }
            }
        }
    }
    failed
}

/// What the user must know of a failed act; none where it passes by itself.
fn hold(act: &Act, error: &ActError) -> Option<Hold> {
    let (reason, way_out) = match error {
        ActError::Changed(_) => return None,
        ActError::Write(WriteError::Conflict { fields, .. }) if fields.is_empty() => return None,
        ActError::Write(WriteError::Conflict { .. }) => (
            reason::DRIFT_CONFLICT,
            "give the field the value that it has there, or take it from whoever set it",
        ),
        ActError::Write(WriteError::AlreadyExists { .. }) => (
            reason::NOT_OWNED,
            "an object of that name was not made for this cluster: delete or rename it",
        ),
        ActError::Write(WriteError::Forbidden { .. }) => (
            reason::PLANE_FORBIDDEN,
            "give the account of the kubeconfig the rights of the shipped role",
        ),
        ActError::Write(WriteError::Refused { .. }) => (reason::INVALID_SPEC, "mend the spec"),
        _ => (reason::PLANE_UNREACHABLE, "it is tried again"),
    };
    Some(Hold {
        reason: reason.to_owned(),
        datacenter: act.datacenter().map(str::to_owned),
        context: None,
        founding: false,
        message: format!("{}: {error}; {way_out}", act.sentence()),
    })
}

#[cfg(test)]
mod tests {
    use plan::cluster::acts::ThisDatacenter;
    use runtime::Target;

    use super::*;

    #[test]
    fn cc57_what_a_plane_refuses_is_told_in_its_words_with_the_field() {
        let act = Act::RemoveDatacenter(ThisDatacenter {
            context: "east".to_owned(),
            namespace: "db".to_owned(),
            name: "dc1".to_owned(),
            uid: "u".to_owned(),
            resource_version: "1".to_owned(),
        });
        let words = "spec.tolerations[0].operator: Unsupported value: \"Sometimes\"";
        let refused = ActError::Write(WriteError::Refused {
            target: Box::new(Target {
                verb: "create",
                resource: "cassandradatacenters".to_owned(),
                namespace: "db".to_owned(),
                name: "dc1".to_owned(),
            }),
            message: words.to_owned(),
        });
        let hold = hold(&act, &refused).unwrap();
        assert_eq!(
            (hold.reason.as_str(), hold.datacenter.as_deref()),
            (reason::INVALID_SPEC, Some("dc1"))
        );
        assert!(
            hold.message.contains(words) && hold.message.ends_with("mend the spec"),
            "{}",
            hold.message
        );
    }
}
