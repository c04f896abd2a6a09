//! One pass over one cluster.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use api::reports::{Hold, TopologyReport};
use plan::topology::{Act, Cluster, TopologyPlan};
use runtime::{Failure, Key, Next};

use crate::Context;
use crate::act::{self, Outcome};
use crate::ask;
use crate::error::ActError;
use crate::observe::{self, Learnt};
use crate::report;

/// Decisions in one pass at most. The longest way needs eight: verify the ring, read keyspaces, ask for agreement,
/// write, read back, the same for user keyspaces, and the rebuild.
const ROUNDS: usize = 12;
/// When a pass that found no end is followed by another one.
const AGAIN: Duration = Duration::from_secs(5);

pub(crate) async fn pass(context: Arc<Context>, key: Key) -> Result<Next, ActError> {
    let Some(cluster) = context.local.clusters.get(&key) else {
        context.progress.forget(&key);
        return Ok(Next::Done);
    };
    let Settled { plan, failure } = settle(&context, &cluster).await;
    let mut wait = None;
    if let Some(mut report) = plan.report {
        if let Some((act, error)) = &failure {
            say(&mut report, act, error);
        }
        wait = report::publish(&context, &cluster, &report).await?;
    }
    match failure {
        Some((_, error)) => Err(error),
        None => Ok(soonest(plan.next_check, wait)),
    }
}

/// What is left when nothing more can be done.
struct Settled {
    plan: TopologyPlan,
    failure: Option<(Act, ActError)>,
}

/// Decides, asks and acts until nothing is left. What fails is not tried again in this pass.
async fn settle(context: &Context, cluster: &Cluster) -> Settled {
    let mut learnt = Learnt::default();
    let mut stuck = BTreeSet::new();
    let mut failure = None;
    let mut round = 0;
    loop {
        round += 1;
        let input = observe::input(context, cluster, &learnt);
        let plan = plan::topology::plan(&input);
        let acts: Vec<Act> = plan
            .acts
            .iter()
            .filter(|act| !stuck.contains(act.lane()))
            .cloned()
            .collect();
        if acts.is_empty() && plan.asks.is_empty() {
            return Settled { plan, failure };
        }
        if round > ROUNDS {
            let next_check = Some(plan.next_check.map_or(AGAIN, |wish| wish.min(AGAIN)));
            return Settled {
                plan: TopologyPlan { next_check, ..plan },
                failure,
            };
        }
        for Outcome { act, result, found } in act::carry_out(context, &input, &acts).await {
            match result {
                Ok(()) if found.is_some() => learnt.found.extend(found),
                Ok(()) => report::done(context, cluster, act),
                Err(error) => {
                    let class = error.class();
                    tracing::warn!(cluster = %report::key(cluster), act = act.reason(), class, %error, "act failed");
                    stuck.insert(act.lane().to_owned());
                    failure = Some((act.clone(), error));
                }
            }
            if matches!(act, Act::Replicate { .. }) {
                // What was read before may no longer be true.
                learnt.answers.system.clear();
                learnt.answers.keyspaces.clear();
                learnt.answers.agreement.clear();
            }
        }
        ask::answer(context, &input, &plan.asks, &mut learnt).await;
    }
}

/// What failed is said in the report, where the user may have to do something.
fn say(report: &mut TopologyReport, act: &Act, error: &ActError) {
    report.complete = false;
    let Some(reason) = error.reason() else { return };
    let (datacenter, context) = match act {
        Act::Create { at, .. } | Act::Apply { at, .. } | Act::Delete { at, .. } => {
            (&at.datacenter, at.context.clone())
        }
        Act::Replicate { via, .. } => (via, String::new()),
    };
    let hold = Hold {
        reason: reason.to_owned(),
        datacenter: Some(datacenter.clone()),
        context: Some(context).filter(|context| !context.is_empty()),
        founding: false,
        message: format!("{} failed: {error}", act.sentence()),
    };
    if !report.holds.contains(&hold) {
        report.holds.push(hold);
    }
}

fn soonest(one: Option<Duration>, other: Option<Duration>) -> Next {
    [one, other]
        .into_iter()
        .flatten()
        .min()
        .map_or(Next::Done, Next::After)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_wish_counts_and_none_means_done() {
        let (early, late) = (Duration::from_secs(2), Duration::from_secs(15));
        assert_eq!(soonest(None, None), Next::Done);
        assert_eq!(soonest(Some(late), None), Next::After(late));
        assert_eq!(soonest(Some(late), Some(early)), Next::After(early));
    }
}
