//! The flags that every program has.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::WorkOptions;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// One line for people.
    #[default]
    Human,
    /// One JSON object per line.
    Json,
}

/// Flags of every program.
#[derive(Clone, Debug, clap::Args)]
pub struct ProcessArgs {
    /// Kubeconfig of the control plane; without it KUBECONFIG, the service account of the pod, or ~/.kube/config. Logins that run
    /// commands are refused
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Namespaces to work in, separated by commas; none = all
    #[arg(
        long,
        env = "WATCH_NAMESPACE",
        value_delimiter = ',',
        default_value = "",
        hide_default_value = true
    )]
    pub namespaces: Vec<String>,

    /// Address of /livez, /readyz and /metrics
    #[arg(long, default_value = "0.0.0.0:8080", value_name = "IP:PORT")]
    pub metrics_address: SocketAddr,

    /// How log lines look
    #[arg(long, value_enum, default_value = "human")]
    pub log_format: LogFormat,

    /// error, warn, info, debug, trace, or a filter such as `info,ringspan_fleet=debug`
    #[arg(long, env = "RUST_LOG", default_value = "info", value_name = "LEVEL")]
    pub log_level: String,

    /// Objects worked on at once
    #[arg(long, default_value_t = 4)]
    pub workers: usize,

    /// Quiet time before an object that changed is looked at
    #[arg(long, default_value_t = 100, value_name = "MILLISECONDS")]
    pub debounce_ms: u64,

    /// Threads that run everything
    #[arg(long, default_value_t = 2)]
    pub threads: usize,
}

/// Flag of the programs that put something into planes.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct GrantArgs {
    /// Use a plane only where annotation ringspan.io/grants of its ClientConfig allows it, and no other namespace of the control
    /// plane than a cluster's own. Without this flag, a ClientConfig without the annotation is for everybody
    #[arg(long, env = "RINGSPAN_REQUIRE_GRANTS")]
    pub require_grants: bool,
}

impl ProcessArgs {
    /// The namespaces to work in; empty = all.
    #[must_use]
    pub fn namespaces(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .namespaces
            .iter()
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// The options of this program's queue.
    #[must_use]
    pub fn work(&self) -> WorkOptions {
        let debounce = Duration::from_millis(self.debounce_ms);
        WorkOptions {
            workers: self.workers,
            debounce,
            ..WorkOptions::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(clap::Parser)]
    struct Program {
        #[command(flatten)]
        process: ProcessArgs,
    }

    #[test]
    fn no_namespace_means_all_and_names_are_split_at_commas() {
        let parse = |args: &[&str]| Program::parse_from(args).process.namespaces();
        assert_eq!(parse(&["x", "--namespaces", ""]), Vec::<String>::new());
        assert_eq!(parse(&["x", "--namespaces", "b, a,,b"]), ["a", "b"]);
    }
}
