//! Holds the stand-in to recordings of the real cass-operator.
//!
//! The recordings are not part of this repository. Environment variable `RINGSPAN_REFERENCE` names the folder that has
//! them in `cass-operator/`; without it nothing is compared, and the test says so. Each scenario's driver is played to an API
//! server in memory with the stand-in on it, in virtual time at pace 1.0, and what came of it is compared: every status, labels
//! of pods, what the operator wrote, its calls, what the nodes did, and all objects where the recording has them. A difference
//! without a name fails, and so does a name without a difference.

#![expect(
    clippy::unwrap_used,
    reason = "a recording that cannot be read, or a request that cannot be made, must stop the test"
)]

mod catalogue;
mod compare;
mod driver;
mod edit;
mod effects;
mod lines;
mod named;
mod objects;
mod observed;
mod placeholders;
mod play;
mod reached;
mod recording;
mod times;

use std::path::Path;

use catalogue::{NOT_PLAYED, PLAYED, Scenario};
use compare::Difference;
use named::{NAMED, NAMED_EFFECTS};
use placeholders::Placeholders;
use play::Stage;
use recording::Recording;

/// What came of one scenario.
#[derive(Default)]
struct Outcome {
    name: &'static str,
    objects: usize,
    equal_objects: usize,
    lines: usize,
    equal_lines: usize,
    differences: Vec<Difference>,
}

#[test]
fn the_stand_in_does_what_the_real_operator_did_but_for_the_named_differences() {
    let Some(folder) = recording::folder() else {
        println!(
            "recordings: RINGSPAN_REFERENCE names no folder with cass-operator/, so nothing was compared"
        );
        return;
    };
    let listed = |name: &String| {
        PLAYED.iter().any(|played| played.name == name) || NOT_PLAYED.iter().any(|(other, _)| other == name)
    };
    let unlisted: Vec<_> = recording::scenarios(&folder)
        .into_iter()
        .filter(|name| !listed(name))
        .collect();
    assert!(
        unlisted.is_empty(),
        "neither played nor named as not played: {unlisted:?}"
    );
    let only = std::env::var("RINGSPAN_SCENARIO").ok();
    let chosen = |scenario: &&Scenario| {
        only.as_ref()
            .is_none_or(|only| scenario.name.starts_with(only.as_str()))
    };
    let outcomes: Vec<_> = PLAYED
        .iter()
        .filter(chosen)
        .map(|scenario| run(&folder, scenario))
        .collect();
    let mut met = vec![Vec::new(); NAMED.len()];
    let mut unnamed = Vec::new();
    for outcome in &outcomes {
        let before = unnamed.len();
        let mut named = 0;
        for difference in &outcome.differences {
            match NAMED
                .iter()
                .position(|named| named.covers(outcome.name, difference.text()))
            {
                Some(place) => {
                    named += 1;
                    met[place].push(outcome.name);
                }
                None => unnamed.push(format!("{}: {difference}", outcome.name)),
            }
        }
        println!(
            "{}: objects {} equal {}, lines {} equal {}, named {named}, without a name {}",
            outcome.name,
            outcome.objects,
            outcome.equal_objects,
            outcome.lines,
            outcome.equal_lines,
            unnamed.len() - before,
        );
    }
    for line in &unnamed {
        println!("  {line}");
    }
    let vanished = vanished(&met, only.as_deref());
    for line in &vanished {
        println!("  not met any more: {line}");
    }
    for (name, why) in NOT_PLAYED {
        println!("not played: {name}: {why}");
    }
    let sum = |of: fn(&Outcome) -> usize| outcomes.iter().map(of).sum::<usize>();
    println!(
        "recordings: {} scenarios, {} not played; objects {} equal {}; lines {} equal {}; differences {} without a name {}",
        outcomes.len(),
        NOT_PLAYED.len(),
        sum(|outcome| outcome.objects),
        sum(|outcome| outcome.equal_objects),
        sum(|outcome| outcome.lines),
        sum(|outcome| outcome.equal_lines),
        sum(|outcome| outcome.differences.len()),
        unnamed.len(),
    );
    assert!(unnamed.is_empty(), "{} differences without a name", unnamed.len());
    assert!(
        vanished.is_empty(),
        "{} names without a difference",
        vanished.len()
    );
}

/// Names that were not met in a scenario that they list, or nowhere at all.
fn vanished(met: &[Vec<&'static str>], only: Option<&str>) -> Vec<String> {
    let mut vanished = Vec::new();
    for (named, met) in NAMED.iter().zip(met) {
        let missing = named.scenarios.iter().filter(|scenario| !met.contains(scenario));
        let missing = missing.filter(|scenario| only.is_none_or(|only| scenario.starts_with(only)));
        for scenario in missing {
            vanished.push(format!("{scenario}: {} ({})", named.pattern, named.why));
        }
        if named.scenarios.is_empty() && met.is_empty() {
            vanished.push(format!("{} ({})", named.pattern, named.why));
        }
    }
    vanished
}

#[tokio::main(flavor = "current_thread")]
async fn run(folder: &Path, scenario: &'static Scenario) -> Outcome {
    tokio::time::pause();
    let recording = Recording::read(folder, scenario.name);
    let stage = Stage::new();
    if let Some(before) = scenario.after {
        let before = PLAYED.iter().find(|known| known.name == before).unwrap();
        stage.play(before, &Recording::read(folder, before.name)).await;
    }
    let played = stage.play(scenario, &recording).await;
    let mut outcome = Outcome {
        name: scenario.name,
        ..Outcome::default()
    };
    let recorded = lines::recorded(&recording);
    let lanes = compare::lanes(&recorded, &played.lines, &played.times.steps(), recording.end());
    (outcome.lines, outcome.equal_lines) = (lanes.lines, lanes.equal);
    outcome.differences = lanes.differences;
    for (label, recorded, ours) in &played.reached {
        if !ours.is_some_and(|ours| lanes.delays.in_time(*recorded, ours)) {
            let ours = ours.map_or("never".to_owned(), |ours| format!("at {ours:.0}"));
            let place = format!("reached: {label}");
            outcome
                .differences
                .push(Difference::new(&place, "", &format!("at {recorded:.0}"), &ours));
        }
    }
    if let (Some(recorded), Some(ours)) = (recording.features(), stage.features())
        && recorded != ours
    {
        let (recorded, ours) = (recorded.to_string(), ours.to_string());
        outcome
            .differences
            .push(Difference::new("features", "", &recorded, &ours));
    }
    let mut known = Placeholders::new(played.times, lanes.delays);
    for (number, ours) in &played.states {
        let (label, recorded) = &recording.states[*number];
        let compared = objects::compare(label, recorded, ours, &mut known);
        outcome.objects += compared.objects;
        outcome.equal_objects += compared.equal;
        outcome.differences.extend(compared.differences);
    }
    outcome
}

#[test]
fn the_stand_in_takes_single_edits_as_the_real_operator_did_but_for_the_named_differences() {
    let Some(folder) = recording::folder() else {
        println!("effects: RINGSPAN_REFERENCE names no folder with cass-operator/, so nothing was compared");
        return;
    };
    let edits = effects::read(&folder);
    let (mut equal, mut unnamed, mut met) = (0, Vec::new(), vec![false; NAMED_EFFECTS.len()]);
    for edit in &edits {
        let differences = edit.differences(&play_edit(edit));
        equal += usize::from(differences.is_empty());
        for difference in differences {
            let is_it =
                |named: &effects::NamedEffect| named.edit == edit.name && named.difference == difference;
            match NAMED_EFFECTS.iter().position(is_it) {
                Some(place) => met[place] = true,
                None => unnamed.push(format!("{}: {difference}", edit.name)),
            }
        }
    }
    for line in &unnamed {
        println!("  {line}");
    }
    let vanished: Vec<_> = NAMED_EFFECTS.iter().zip(&met).filter(|(_, met)| !**met).collect();
    for (named, _) in &vanished {
        println!(
            "  not met any more: {}: {} ({})",
            named.edit, named.difference, named.why
        );
    }
    println!(
        "effects: {} edits, equal {equal}, named differences {}, without a name {}",
        edits.len(),
        NAMED_EFFECTS.len() - vanished.len(),
        unnamed.len(),
    );
    assert!(unnamed.is_empty() && vanished.is_empty(), "see above");
}

#[tokio::main(flavor = "current_thread")]
async fn play_edit(edit: &effects::Edit) -> effects::Facts {
    tokio::time::pause();
    edit.play().await
}
