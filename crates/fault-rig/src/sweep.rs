//! A plan for every write of a run without faults.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::normal;
use crate::plan::{Fault, Plan};
use crate::run::{Report, run};
use crate::scenario::Scenario;

/// Rows of the fault matrix that are swept.
pub const ROWS: &[(&str, &[Fault])] = &[
    ("F01 crash_before", &[Fault::CrashBefore]),
    ("F02 crash_after", &[Fault::CrashAfter]),
    ("F03 lost_reply", &[Fault::LostReply]),
    ("F13 conflict", &[Fault::Reply(409)]),
    ("F15 http5xx", &[Fault::Reply(500), Fault::Reply(503)]),
    ("F16 timeout", &[Fault::FailBefore, Fault::Hang]),
    ("F18 slow", &[Fault::Delay(5)]),
];

/// One run that did not go well.
#[derive(Debug)]
pub struct Failure {
    /// What was run; its line repeats it.
    pub plan: Plan,
    /// What was wrong.
    pub lines: Vec<String>,
}

/// What came of a row.
#[derive(Debug, Default)]
pub struct Row {
    /// Runs.
    pub runs: usize,
    /// Those that failed.
    pub failures: Vec<Failure>,
    /// The longest time until all was done, in virtual seconds.
    pub slowest: u64,
}

/// All plans of a row for a scenario, given its run without faults.
#[must_use]
pub fn plans(reference: &Report, faults: &[Fault]) -> Vec<Plan> {
    let writes = reference.writes.iter();
    let places = writes.flat_map(|(program, count)| (1..=*count).map(move |write| (*program, write)));
    places
        .flat_map(|(program, write)| {
            faults.iter().map(move |fault| Plan {
                fault: *fault,
                program,
                write,
                ..reference.plan
            })
        })
        .collect()
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

/// Runs plans on `threads` threads and holds each against the reference.
///
/// # Errors
/// A world cannot be made.
pub fn sweep(reference: &Report, plans: &[Plan], threads: usize) -> anyhow::Result<Row> {
    let next = Mutex::new(plans.iter());
    let outcome = Mutex::new((Row::default(), None));
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let plan = next.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(plan) = plan else { break };
                    let report = run(*plan);
                    let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
                    match report {
                        Ok(report) => outcome.0.count(reference, &report),
                        Err(error) => outcome.1 = Some(error),
                    }
                }
            });
        }
    });
    let (row, error) = outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
    error.map_or(Ok(row), Err)
}

impl Row {
    fn count(&mut self, reference: &Report, report: &Report) {
        self.runs += 1;
        let lines = wrong(reference, report);
        self.slowest = self
            .slowest
            .max(report.converged.map_or(0, |time| time.as_secs()));
        if !lines.is_empty() {
            self.failures.push(Failure {
                plan: report.plan,
                lines,
            });
        }
    }
}

/// What is wrong with a run: violations, and an end that is not that of the run without faults.
#[must_use]
pub fn wrong(reference: &Report, report: &Report) -> Vec<String> {
    let mut lines = report.violations.clone();
    if report.converged.is_none() {
        lines.push("P14: it never came to its end".to_owned());
    }
    lines.extend(
        normal::differences(&reference.state, &report.state)
            .into_iter()
            .map(|line| format!("P14: {line}")),
    );
    lines
}

/// Runs of each program's writes, for figures.
#[must_use]
pub fn writes(reference: &Report) -> BTreeMap<&'static str, u32> {
    let writes = reference.writes.iter();
    writes
        .map(|(program, count)| (program.as_str(), *count))
        .collect()
}
