//! Lines that are written over themselves on a terminal, and only when they change elsewhere.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use api::k8ssandra_cluster::K8ssandraCluster;
use e2e::world::Step;

use super::manifest::Datacenter;

/// A block of lines.
pub(super) struct Screen {
    lines: usize,
    shown: Vec<String>,
    terminal: bool,
}

impl Screen {
    pub fn new(lines: usize) -> Screen {
        Screen {
            lines,
            shown: Vec::new(),
            terminal: std::io::stdout().is_terminal(),
        }
    }

    /// Shows the block. Without a terminal only lines that are new, and not for passing seconds alone.
    pub fn show(&mut self, lines: &[String]) {
        let mut out = std::io::stdout().lock();
        if self.terminal {
            if !self.shown.is_empty() {
                let _ = write!(out, "\x1b[{}A", self.lines);
            }
            for line in lines {
                let _ = writeln!(out, "\x1b[2K{line}");
            }
        } else {
            let text = |line: &String| line.split(" · after").next().unwrap_or_default().to_owned();
            let before: Vec<_> = self.shown.iter().map(text).collect();
            for line in lines.iter().filter(|line| !before.contains(&text(line))) {
                let _ = writeln!(out, "{line}");
            }
        }
        let _ = out.flush();
        self.shown = lines.to_vec();
    }
}

/// One datacenter's line.
pub(super) fn datacenter(datacenter: &Datacenter, step: Step) -> String {
    let Datacenter { name, plane, nodes } = datacenter;
    let (done, text) = match step {
        Step::Waiting => (0, "waits".to_owned()),
        Step::Created => (1, "made; its first node starts".to_owned()),
        Step::Starting(started) => (2, format!("{started} of {nodes} nodes run")),
        Step::Ready => (3, "ready; joins: replication, rebuild".to_owned()),
        Step::Joined => (4, "in the ring, with its data".to_owned()),
    };
    format!(
        "  {name} in {plane:<8} [{}{}] {text}",
        "■".repeat(done),
        "·".repeat(4 - done)
    )
}

/// The cluster's line.
pub(super) fn cluster(name: &str, cluster: &K8ssandraCluster, after: Duration) -> String {
    let conditions = cluster.status.iter().flat_map(|status| &status.conditions);
    let ready = conditions
        .filter(|condition| condition.type_ == "Ready")
        .map(|condition| {
            let message: String = condition
                .message
                .as_deref()
                .unwrap_or_default()
                .chars()
                .take(70)
                .collect();
            format!(
                "Ready={} {} {message}",
                condition.status,
                condition.reason.as_deref().unwrap_or_default()
            )
        });
    let mut ready = ready;
    let said = ready.next().unwrap_or_else(|| "no status yet".to_owned());
    format!("  cluster {name}: {said} · after {:.0} s", after.as_secs_f64())
}
