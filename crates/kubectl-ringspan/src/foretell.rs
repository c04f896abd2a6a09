//! `kubectl ringspan plan`: what would be done, in its order, and what it does to the nodes.

use std::fmt::Write as _;

use anyhow::Result;
use api::k8ssandra_cluster::K8ssandraCluster;
use api::reports::{Effect, FieldChange, PendingChange};
use plan::cluster::acts::Act;
use plan::foresight::{Foresight, foresee};
use serde_json::Value;

use crate::render::{self, Args, Input};

/// The acts as lines for people.
///
/// # Errors
/// [`crate::Refused`] with the field, or what is wrong with a file.
pub fn run(args: &Args) -> Result<String> {
    let input = Input::read(&args.filename, args.facts.as_deref(), &args.namespace)?;
    let mut text = String::new();
    for kc in &input.clusters {
        let foresight = foresee(kc, &input.snapshot);
        render::refuse(kc, &foresight)?;
        told(kc, &foresight, &mut text);
    }
    Ok(text)
}

/// Writing to a text cannot fail.
macro_rules! line {
    ($text:expr, $($what:tt)*) => {{
        let _ = writeln!($text, $($what)*);
    }};
}

pub(crate) fn told(kc: &K8ssandraCluster, foresight: &Foresight, text: &mut String) {
    line!(text, "K8ssandraCluster {}", render::name(kc));
    if foresight.steps.is_empty() {
        line!(text, "  Nothing would be done.");
    }
    for (at, step) in foresight.steps.iter().enumerate() {
        line!(text, "{:4}. {}", at + 1, step.act.sentence());
        if let Act::ApplyDatacenter { change, .. } = &step.act {
            fields(&change.fields, text);
        }
    }
    let worst = foresight
        .steps
        .iter()
        .map(|step| step.act.effect())
        .max()
        .unwrap_or(Effect::None);
    line!(text, "  Effect on nodes that run: {}", word(worst));
    for (name, datacenter) in &foresight.report.datacenters {
        if let Some(change) = &datacenter.pending_change {
            pending(name, change, text);
        }
        for field in &datacenter.drift {
            line!(
                text,
                "  Left as it is: {field} of {name} was set by somebody else."
            );
        }
    }
    for hold in &foresight.report.holds {
        line!(text, "  Waits ({}): {}", hold.reason, hold.message);
    }
}

fn pending(name: &str, change: &PendingChange, text: &mut String) {
    if change.held {
        line!(
            text,
            "  Held ({}): {name} would be written differently by this version; annotation {} lets it, or the next edit of {name}.",
            word(change.effect),
            api::names::annotation::AUTOUPDATE_SPEC
        );
    } else {
        line!(
            text,
            "  Waits for its turn ({}): a change of {name}.",
            word(change.effect)
        );
    }
    fields(&change.fields, text);
    if change.more > 0 {
        line!(text, "          and {} fields more", change.more);
    }
}

fn fields(changes: &[FieldChange], text: &mut String) {
    for change in changes {
        line!(
            text,
            "          {}: {} -> {} ({})",
            change.field,
            shown(change.from.as_ref()),
            shown(change.to.as_ref()),
            word(change.effect)
        );
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}

fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::None => "none",
        Effect::Live => "live",
        Effect::Restart => "restart",
        Effect::Stream => "stream",
        Effect::Dangerous => "dangerous",
    }
}
