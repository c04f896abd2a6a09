//! `kubectl ringspan render`: every object that would be made for the clusters of a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use api::k8ssandra_cluster::K8ssandraCluster;
use plan::foresight::{Foresight, Snapshot, foresee};
use serde_json::{Value, json};

use crate::document::{self, Refused};
use crate::facts::{self, PLANE};

/// What to look at: what would be made of it, or done for it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File with K8ssandraClusters, and with what they refer to in any plane; `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    pub filename: PathBuf,
    /// File with objects that are there already, each with annotation `ringspan.io/plane`
    #[arg(long, value_name = "FILE")]
    pub facts: Option<PathBuf>,
    /// Namespace of documents that name none
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
}

/// The objects as a YAML stream: in the order in which they would be made, each with its namespace and the annotation
/// that names its plane. Secrets have no values. Nothing but the files is read.
///
/// # Errors
/// [`Refused`] with the field, or what is wrong with a file.
pub fn run(args: &Args) -> Result<Rendering> {
    Input::read(&args.filename, args.facts.as_deref(), &args.namespace)?.rendered()
}

/// What would be made, and what would not.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Rendering {
    /// A YAML stream.
    pub objects: String,
    /// Why some objects would not be made yet: a sentence for each thing that is waited for, and the way out.
    pub waits: Vec<String>,
}

/// Clusters as an API server would store them, and what there is already.
#[derive(Debug)]
pub struct Input {
    pub(crate) clusters: Vec<K8ssandraCluster>,
    pub(crate) snapshot: Snapshot,
}

impl Input {
    /// Reads the files.
    ///
    /// # Errors
    /// [`Refused`] with the field, or what is wrong with a file.
    pub fn read(file: &Path, facts: Option<&Path>, namespace: &str) -> Result<Self> {
        let (clusters, beside) = document::clusters(document::read(file)?, namespace)?;
        let there = facts.map_or_else(|| Ok(Vec::new()), document::read)?;
        let snapshot = facts::snapshot(&clusters, &beside, &there);
        Ok(Input { clusters, snapshot })
    }

    /// The objects, as [`run`] prints them.
    ///
    /// # Errors
    /// [`Refused`] with the field.
    pub fn rendered(&self) -> Result<Rendering> {
        let mut rendering = Rendering::default();
        for kc in &self.clusters {
            let foresight = foresee(kc, &self.snapshot);
            refuse(kc, &foresight)?;
            let waits = foresight.report.holds.iter();
            rendering
                .waits
                .extend(waits.map(|hold| format!("{}: {} ({})", name(kc), hold.message, hold.reason)));
            for (plane, object) in made(foresight) {
                rendering.objects.push_str("---\n");
                rendering.objects.push_str(&document(&plane, object)?);
            }
        }
        Ok(rendering)
    }
}

/// A refusal of Ringspan's own, as condition `Accepted` would tell it.
pub(crate) fn refuse(kc: &K8ssandraCluster, foresight: &Foresight) -> Result<(), Refused> {
    foresight.refusal().map_or(Ok(()), |refusal| {
        Err(Refused {
            cluster: name(kc),
            reason: refusal.reason.clone(),
            field: refusal.field.clone(),
            message: refusal.message.clone(),
        })
    })
}

/// Namespace and name.
pub(crate) fn name(kc: &K8ssandraCluster) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    format!("{}/{}", text(&kc.metadata.namespace), text(&kc.metadata.name))
}

/// Each object once, as it is in the end, in the order in which they are first made.
fn made(foresight: Foresight) -> Vec<(String, Value)> {
    let mut order = Vec::new();
    let mut last = BTreeMap::new();
    for (plane, object) in foresight.steps.into_iter().filter_map(|step| step.object) {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let key = (
            plane,
            text("/kind"),
            text("/metadata/namespace"),
            text("/metadata/name"),
        );
        if !last.contains_key(&key) {
            order.push(key.clone());
        }
        last.insert(key, object);
    }
    let take = |key: (String, String, String, String)| last.remove(&key).map(|object| (key.0, object));
    order.into_iter().filter_map(take).collect()
}

fn document(plane: &str, mut object: Value) -> Result<String> {
    object["metadata"]["annotations"][PLANE] = json!(plane);
    serde_saphyr::to_string(&object).context("an object cannot be written as YAML")
}
