//! F17: one plane is cut off from all programs, over a span of the run without faults.

use std::time::Duration;

use crate::plan::{Fault, Place, Plan, What};
use crate::run::Report;
use crate::scenario::Cut;
use crate::world::PLANES;

/// How long a partition lasts that is not said to be longer.
const SPAN: u32 = 300;
/// Seven days.
const WEEK: u32 = 7 * 24 * 3600;
/// How long a plane that flaps is away, and then there.
const FLAP: u32 = 5;
/// How often it flaps.
const FLAPS: u32 = 12;

/// From the beginning on.
#[must_use]
pub fn at_start(reference: &Report) -> Vec<Plan> {
    spans(reference, 0)
}

/// In the middle of the first step, while datacenters are made.
#[must_use]
pub fn midway(reference: &Report) -> Vec<Plan> {
    spans(reference, middle(first(reference)))
}

/// In the middle of the last step; where that is the first, at its end.
#[must_use]
pub fn late(reference: &Report) -> Vec<Plan> {
    let (from, until) = last(reference);
    let begin = if from == 0 { until } else { middle((from, until)) };
    spans(reference, begin)
}

/// Away and there again, time after time, from the first step on.
#[must_use]
pub fn flapping(reference: &Report) -> Vec<Plan> {
    let from = first(reference).0;
    let flaps = |way, plane| {
        let begins = (0..FLAPS).map(|number| from + 2 * FLAP * number);
        let spans = begins.map(|begin| cut(way, plane, begin, begin + FLAP));
        reference.plan.with(spans)
    };
    each(flaps)
}

/// For a week, which is long even in virtual time: only the worst way.
#[must_use]
pub fn for_a_week(reference: &Report) -> Vec<Plan> {
    let from = middle(last(reference));
    let week = |plane| reference.plan.with([cut(Cut::Silent, plane, from, from + WEEK)]);
    PLANES.map(week).into()
}

/// Begin and end of a step, in seconds.
fn phase(reference: &Report, index: usize) -> (u32, u32) {
    let seconds = |time: &Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
    let end = |index: usize| reference.steps.get(index).map(seconds).unwrap_or_default();
    (index.checked_sub(1).map(end).unwrap_or_default(), end(index))
}

fn first(reference: &Report) -> (u32, u32) {
    phase(reference, 0)
}

fn last(reference: &Report) -> (u32, u32) {
    phase(reference, reference.steps.len().saturating_sub(1))
}

fn middle((from, until): (u32, u32)) -> u32 {
    from + (until - from) / 2
}

fn cut(way: Cut, plane: &'static str, from: u32, until: u32) -> Fault {
    Fault::once(What::Partition(way), Place::Span { plane, from, until })
}

fn each(plan: impl Fn(Cut, &'static str) -> Plan) -> Vec<Plan> {
    let ways = Cut::ALL
        .into_iter()
        .flat_map(|way| PLANES.map(|plane| (way, plane)));
    ways.map(|(way, plane)| plan(way, plane)).collect()
}

fn spans(reference: &Report, from: u32) -> Vec<Plan> {
    each(|way, plane| reference.plan.with([cut(way, plane, from, from + SPAN)]))
}
