//! The rows of the fault matrix: each makes plans from a run without faults.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::partition;
use crate::plan::{Call, Fault, Place, Plan, Verb, What};
use crate::program::Name;
use crate::run::Report;
use crate::scenario::Scenario;
use crate::stranger;
use crate::wire::{Asked, NODES, Shown};
use crate::world::CONTROL_PLANE;

/// A row of the fault matrix.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Number and name.
    pub name: &'static str,
    /// Every plan of the row for a scenario, given its run without faults.
    pub plans: fn(&Report) -> Vec<Plan>,
    /// Whether the removal and the founding of datacenters are always swept whole.
    pub whole: bool,
    /// Whether a run takes so long that a budget has room for few.
    pub long: bool,
}

const fn row(name: &'static str, plans: fn(&Report) -> Vec<Plan>) -> Row {
    Row {
        name,
        plans,
        whole: false,
        long: false,
    }
}

const fn whole(name: &'static str, plans: fn(&Report) -> Vec<Plan>) -> Row {
    Row {
        name,
        plans,
        whole: true,
        long: false,
    }
}

const fn long(name: &'static str, plans: fn(&Report) -> Vec<Plan>) -> Row {
    Row {
        name,
        plans,
        whole: false,
        long: true,
    }
}

/// All of them.
pub const ROWS: &[Row] = &[
    whole("F01.crash_before", |run| {
        at(run, Call::Write, &[What::CrashBefore])
    }),
    row("F01.crash_before_management", |run| {
        at(run, Call::Management, &[What::CrashBefore])
    }),
    whole("F02.crash_after", |run| at(run, Call::Write, &[What::CrashAfter])),
    row("F02.crash_after_management", |run| {
        at(run, Call::Management, &[What::CrashAfter])
    }),
    whole("F03.lost_reply", |run| at(run, Call::Write, &[What::LostReply])),
    row("F03.lost_reply_management", |run| {
        at(run, Call::Management, &[What::LostReply])
    }),
    row("F04.double_crash", double_crash),
    row("F05.pair_crash", pair_crash),
    row("F06.stale_restart", stale_restart),
    row("F07.frozen", frozen),
    row("F08.drop_event", |run| events(run, &[What::Drop])),
    row("F09.unobserved", |run| {
        events(run, &[What::Unseen(SHORT), What::Unseen(MINUTE)])
    }),
    row("F10.reorder", |run| {
        events(run, &[What::Duplicate, What::Hold(SHORT), What::Swap])
    }),
    row("F11.watch_cut", |run| {
        let silent = What::Silent(LONG);
        events(
            run,
            &[What::End, What::Reset, What::Truncate, What::Garbage, silent],
        )
    }),
    row("F11.watch_not_opened", |run| {
        at(
            run,
            Call::Watch,
            &[What::Refuse, What::FailBefore, What::Hang, What::HalfOpen],
        )
    }),
    row("F12.gone_http", |run| at(run, Call::Watch, &[What::Reply(410)])),
    row("F12.gone_in_stream", |run| events(run, &[What::Expired])),
    row("F12.gone_on_continue", |run| {
        of_verb(run, Verb::List, &[What::GoneOnContinue])
    }),
    row("F13.conflict", conflict),
    row("F15.http5xx_once", |run| {
        let codes = [500, 502, 503, 504].map(What::Reply);
        [Call::Write, Call::Read, Call::Watch]
            .into_iter()
            .flat_map(|call| at(run, call, &codes))
            .collect()
    }),
    row("F15.http5xx_ten_times", ten_times),
    row("F15.http5xx_half_of_an_hour", half_of_an_hour),
    row("F15.http5xx_management", |run| {
        at(run, Call::Management, &[What::Reply(500)])
    }),
    row("F16.timeout", |run| at(run, Call::Write, &NO_ANSWER)),
    row("F16.timeout_of_reads", |run| at(run, Call::Read, &NO_ANSWER)),
    row("F16.timeout_of_management", |run| {
        at(run, Call::Management, &NO_ANSWER)
    }),
    row("F18.slow_call", |run| {
        [Call::Write, Call::Read, Call::Management]
            .into_iter()
            .flat_map(|call| at(run, call, &[What::Delay(SHORT)]))
            .collect()
    }),
    row("F17.partition_at_start", partition::at_start),
    row("F17.partition_midway", partition::midway),
    row("F17.partition_late", partition::late),
    row("F17.partition_flapping", partition::flapping),
    long("F17.partition_for_a_week", partition::for_a_week),
    row("F18.slow_plane", slow_plane),
    row("F25.delete_any", stranger::deletes),
    row("F26.recreate", stranger::recreates),
];

const NO_ANSWER: [What; 4] = [What::Refuse, What::FailBefore, What::Hang, What::HalfOpen];
const SHORT: Duration = Duration::from_secs(5);
const MINUTE: Duration = Duration::from_mins(1);
const LONG: Duration = Duration::from_mins(10);

/// At every call of a kind.
#[must_use]
pub fn at(reference: &Report, call: Call, whats: &[What]) -> Vec<Plan> {
    let calls = reference.calls.iter().filter(|((_, kind), _)| *kind == call);
    let places = calls.flat_map(|((program, _), count)| {
        (1..=*count).map(move |number| Place::Call {
            program: *program,
            call,
            number,
        })
    });
    each(reference, places, whats)
}

/// At every event of every watch.
fn events(reference: &Report, whats: &[What]) -> Vec<Plan> {
    each(reference, reference.shown.iter().map(event), whats)
}

fn of_verb(reference: &Report, verb: Verb, whats: &[What]) -> Vec<Plan> {
    let asked = reference.asked.iter().filter(|asked| asked.verb == Some(verb));
    each(reference, asked.map(place), whats)
}

fn each(reference: &Report, places: impl Iterator<Item = Place>, whats: &[What]) -> Vec<Plan> {
    places
        .flat_map(|place| {
            let once = whats.iter().map(move |what| Fault::once(*what, place));
            once.map(|fault| reference.plan.with([fault]))
        })
        .collect()
}

fn place(asked: &Asked) -> Place {
    Place::Call {
        program: asked.program,
        call: asked.call,
        number: asked.number,
    }
}

fn event(shown: &Shown) -> Place {
    Place::Event {
        program: shown.program,
        plane: shown.plane,
        number: shown.number,
    }
}

fn writes(reference: &Report) -> impl Iterator<Item = &Asked> {
    let asked = reference.asked.iter();
    asked.filter(|asked| asked.call == Call::Write)
}

/// Two programs end, or one of them twice, where datacenters are founded and removed.
fn double_crash(reference: &Report) -> Vec<Plan> {
    if !matches!(reference.plan.scenario, Scenario::Three | Scenario::Remove) {
        return Vec::new();
    }
    let writes: Vec<Place> = writes(reference).map(place).collect();
    let crash = |number: usize| {
        // Before and after in turn, so that pairs of both kinds are there.
        if number.is_multiple_of(2) {
            What::CrashBefore
        } else {
            What::CrashAfter
        }
    };
    let pairs = writes.iter().enumerate().flat_map(|(number, first)| {
        let others = writes.iter().enumerate().skip(number + 1);
        others.map(move |(other, second)| {
            [
                Fault::once(crash(number / 2), *first),
                Fault::once(crash(other), *second),
            ]
        })
    });
    pairs.map(|pair| reference.plan.with(pair)).collect()
}

/// One program ends at a write of another.
fn pair_crash(reference: &Report) -> Vec<Plan> {
    let pairs = writes(reference).flat_map(|asked| {
        let others = Name::ALL.into_iter().filter(|name| *name != asked.program);
        others.map(|other| Fault::once(What::Crash(other), place(asked)))
    });
    pairs.map(|fault| reference.plan.with([fault])).collect()
}

/// A program starts again and sees what was: at the beginning, halfway, or just before.
fn stale_restart(reference: &Report) -> Vec<Plan> {
    let mut plans = Vec::new();
    for asked in writes(reference) {
        let mut since = vec![0, asked.number / 2, asked.number.saturating_sub(1)];
        since.dedup();
        for since in since {
            for time in [Duration::from_secs(1), LONG] {
                let what = What::Stale { since, time };
                plans.push(reference.plan.with([Fault::once(what, place(asked))]));
            }
        }
    }
    plans
}

/// The watches of one collection of one plane stand still: from its first event, and from one in the middle.
fn frozen(reference: &Report) -> Vec<Plan> {
    let mut collections: BTreeMap<(&str, &str), Vec<&Shown>> = BTreeMap::new();
    for shown in &reference.shown {
        let events = collections.entry((shown.plane, &shown.path)).or_default();
        events.push(shown);
    }
    let starts = collections
        .values()
        .flat_map(|events| [events[0], events[events.len() / 2]]);
    let hours = Duration::from_hours(6);
    each(
        reference,
        starts.map(event),
        &[
            What::Freeze(SHORT),
            What::Freeze(Duration::from_mins(5)),
            What::Freeze(hours),
        ],
    )
}

/// The same write conflicts once, five times and a hundred times.
fn conflict(reference: &Report) -> Vec<Plan> {
    let faults = writes(reference).flat_map(|asked| {
        [1, 5, 100].map(|times| Fault {
            times,
            ..Fault::once(What::Reply(409), place(asked))
        })
    });
    faults.map(|fault| reference.plan.with([fault])).collect()
}

fn ten_times(reference: &Report) -> Vec<Plan> {
    let asked = reference.asked.iter().filter(|asked| asked.plane != NODES);
    let faults = asked.map(|asked| Fault {
        times: 10,
        ..Fault::once(What::Reply(503), place(asked))
    });
    faults.map(|fault| reference.plan.with([fault])).collect()
}

/// Planes that anything was asked of.
fn planes(reference: &Report) -> Vec<&'static str> {
    let mut planes: Vec<_> = reference.asked.iter().map(|asked| asked.plane).collect();
    planes.sort_unstable();
    planes.dedup();
    planes.retain(|plane| *plane != NODES);
    planes
}

fn half_of_an_hour(reference: &Report) -> Vec<Plan> {
    let mut plans = Vec::new();
    for plane in planes(reference) {
        let here = reference.asked.iter().filter(|asked| asked.plane == plane);
        let verbs: Vec<Verb> = here.filter_map(|asked| asked.verb).collect();
        for verb in Verb::ALL.into_iter().filter(|verb| verbs.contains(verb)) {
            for code in [500, 502, 503, 504] {
                let place = Place::Some {
                    plane,
                    verb,
                    percent: 50,
                    from: 0,
                    until: 3600,
                };
                plans.push(reference.plan.with([Fault::once(What::Reply(code), place)]));
            }
        }
    }
    plans
}

/// A data plane takes its time for everything.
fn slow_plane(reference: &Report) -> Vec<Plan> {
    let spans = planes(reference).into_iter().map(|plane| Place::Span {
        plane,
        from: 0,
        until: if plane == CONTROL_PLANE { 300 } else { 600 },
    });
    let delays = [100, 1_000, 10_000].map(|millis| What::Delay(Duration::from_millis(millis)));
    each(reference, spans, &delays)
}
