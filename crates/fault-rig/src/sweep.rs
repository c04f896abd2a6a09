//! Plans for every call and event of a run without faults, many runs at once, and what came of them.

mod open;
mod rows;
mod sample;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

pub use open::{Open, failing, open};
pub use rows::{ROWS, Row, at};
pub use sample::{most_of_each, sample};

use crate::monitor::{counts, isolation};
use crate::normal;
use crate::plan::{Call, Plan, What};
use crate::run::{Report, run};
use crate::scenario::Scenario;
use crate::stranger;
use crate::world::{CONTROL_PLANE, NAMESPACE, PLANES};

/// One run that did not go well.
#[derive(Debug)]
pub struct Failure {
    /// What was run; its line repeats it.
    pub plan: Plan,
    /// What was wrong.
    pub lines: Vec<String>,
}

/// What came of some runs.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Runs in which every fault struck.
    pub runs: usize,
    /// Runs in which one never did. They are looked at like the others, and prove nothing.
    pub idle: usize,
    /// Runs with a violation of what must always hold.
    pub violations: usize,
    /// Runs that came to another end, or to none, or did not rest.
    pub diverged: usize,
    /// The runs of both kinds.
    pub failures: Vec<Failure>,
    /// The longest time until all was done, in virtual time.
    pub slowest: Duration,
    /// The run that took it.
    pub slowest_plan: Option<Plan>,
    /// What it cost to run them, on one processor.
    pub cost: Duration,
}

/// The run without faults, which must be in order.
///
/// # Errors
/// It is not, or cannot be made.
pub fn reference(scenario: Scenario, seed: u64) -> anyhow::Result<Report> {
    let report = run(Plan::without_fault(scenario, seed))?;
    anyhow::ensure!(
        report.converged.is_some() && report.violations.is_empty(),
        "without any fault {}: converged {:?}, {:#?}",
        report.plan,
        report.converged,
        report.violations
    );
    Ok(report)
}

/// Runs a plan once more: what is not the same, write for write, comes from something else than the plan.
///
/// # Errors
/// A world cannot be made.
pub fn again(report: &Report) -> anyhow::Result<Vec<String>> {
    let other = run(report.plan.clone())?;
    let lines = report.journal.iter().zip(&other.journal);
    let differing = lines
        .filter(|(one, other)| one != other)
        .map(|(one, other)| format!("{one} became {other}"));
    let mut broken: Vec<String> = differing
        .take(1)
        .map(|line| format!("rule 3: two runs of one plan differ: {line}"))
        .collect();
    if broken.is_empty() && (report.journal.len() != other.journal.len() || report.state != other.state) {
        broken.push("rule 3: two runs of one plan end differently".to_owned());
    }
    Ok(broken)
}

/// Runs lists of plans on `threads` threads, and holds each run against the reference of its list. Failures are told as
/// they come, with the number of their list.
pub fn sweep(
    lists: &[(&Report, Vec<Plan>)],
    threads: usize,
    tell: &(dyn Fn(usize, &Failure) + Sync),
) -> Vec<Outcome> {
    let jobs = lists.iter().enumerate().flat_map(|(number, (reference, plans))| {
        plans.iter().map(move |plan| (number, *reference, plan.clone()))
    });
    let next = Mutex::new(jobs);
    let outcomes = lists.iter().map(|_| Outcome::default());
    let outcomes = Mutex::new(outcomes.collect::<Vec<_>>());
    let work = || {
        loop {
            let job = next.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((number, reference, plan)) = job else {
                break;
            };
            let began = std::time::Instant::now();
            let done = run(plan.clone());
            let took = began.elapsed();
            let lines = match &done {
                Ok(report) => wrong(reference, report),
                Err(error) => vec![format!("P14: it was ended: {error:#}")],
            };
            let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
            outcomes[number].count(done.ok().as_ref(), &lines, took);
            if !lines.is_empty() {
                let failure = Failure { plan, lines };
                tell(number, &failure);
                outcomes[number].failures.push(failure);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(work);
        }
    });
    outcomes.into_inner().unwrap_or_else(PoisonError::into_inner)
}

impl Outcome {
    fn count(&mut self, report: Option<&Report>, lines: &[String], cost: Duration) {
        self.cost += cost;
        self.violations += usize::from(lines.iter().any(|line| !line.starts_with("P14")));
        self.diverged += usize::from(lines.iter().any(|line| line.starts_with("P14")));
        let Some(report) = report else {
            self.runs += 1;
            return;
        };
        if report.struck.iter().all(|count| *count > 0) {
            self.runs += 1;
        } else {
            self.idle += 1;
        }
        let took = report.converged.unwrap_or_default();
        if took > self.slowest {
            self.slowest = took;
            self.slowest_plan = Some(report.plan.clone());
        }
    }
}

/// What is wrong with a run: violations, acts that the run without faults has not, and another end.
#[must_use]
pub fn wrong(reference: &Report, report: &Report) -> Vec<String> {
    if stranger::is_in(&report.plan) {
        return stranger::wrong(reference, report);
    }
    let whats = || report.plan.faults.iter().map(|fault| fault.what);
    let lied = whats().any(|what| matches!(what, What::Stale { .. }));
    let cut = whats().any(|what| matches!(what, What::Partition(_)));
    let mut lines = report.violations.clone();
    // Who is shown an old status cannot know since when it is so. What is dear must hold all the same.
    lines.retain(|line| !(lied && (line.starts_with("P11") || is_of_a_plane_that_was(line))));
    let known: BTreeSet<_> = reference.deletions.iter().collect();
    let deletions = report.deletions.iter().filter(|line| !known.contains(line));
    lines.extend(
        deletions
            .filter(|line| DESTRUCTIVE.iter().any(|kind| line.contains(kind)))
            .map(|line| format!("P1: asked for, and never without the fault: {line}")),
    );
    lines.extend(too_many(reference, report));
    if let Some(plane) = isolation::faulty(&report.plan) {
        lines.extend(isolation::delayed(&reference.journal, &report.journal, plane));
    }
    if report.converged.is_none() {
        lines.push("P14: it never came to its end".to_owned());
    }
    lines.extend(counts::differing(&reference.journal, &report.journal, lied));
    lines.extend(
        normal::differences(&reference.state, &report.state)
            .into_iter()
            .filter(|line| !(cut && is_another_source(line)))
            .map(|line| format!("P14: {line}")),
    );
    lines
}

/// P10 where somebody who is shown the registry as it was reads the credentials of a plane that has been taken out since.
fn is_of_a_plane_that_was(line: &str) -> bool {
    let what = line
        .strip_prefix("P10: ")
        .and_then(|line| line.split_once(" reads Secrets that are none of its business: "));
    what.is_some_and(|(_, what)| {
        let credentials = |plane: &&str| {
            what.strip_prefix(*plane).is_some_and(|rest| {
                rest.starts_with(&format!("-kubeconfig of \"{NAMESPACE}\" in {CONTROL_PLANE} "))
            })
        };
        PLANES.iter().any(credentials)
    })
}

/// While a datacenter cannot be reached, a new one is rebuilt from another that is live.
fn is_another_source(line: &str) -> bool {
    let task = line.contains("/CassandraTask/") && line.contains("-rebuild.spec.jobs: ");
    let Some((_, jobs)) = line.split_once("jobs: ") else {
        return false;
    };
    let Some((one, other)) = jobs.split_once(" became ") else {
        return false;
    };
    let without_source = |jobs: &str| -> Option<Value> {
        let mut jobs: Value = serde_json::from_str(jobs).ok()?;
        jobs.pointer_mut("/0/args")?
            .as_object_mut()?
            .remove("source_datacenter")?;
        Some(jobs)
    };
    task && without_source(one).is_some_and(|one| Some(one) == without_source(other))
}

/// What is not to be deleted because somebody saw an old state.
const DESTRUCTIVE: [&str; 5] = [
    "/cassandradatacenters/",
    "/secrets/",
    "/persistentvolumeclaims/",
    "/statefulsets/",
    "/api/v1/namespaces/ringspan",
];

/// F13: of a conflict come at most three writes.
fn too_many(reference: &Report, report: &Report) -> Option<String> {
    let conflicts = report.plan.faults.iter().zip(&report.struck);
    let conflicts: u32 = conflicts
        .map(|(fault, struck)| {
            if fault.what == What::Reply(409) {
                *struck
            } else {
                0
            }
        })
        .sum();
    let writes = |report: &Report| -> u32 {
        let calls = report.calls.iter();
        calls
            .filter(|((_, call), _)| *call == Call::Write)
            .map(|(_, count)| count)
            .sum()
    };
    let (before, now) = (writes(reference), writes(report));
    let most = before + 3 * conflicts;
    (conflicts > 0 && now > most)
        .then(|| format!("F13: {now} writes, where {before} and {conflicts} conflicts make at most {most}"))
}

#[cfg(test)]
mod tests {
    use super::{is_another_source, is_of_a_plane_that_was};

    #[test]
    fn only_credentials_of_a_plane_may_be_read_by_who_is_shown_the_past() {
        let line = |what: &str| {
            format!(
                "P10: cluster-reconciler reads Secrets that are none of its business: {what} by labels \"\""
            )
        };
        assert!(is_of_a_plane_that_was(&line(
            "west-kubeconfig of \"ringspan\" in control-plane"
        )));
        for what in [
            "west-kubeconfig of \"db\" in control-plane",
            "west-kubeconfig of \"ringspan\" in west",
            "demo-superuser of \"ringspan\" in control-plane",
            "every Secret of \"ringspan\" in control-plane",
        ] {
            assert!(!is_of_a_plane_that_was(&line(what)), "{what}");
        }
    }

    #[test]
    fn only_the_source_of_a_rebuild_may_be_another() {
        let line = |one: &str, other: &str| {
            let job = |source: &str, name: &str| {
                format!(
                    r#"[{{"args":{{"source_datacenter":"{source}"}},"command":"rebuild","name":"{name}"}}]"#
                )
            };
            format!(
                "north/CassandraTask/db/dc3-rebuild.spec.jobs: {} became {}",
                job("dc1", one),
                job("dc2", other)
            )
        };
        assert!(is_another_source(&line("dc3-rebuild", "dc3-rebuild")));
        assert!(!is_another_source(&line("dc3-rebuild", "dc4-rebuild")));
        assert!(!is_another_source(
            "north/CassandraTask/db/dc3-rebuild is missing"
        ));
    }
}
