//! Plans that are known to fail, each with what is known of it.

use anyhow::{Context as _, bail};

use super::{reference, sweep};
use crate::plan::Plan;
use crate::run::Report;

/// A plan that fails still.
#[derive(Clone, Debug)]
pub struct Open {
    /// What is run.
    pub plan: Plan,
    /// Why it fails, as far as that is known.
    pub why: String,
}

/// All of them.
///
/// # Errors
/// The list cannot be read.
pub fn open() -> anyhow::Result<Vec<Open>> {
    listed(include_str!("../../tests/plans/open.txt"))
}

/// Runs them, and says of each whether it fails still.
///
/// # Errors
/// A world cannot be made, or a scenario fails without a fault.
pub fn failing(open: &[Open], references: &[Report], threads: usize) -> anyhow::Result<Vec<bool>> {
    let is_of =
        |plan: &Plan, report: &Report| (plan.scenario, plan.seed) == (report.plan.scenario, report.plan.seed);
    let mut more = Vec::new();
    for Open { plan, .. } in open {
        if !references.iter().chain(&more).any(|report| is_of(plan, report)) {
            more.push(reference(plan.scenario, plan.seed)?);
        }
    }
    let jobs: Vec<_> = open
        .iter()
        .filter_map(|Open { plan, .. }| {
            let of = references
                .iter()
                .chain(&more)
                .find(|report| is_of(plan, report))?;
            Some((of, vec![plan.clone()]))
        })
        .collect();
    let outcomes = sweep(&jobs, threads, &|_, _| {});
    Ok(outcomes
        .iter()
        .map(|outcome| !outcome.failures.is_empty())
        .collect())
}

/// A line that begins with `#` says why the plans after it fail, until an empty line.
fn listed(text: &str) -> anyhow::Result<Vec<Open>> {
    let mut open = Vec::new();
    let mut why = Vec::new();
    for line in text.lines() {
        if line.is_empty() {
            why.clear();
        } else if let Some(words) = line.strip_prefix('#') {
            why.push(words.trim());
        } else if why.is_empty() {
            bail!("nobody says why {line} fails");
        } else {
            let plan = line.parse().with_context(|| line.to_owned())?;
            let why = why.join(" ");
            open.push(Open { plan, why });
        }
    }
    Ok(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_open_plan_says_why() {
        open().unwrap();
        let plan = "scenario=S01 seed=7 fault=CrashBefore program=cluster-reconciler write=1";
        let some = listed(&format!("# Head.\n\n# It is\n# slow.\n{plan}\n{plan}\n")).unwrap();
        let whys: Vec<_> = some.iter().map(|open| open.why.as_str()).collect();
        assert_eq!(whys, ["It is slow."; 2]);
        assert_eq!(some[0].plan.to_string(), plan);
        assert!(listed(&format!("# Head.\n\n{plan}\n")).is_err());
        assert!(listed("# Why.\nscenario=S99\n").is_err());
    }
}
