//! The five controllers in virtual time. Thousands of runs are for `cargo xtask faults`; here is what fits into a test.

use fault_rig::plan::{Call, Plan, What};
use fault_rig::{Scenario, run, sweep};

#[test]
fn every_scenario_comes_to_its_end_and_to_rest_and_is_the_same_twice() {
    for scenario in Scenario::ALL.into_iter().filter(|scenario| !scenario.is_long()) {
        let one = sweep::reference(scenario, 7).unwrap();
        let other = run(one.plan.clone()).unwrap();
        println!("{scenario}: done after {:?}, {:?}", one.converged, one.calls);
        assert_eq!(one.journal, other.journal, "{scenario}");
        assert_eq!(one.state, other.state, "{scenario}");
    }
}

#[test]
fn a_program_that_ends_before_or_after_any_write_changes_nothing_in_the_end() {
    let reference = sweep::reference(Scenario::One, 7).unwrap();
    let plans = sweep::at(&reference, Call::Write, &[What::CrashBefore, What::CrashAfter]);
    let count = plans.len();
    let outcome = sweep::sweep(&[(&reference, plans)], 2, &|_, _| {}).remove(0);
    assert_eq!(outcome.runs, count);
    assert!(outcome.runs > 30, "{} runs", outcome.runs);
    for failure in &outcome.failures {
        println!("FAILED {}: {:#?}", failure.plan, failure.lines);
    }
    assert_eq!(outcome.failures.len(), 0);
}

#[test]
fn plans_that_once_failed_hold() {
    let kept = include_str!("plans/kept.txt").lines();
    let lines = kept.filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        let plan: Plan = line.parse().unwrap();
        let reference = sweep::reference(plan.scenario, plan.seed).unwrap();
        assert_eq!(
            sweep::wrong(&reference, &run(plan).unwrap()),
            Vec::<String>::new(),
            "{line}"
        );
    }
}

/// The rig itself: what it is to find is put there, and found.
#[test]
fn an_end_that_is_not_that_of_the_run_without_faults_is_told() {
    let reference = sweep::reference(Scenario::One, 7).unwrap();
    let other = run(Plan::without_fault(Scenario::Three, 7)).unwrap();
    let lines = sweep::wrong(&reference, &other);
    assert!(
        lines.iter().any(|line| line.contains("is there too")),
        "{lines:#?}"
    );
}
