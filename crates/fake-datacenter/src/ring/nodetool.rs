//! A ring as a table in the manner of `nodetool status`.

use std::fmt::Write as _;

use super::{Member, MemberState, Ring, World};

impl World {
    /// All rings of which a node answers or can come back, each under a line that names it.
    #[must_use]
    pub fn nodetool(&self) -> String {
        let mut text = String::new();
        for (number, ring) in self.rings.iter().filter(|(_, ring)| ring.is_alive()) {
            let _ = writeln!(text, "Cluster: {} (ring {number})", ring.cluster);
            text.push_str(&ring.table());
            text.push('\n');
        }
        text
    }
}

impl Ring {
    fn table(&self) -> String {
        let mut text = String::new();
        for datacenter in self.datacenters() {
            let title = format!("Datacenter: {datacenter}");
            let rule = "=".repeat(title.len());
            let _ = writeln!(
                text,
                "{title}\n{rule}\nStatus=Up/Down\n|/ State=Normal/Leaving/Joining/Moving"
            );
            let mut rows = vec![heading()];
            let members = self
                .members
                .iter()
                .filter(|(_, member)| member.datacenter == datacenter);
            rows.extend(members.map(|(host, member)| self.row(host, member)));
            rows[1..].sort();
            write_rows(&mut text, &rows);
            text.push('\n');
        }
        text
    }

    fn row(&self, host: &str, member: &Member) -> [String; 7] {
        let up = if member.up { 'U' } else { 'D' };
        let state = if member.state == MemberState::Leaving {
            'L'
        } else {
            'N'
        };
        [
            format!("{up}{state}"),
            member.address.to_string(),
            format!("{}.00 KiB", 70 + u32::from(member.address.octets()[3]) % 30),
            member.tokens.to_string(),
            format!("{:.1}%", self.owns(member)),
            host.to_owned(),
            member.rack.clone(),
        ]
    }

    /// Percent of the data that a member has: replicas over nodes of its datacenter, for the keyspace with the most.
    fn owns(&self, member: &Member) -> f64 {
        let nodes = self
            .members
            .values()
            .filter(|other| other.datacenter == member.datacenter)
            .count();
        let factor = |(_, keyspace): (&String, &super::Keyspace)| keyspace.replicas(&member.datacenter);
        let users = self
            .keyspaces
            .iter()
            .filter(|(name, _)| !name.starts_with("system"))
            .map(factor)
            .max();
        let replicas = users
            .or_else(|| self.keyspaces.iter().map(factor).max())
            .unwrap_or(0);
        let nodes = u32::try_from(nodes.max(1)).unwrap_or(u32::MAX);
        (f64::from(replicas) / f64::from(nodes) * 100.0).min(100.0)
    }
}

fn heading() -> [String; 7] {
    [
        "--",
        "Address",
        "Load",
        "Tokens",
        "Owns (effective)",
        "Host ID",
        "Rack",
    ]
    .map(str::to_owned)
}

fn write_rows(text: &mut String, rows: &[[String; 7]]) {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: [usize; 7] = std::array::from_fn(width);
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
}
