//! What a whole ring is shown as.

use std::fmt::Write as _;

use super::expected::{Datacenter, Expected};
use super::judge::percent;
use super::view::View;

/// A line for each datacenter. It stands for all views: they agree.
pub(super) fn of(expected: &Expected, view: &View) -> String {
    let mut rows = vec![["DATACENTER", "NODES", "RACKS", "SYSTEM_AUTH"].map(str::to_owned)];
    rows.extend(expected.datacenters.iter().map(|(name, it)| row(name, it, view)));
    let widths: Vec<usize> = (0..3).map(|column| width(&rows, column)).collect();
    let mut text = String::new();
    for [name, nodes, racks, owns] in &rows {
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "{name:<0$}  {nodes:<1$}  {racks:<2$}  {owns}",
            widths[0], widths[1], widths[2]
        );
    }
    text
}

fn width(rows: &[[String; 4]], column: usize) -> usize {
    rows.iter()
        .map(|row| row[column].chars().count())
        .max()
        .unwrap_or_default()
}

fn row(name: &str, datacenter: &Datacenter, view: &View) -> [String; 4] {
    let nodes = view.of_datacenter(name);
    let in_rack = |rack: &str| nodes.clone().filter(|node| node.rack == rack).count();
    let racks = datacenter
        .racks
        .iter()
        .map(|rack| format!("{}: {}", rack.name, in_rack(&rack.name)));
    let owned: u32 = nodes.clone().filter_map(|node| node.owns).sum();
    [
        name.to_owned(),
        format!("{} UN", nodes.clone().count()),
        racks.collect::<Vec<_>>().join(", "),
        percent(owned),
    ]
}
