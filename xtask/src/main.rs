//! The only entry point for chores: `cargo xtask <chore>`.
#![allow(clippy::print_stdout, reason = "what a chore says is for whoever started it")]

mod bench;
mod build;
mod cassandra;
mod check;
mod conformance;
mod crds;
mod demo;
mod e2e;
mod faults;
mod generated;
mod goldens;
mod layers;
mod mutants;
mod rbac;
mod reliability;
mod rows;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Chores of the project
#[derive(Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
struct Xtask {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Make a control plane and planes, and one ring across them
    Demo(demo::Args),
    /// Run everything that can fail: tests of each crate, then stories
    Test(test::Args),
    /// Format, lints, layers, generated files, docs
    Check,
    /// Tell user stories on real API servers, or on ones in memory
    E2e(e2e::Args),
    /// Have Maven fetch what real Cassandra nodes are run with, and hold it against the list of checksums
    Cassandra(cassandra::Args),
    /// Hold the recorded answers of an API server against a real one
    Conformance(conformance::Args),
    /// Run the controllers in memory with a fault at every call
    Faults(faults::Args),
    /// Show that each story fails without what it is about
    Mutants(mutants::Args),
    /// Measure what has a limit
    Bench(bench::Args),
    /// Compare what is made of recorded inputs with what upstream made of them
    Goldens,
    /// Make crds/ from the types in crates/api
    Crds(crds::Args),
    /// Make deploy/base from the tables of what each program may do
    Rbac(rbac::Args),
    /// Hold the crates against the table of who may use whom
    Layers,
}

fn main() -> ExitCode {
    if let Err(error) = run(Xtask::parse().chore) {
        eprintln!("error: {error:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn run(chore: Chore) -> anyhow::Result<()> {
    match chore {
        Chore::Demo(args) => demo::run(&args),
        Chore::Test(args) => test::run(&args),
        Chore::Check => check::run(),
        Chore::E2e(args) => e2e::run(&args),
        Chore::Cassandra(args) => cassandra::run(&args),
        Chore::Conformance(args) => conformance::run(&args),
        Chore::Faults(args) => faults::run(&args),
        Chore::Mutants(args) => mutants::run(&args),
        Chore::Bench(args) => bench::run(&args),
        Chore::Goldens => goldens::run(),
        Chore::Crds(args) => crds::run(&args),
        Chore::Rbac(args) => rbac::run(&args),
        Chore::Layers => layers::run(),
    }
}
