//! `kubectl ringspan plan`: what would be done, in its order, and what it does to the nodes.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use api::k8ssandra_cluster::K8ssandraCluster;
use api::reports::{Effect, FieldChange, PendingChange};
use plan::cluster::acts::Act;
use plan::foresight::{Foresight, Snapshot, foresee};
use serde_json::Value;

use crate::connection::Connection;
use crate::live::{self, Live};
use crate::render::{self, Input};
use crate::wanted;

/// Writing to a text cannot fail.
macro_rules! line {
    ($text:expr, $($what:tt)*) => {{
        let _ = writeln!($text, $($what)*);
    }};
}

/// What to look at: what would be done for it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A K8ssandraCluster that is there; without it and without --filename all of the namespace
    #[arg(value_name = "NAME", conflicts_with = "filename")]
    pub name: Option<String>,
    /// File with K8ssandraClusters as they shall be, and with what they refer to; `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    pub filename: Option<PathBuf>,
    /// Ask no cluster: nothing is there but what --facts names
    #[arg(long, requires = "filename")]
    pub offline: bool,
    /// File with objects that are there already, each with annotation `ringspan.io/plane`; no cluster is asked
    #[arg(long, value_name = "FILE", requires = "filename")]
    pub facts: Option<PathBuf>,
    /// Namespace of the cluster, and of documents that name none; without it that of the kubeconfig's context
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// Which control plane
    #[command(flatten)]
    pub connection: Connection,
}

/// The acts as lines for people: from files alone, or against live clusters.
///
/// # Errors
/// [`crate::Refused`] with the field, what is wrong with a file, or why the control plane cannot be read.
pub fn run(args: &Args) -> Result<String> {
    match &args.filename {
        Some(file) if args.offline || args.facts.is_some() => {
            let namespace = args.namespace.as_deref().unwrap_or("default");
            let input = Input::read(file, args.facts.as_deref(), namespace)?;
            foretold(&input.clusters, &input.snapshot)
        }
        _ => live::block_on(async {
            let client = args.connection.client().await?;
            let connection = &args.connection;
            let live = Live::look(client, connection.installed_in(), connection.fleet()).await?;
            against(args, &live).await
        }),
    }
}

/// The acts as lines for people, against live clusters: only gets and lists are sent.
///
/// # Errors
/// As of [`run`].
pub async fn against(args: &Args, live: &Live) -> Result<String> {
    let namespace = args.namespace.as_deref().unwrap_or(live.namespace());
    let (clusters, others) = if let Some(file) = &args.filename {
        wanted::of_file(live, namespace, file).await?
    } else {
        let there = wanted::there(live, namespace, args.name.as_deref()).await?;
        (there, Vec::new())
    };
    if clusters.is_empty() {
        return Ok(format!(
            "There is no K8ssandraCluster in namespace {namespace}.\n"
        ));
    }
    let mut snapshot = live.snapshot(&clusters).await?;
    wanted::add(&mut snapshot, &others);
    foretold(&clusters, &snapshot)
}

fn foretold(clusters: &[K8ssandraCluster], snapshot: &Snapshot) -> Result<String> {
    let mut text = String::new();
    for kc in clusters {
        let foresight = foresee(kc, snapshot);
        render::refuse(kc, &foresight)?;
        told(kc, &foresight, &mut text);
    }
    for (context, plane) in &snapshot.planes {
        if let Err(unknown) = plane {
            line!(text, "Not known: plane {context}: {}", live::said(unknown));
        }
    }
    Ok(text)
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
    for warning in &foresight.report.warnings {
        let (reason, field) = (&warning.reason, &warning.field);
        line!(text, "  Warning ({reason}): {field}: {}", warning.message);
    }
    for hold in &foresight.report.holds {
        line!(text, "  Waits ({}): {}", hold.reason, hold.message);
    }
}

pub(crate) fn pending(name: &str, change: &PendingChange, text: &mut String) {
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
