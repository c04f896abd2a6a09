//! Planes that are cut off, and somebody who interferes: one run of each kind. All of them are for `cargo xtask faults`.

use std::collections::BTreeSet;

use fault_rig::plan::Plan;
use fault_rig::scenario::Scenario;
use fault_rig::{run, sweep};

fn wrong(line: &str) -> anyhow::Result<Vec<String>> {
    let plan: Plan = line.parse()?;
    assert_eq!(plan.to_string(), line);
    let reference = sweep::reference(plan.scenario, plan.seed)?;
    let report = run(plan)?;
    assert!(
        report.struck.iter().all(|count| *count > 0),
        "{:?}",
        report.struck
    );
    Ok(sweep::wrong(&reference, &report))
}

#[test]
fn a_plane_that_is_cut_off_while_its_datacenter_leaves_changes_nothing_in_the_end() {
    let line = "scenario=S04 seed=7 fault=Partition:Silent plane=west from=13 until=313";
    assert_eq!(wrong(line).unwrap(), Vec::<String>::new());
}

#[test]
fn what_a_stranger_puts_in_the_place_of_an_object_of_ours_is_left_alone() {
    for line in [
        "scenario=S01 seed=7 fault=Recreate after=9 object=1",
        "scenario=S01 seed=7 fault=Recreate after=12 object=2",
    ] {
        assert_eq!(wrong(line).unwrap(), Vec::<String>::new(), "{line}");
    }
}

/// The rig itself: a datacenter that somebody deletes is missed, and nothing but that is excused.
#[test]
fn a_datacenter_that_somebody_deletes_is_named_and_not_made_again() {
    let plan: Plan = "scenario=S01 seed=7 fault=DeleteAny after=19 object=3"
        .parse()
        .unwrap();
    let reference = sweep::reference(plan.scenario, plan.seed).unwrap();
    let report = run(plan).unwrap();
    assert!(
        report.deeds[0].contains("/cassandradatacenters/dc1 in"),
        "{:?}",
        report.deeds
    );
    assert_eq!(report.reason.as_deref(), Some("DatacenterVanished"));
    assert_eq!(sweep::wrong(&reference, &report), Vec::<String>::new());
}

#[test]
fn every_scenario_has_an_id_of_its_own_and_steps() {
    let ids: BTreeSet<_> = Scenario::ALL.iter().map(|scenario| scenario.id()).collect();
    assert_eq!(ids.len(), Scenario::ALL.len());
    for scenario in Scenario::ALL {
        assert_eq!(Scenario::named(scenario.id()), Some(scenario));
        assert!(!scenario.steps().is_empty(), "{scenario}");
    }
}

/// One time for each datacenter that is made, and one for each that its user has changed, when it is its turn; beside them
/// the looks at what is not there yet. Not one while another password waits.
#[test]
fn passwords_of_stores_are_read_for_edits_alone() {
    let report = run(Plan::without_fault(Scenario::Stores, 7)).unwrap();
    assert_eq!(report.violations, Vec::<String>::new());
    assert!(report.converged.is_some());
    let reads = |plane: &str| {
        let line = "GET /api/v1/namespaces/db/secrets/stores";
        let mut asked = report.asked.iter();
        asked
            .by_ref()
            .filter(|it| it.plane == plane && it.line == line)
            .count()
    };
    assert_eq!(reads("east"), 2);
    // Its Secret came later.
    assert!((3..=6).contains(&reads("west")), "{}", reads("west"));
}
