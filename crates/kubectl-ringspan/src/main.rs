//! kubectl ringspan: what a cluster is doing, why, and what would be done.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    kubectl_ringspan::run(&kubectl_ringspan::Program::parse())
}
