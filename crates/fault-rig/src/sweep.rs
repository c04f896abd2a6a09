//! A plan for every call of a run without faults.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use crate::normal;
use crate::plan::{Call, Fault, Place, Plan, What};
use crate::run::{Report, run};
use crate::scenario::Scenario;

/// A row of the fault matrix: its name, at which calls, and what happens there.
pub type FaultRow = (&'static str, Call, &'static [What]);

/// The rows that are swept.
pub const ROWS: &[FaultRow] = &[
    ("F01 crash_before", Call::Write, &[What::CrashBefore]),
    ("F02 crash_after", Call::Write, &[What::CrashAfter]),
    ("F03 lost_reply", Call::Write, &[What::LostReply]),
    ("F11 watch_cut", Call::Watch, &[What::FailBefore, What::Hang]),
    ("F12 gone", Call::Watch, &[What::Reply(410)]),
    ("F13 conflict", Call::Write, &[What::Reply(409)]),
    ("F15 http5xx", Call::Write, &[What::Reply(500), What::Reply(503)]),
    ("F15 http5xx of reads", Call::Read, &[What::Reply(500)]),
    ("F16 timeout", Call::Write, &[What::FailBefore, What::Hang]),
    (
        "F16 timeout of reads",
        Call::Read,
        &[What::FailBefore, What::Hang],
    ),
    ("F18 slow", Call::Write, &[What::Delay(Duration::from_secs(5))]),
    (
        "F18 slow reads",
        Call::Read,
        &[What::Delay(Duration::from_secs(5))],
    ),
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
pub fn plans(reference: &Report, call: Call, faults: &[What]) -> Vec<Plan> {
    let calls = reference.calls.iter().filter(|((_, kind), _)| *kind == call);
    let places = calls.flat_map(|((program, _), count)| (1..=*count).map(move |number| (*program, number)));
    places
        .flat_map(|(program, number)| {
            let place = Place::Call {
                program,
                call,
                number,
            };
            faults
                .iter()
                .map(move |what| reference.plan.with([Fault::once(*what, place)]))
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
                    let report = run(plan.clone());
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
                plan: report.plan.clone(),
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

/// How many calls of a kind each program makes, for figures.
#[must_use]
pub fn calls(reference: &Report, call: Call) -> BTreeMap<&'static str, u32> {
    let calls = reference.calls.iter().filter(|((_, kind), _)| *kind == call);
    calls
        .map(|((program, _), count)| (program.as_str(), *count))
        .collect()
}
