//! `kubectl ringspan ring verify`: whether a ring is whole.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::expected::{Expected, Words};
use super::findings::Findings;
use super::view::View;
use super::zones::{self, Plane};
use super::{BadInput, judge, table};
use crate::document;

/// What the ring should be, and what its nodes say of it.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// Output of `nodetool status`, best of a node of each datacenter; `-` is standard input
    #[arg(value_name = "VIEW")]
    pub views: Vec<PathBuf>,
    /// File with the K8ssandraCluster; `-` is standard input
    #[arg(
        short,
        long,
        value_name = "FILE",
        required_unless_present = "datacenters",
        conflicts_with = "datacenters"
    )]
    pub filename: Option<PathBuf>,
    /// Instead of a file: a datacenter, its size and its racks, as dc1=3:r1,r2,r3; can be repeated
    #[arg(long = "datacenter", value_name = "NAME=SIZE:RACKS")]
    pub datacenters: Vec<Words>,
    /// Output of `nodetool status system_auth`: a view, and who owns how much of that keyspace; can be repeated
    #[arg(long, value_name = "VIEW")]
    pub system_auth: Vec<PathBuf>,
    /// The management API's answer to GET /api/v0/metadata/endpoints: a view; can be repeated
    #[arg(long, value_name = "FILE")]
    pub endpoints: Vec<PathBuf>,
    /// Output of `kubectl get pods -o json` of a plane: racks are in their zones; can be repeated, each with its --nodes
    #[arg(long, value_name = "FILE", requires = "nodes")]
    pub pods: Vec<PathBuf>,
    /// Output of `kubectl get nodes -o json` of the same plane
    #[arg(long, value_name = "FILE", requires = "pods")]
    pub nodes: Vec<PathBuf>,
}

/// What came of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// For people; its last line begins with `whole` or `not whole`.
    pub text: String,
    /// What keeps the ring from being whole.
    pub findings: Findings,
}

/// Reads the files, and judges.
///
/// # Errors
/// [`BadInput`] or [`crate::Refused`], with the file and the line or field, or a file that cannot be read.
pub fn run(args: &Args) -> Result<Verdict> {
    let from = [
        &args.views,
        &args.system_auth,
        &args.endpoints,
        &args.pods,
        &args.nodes,
    ];
    let from = from.into_iter().flatten().chain(&args.filename);
    if from.filter(|path| *path == Path::new("-")).count() > 1 {
        return Err(BadInput::of("-", "standard input can be one of the files only").into());
    }
    let expected = expected(args)?;
    let read = |paths: &[PathBuf], view: fn(&str, &str) -> Result<View, BadInput>| -> Result<Vec<View>> {
        let each = paths.iter().map(|path| Ok(view(&shown(path), &text_of(path)?)?));
        each.collect()
    };
    let mut views = read(&args.views, View::of_status)?;
    views.extend(read(&args.endpoints, View::of_endpoints)?);
    let system_auth = read(&args.system_auth, View::of_status)?;
    if views.is_empty() && system_auth.is_empty() {
        return Err(BadInput::of(
            "nothing to look at",
            "give the output of `nodetool status` of a node of each datacenter",
        )
        .into());
    }
    let planes = planes(args, &expected)?;
    let mut findings = judge::judge(&expected, &views, &system_auth);
    if !planes.is_empty() {
        zones::judge(&expected, &planes, &mut findings);
    }
    let text = told(&expected, &views, &system_auth, &findings);
    Ok(Verdict { text, findings })
}

fn expected(args: &Args) -> Result<Expected> {
    let Some(path) = &args.filename else {
        return Ok(Expected::of_words(&args.datacenters));
    };
    let (clusters, _) = document::clusters(document::read(path)?, "default")?;
    let [kc] = clusters.as_slice() else {
        return Err(BadInput::of(&shown(path), "several K8ssandraClusters stand in it; give one").into());
    };
    let expected = Expected::of_cluster(kc);
    Ok(expected
        .map_err(|refusal| BadInput::of(&shown(path), format!("{}: {}", refusal.field, refusal.message)))?)
}

fn planes(args: &Args, expected: &Expected) -> Result<Vec<Plane>> {
    if args.pods.len() != args.nodes.len() {
        return Err(BadInput::of("--pods", "each needs the --nodes of its plane behind it").into());
    }
    let has_zone = |it: &super::expected::Datacenter| it.racks.iter().any(|rack| rack.zone.is_some());
    if !args.pods.is_empty() && !expected.datacenters.values().any(has_zone) {
        return Err(BadInput::of(
            "--pods",
            "no rack of the spec names a zone, so there is nothing to compare",
        )
        .into());
    }
    let both = args.pods.iter().zip(&args.nodes);
    let read = both.map(|(pods, nodes)| {
        let (pods_text, nodes_text) = (text_of(pods)?, text_of(nodes)?);
        Ok(Plane::read(
            (&shown(pods), &pods_text),
            (&shown(nodes), &nodes_text),
        )?)
    });
    read.collect()
}

/// The findings, or a table; and the verdict.
fn told(expected: &Expected, views: &[View], system_auth: &[View], findings: &Findings) -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    for finding in findings.all() {
        let _ = writeln!(text, "{finding}");
    }
    let found = findings.all().len();
    if found > 0 {
        let _ = writeln!(
            text,
            "not whole: {found} {}",
            if found == 1 { "thing" } else { "things" }
        );
        return text;
    }
    if let Some(view) = system_auth.first() {
        text = table::of(expected, view);
        let _ = writeln!(
            text,
            "whole: {} datacenters, {} nodes, the same host ids in {} views",
            expected.datacenters.len() + expected.external.len(),
            view.nodes.len(),
            views.len() + system_auth.len()
        );
    }
    text
}

fn shown(path: &Path) -> String {
    if path == Path::new("-") {
        return "standard input".to_owned();
    }
    path.display().to_string()
}

fn text_of(path: &Path) -> Result<String, BadInput> {
    let bad = |error: std::io::Error| BadInput::of(&shown(path), format!("it cannot be read: {error}"));
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(bad)?;
        return Ok(text);
    }
    fs::read_to_string(path).map_err(bad)
}
