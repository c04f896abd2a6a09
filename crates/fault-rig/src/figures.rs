//! What came of a sweep, for people and for machines.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{bail, ensure};
use fault_rig::Scenario;
use fault_rig::monitor::PROPERTIES;
use fault_rig::sweep::{Failure, Open, Outcome, Row};
use serde_json::{Map, Value, json};

/// Figures of all rows.
#[derive(Default)]
pub(crate) struct Figures {
    rows: BTreeMap<&'static str, Figure>,
    /// Rows that are swept whole: scenario, row, runs, possible runs.
    whole: Vec<(Scenario, &'static str, usize, usize)>,
    /// Plans that are known to fail, and whether each did.
    open: Vec<(Open, bool)>,
    runs: usize,
    failed: usize,
}

#[derive(Default)]
struct Figure {
    possible: BTreeMap<Scenario, usize>,
    runs: usize,
    idle: usize,
    violations: usize,
    diverged: usize,
    slowest: Duration,
    slowest_plan: String,
    cost: Duration,
    failed: Vec<String>,
}

impl Figures {
    /// How many plans a row has for a scenario.
    pub(crate) fn possible(&mut self, row: &'static str, scenario: Scenario, plans: usize) {
        let figure = self.rows.entry(row).or_default();
        figure.possible.insert(scenario, plans);
    }

    /// Counts what came of a row in a scenario.
    pub(crate) fn add(&mut self, row: &Row, scenario: Scenario, outcome: &Outcome) {
        self.runs += outcome.runs + outcome.idle;
        self.failed += outcome.failures.len();
        let figure = self.rows.entry(row.name).or_default();
        let possible = figure.possible.get(&scenario).copied().unwrap_or_default();
        if row.whole && matches!(scenario, Scenario::Three | Scenario::Remove) {
            self.whole.push((scenario, row.name, outcome.runs, possible));
        }
        figure.runs += outcome.runs;
        figure.idle += outcome.idle;
        figure.violations += outcome.violations;
        figure.diverged += outcome.diverged;
        figure.cost += outcome.cost;
        if outcome.slowest > figure.slowest {
            figure.slowest = outcome.slowest;
            figure.slowest_plan = outcome
                .slowest_plan
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
        }
        let failures = outcome.failures.iter();
        figure
            .failed
            .extend(failures.map(|failure| failure.plan.to_string()));
    }

    /// Tells of the plans that are known to fail, by name.
    pub(crate) fn add_open(&mut self, open: &[Open], failing: &[bool]) {
        for (open, fails) in open.iter().zip(failing) {
            say(&format!("open: {}: {}", open.plan, open.why));
            if !fails {
                say("  it passes: move it from open.txt to kept.txt");
            }
            self.open.push((open.clone(), *fails));
        }
    }

    /// Prints them.
    pub(crate) fn tell(&self, took: Duration, threads: usize) {
        for (name, figure) in &self.rows {
            say(&format!("FIG {name}.runs {}", figure.runs));
            say(&format!("FIG {name}.violations {}", figure.violations));
            say(&format!("FIG {name}.diverged {}", figure.diverged));
            say(&format!("FIG {name}.slowest {}s", figure.slowest.as_secs()));
        }
        for (scenario, row, runs, possible) in &self.whole {
            let name = row.split_once('.').map_or(*row, |(_, name)| name);
            say(&format!("exhaustive {scenario} {name} {runs}/{possible}"));
        }
        #[expect(clippy::cast_precision_loss, reason = "far fewer runs than 2^52")]
        let rate = (self.runs + self.open.len()) as f64 / took.as_secs_f64();
        say(&format!(
            "faults: {} runs, {} failed, {} open plans beside them, {:.1} s on {threads} threads: {rate:.1} runs per second",
            self.runs,
            self.failed,
            self.open.len(),
            took.as_secs_f64()
        ));
    }

    /// The same for machines.
    pub(crate) fn json(&self) -> String {
        let mut all: Map<String, Value> = self
            .rows
            .iter()
            .map(|(name, figure)| ((*name).to_owned(), figure.json()))
            .collect();
        let whole = self.whole.iter().map(|(scenario, row, runs, possible)| {
            let value = json!({"runs": runs, "of": possible});
            (format!("{scenario} {row}"), value)
        });
        all.insert("exhaustive".to_owned(), Value::Object(whole.collect()));
        let open = self.open.iter();
        let open = open.map(|(open, _)| json!({"plan": open.plan.to_string(), "why": open.why}));
        all.insert("open".to_owned(), open.collect());
        let properties = PROPERTIES
            .iter()
            .map(|(id, what)| json!({"id": id, "what": what}));
        all.insert("properties".to_owned(), properties.collect());
        all.insert(
            "total".to_owned(),
            json!({"runs": self.runs, "failed": self.failed}),
        );
        format!("{:#}\n", Value::Object(all))
    }

    /// Whether all is well.
    pub(crate) fn verdict(&self) -> anyhow::Result<()> {
        for (name, figure) in &self.rows {
            // A fault that never happened is no fault that was survived.
            ensure!(figure.runs > 0, "{name}: no run");
        }
        for (scenario, row, runs, possible) in &self.whole {
            ensure!(runs == possible, "{scenario} {row}: {runs} of {possible}");
        }
        let passed = self.open.iter().filter(|(_, fails)| !fails).count();
        ensure!(passed == 0, "{passed} open plans pass, and are open no more");
        if self.failed > 0 {
            bail!("{} of {} runs failed", self.failed, self.runs);
        }
        Ok(())
    }
}

impl Figure {
    fn json(&self) -> Value {
        json!({
            "runs": self.runs,
            "possible": self.possible.values().sum::<usize>(),
            "idle": self.idle,
            "violations": self.violations,
            "diverged": self.diverged,
            "slowest_seconds": self.slowest.as_secs(),
            "slowest_plan": self.slowest_plan,
            "cost_seconds": self.cost.as_secs(),
            "failed": self.failed,
        })
    }
}

/// So much of a line says enough; a replay shows all of it.
const LONGEST: usize = 400;

pub(crate) fn tell_failure(row: &str, failure: &Failure) {
    say(&format!("  FAILED {row}: {}", failure.plan));
    for line in failure.lines.iter().take(6) {
        let line: String = line.chars().take(LONGEST).collect();
        say(&format!("    {line}"));
    }
    if failure.lines.len() > 6 {
        say(&format!("    and {} lines more", failure.lines.len() - 6));
    }
}

#[expect(clippy::print_stdout, reason = "figures are what whoever runs this reads")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
