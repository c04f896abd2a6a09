//! How many runs it takes until a change for the worse is noticed: for programs that were broken on purpose.

use fault_rig::sweep::{self, ROWS};
use fault_rig::{Plan, Report, Scenario, run};

use crate::figures::say;

/// How programs are hunted.
#[derive(Debug, clap::Args)]
pub(crate) struct Hunt {
    /// What must notice: the words before the colon of a failure's line, separated by commas. What others notice does
    /// not count
    #[arg(long, value_delimiter = ',', required = true)]
    by: Vec<String>,
    /// Only these scenarios, separated by commas, and more plans of each; none = all
    #[arg(long, value_delimiter = ',')]
    scenarios: Vec<String>,
    /// At most so many runs
    #[arg(long, default_value_t = 400)]
    budget: usize,
    /// Seed of the runs
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

/// Plans of a row and scenario, which are tried in turns over all rows and scenarios.
const OF_EACH: usize = 2;
/// The same where only some scenarios are tried.
const OF_FEW: usize = 8;

/// Runs every scenario without a fault, then each of them once more, then plans of every row, until one fails as it
/// should; says which, after how many.
pub(crate) fn hunt(wish: &Hunt) -> anyhow::Result<()> {
    let mut runs = 0;
    let mut references = Vec::new();
    let wanted = |scenario: &Scenario| match wish.scenarios.as_slice() {
        [] => !scenario.is_long(),
        some => some.iter().any(|id| id == scenario.id()),
    };
    for scenario in Scenario::ALL.into_iter().filter(wanted) {
        let report = run(Plan::without_fault(scenario, wish.seed))?;
        runs += 1;
        if wish.is_killed(runs, &report.plan, &report.violations) {
            return Ok(());
        }
        // What fails without a fault is no measure for runs with one.
        if report.violations.is_empty() && report.converged.is_some() {
            references.push(report);
        }
    }
    for reference in &references {
        runs += 1;
        if wish.is_killed(runs, &reference.plan, &sweep::again(reference)?) {
            return Ok(());
        }
    }
    for (reference, plan) in wish.plans(&references) {
        if runs >= wish.budget {
            break;
        }
        let report = run(plan)?;
        runs += 1;
        if wish.is_killed(runs, &report.plan, &sweep::wrong(reference, &report)) {
            return Ok(());
        }
    }
    say(&format!("alive after {runs} runs"));
    Ok(())
}

impl Hunt {
    fn is_killed(&self, runs: usize, plan: &Plan, lines: &[String]) -> bool {
        let noticed = |line: &&String| {
            let by = line.split_once(':').map(|(by, _)| by);
            by.is_some_and(|by| self.by.iter().any(|wanted| wanted == by))
        };
        let Some(line) = lines.iter().find(noticed) else {
            return false;
        };
        say(&format!("killed after {runs} runs by {plan}: {line}"));
        true
    }

    /// The first of every row and scenario, then the second, each time in an order that the seed mixes.
    fn plans<'r>(&self, references: &'r [Report]) -> Vec<(&'r Report, Plan)> {
        let of_each = if self.scenarios.is_empty() {
            OF_EACH
        } else {
            OF_FEW
        };
        let mut plans = Vec::new();
        for row in ROWS {
            for reference in references {
                let some = sweep::sample((row.plans)(reference), of_each, self.seed);
                for (turn, plan) in some.into_iter().enumerate() {
                    let drawn = fake_datacenter::pace::fnv(plan.to_string().as_bytes());
                    plans.push(((turn, drawn), reference, plan));
                }
            }
        }
        plans.sort_by_key(|(turn, ..)| *turn);
        plans
            .into_iter()
            .map(|(_, reference, plan)| (reference, plan))
            .collect()
    }
}
