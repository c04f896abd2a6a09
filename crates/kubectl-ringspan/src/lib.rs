//! `kubectl ringspan`: what a cluster is doing, why, and what would be done.
//!
//! * [`render`]: every object that would be made for a cluster, without any cluster at hand
//! * [`foretell`]: the acts that would be done, in their order, each with what it does to the nodes
//! * [`live`]: what there is in live clusters; [`connection`]: the way there; `wanted`: which clusters are meant
//! * `document`, `schema`: a K8ssandraCluster as an API server would store it, or why it would not
//! * `facts`: what there is already, from a file
//! * [`takeover`]: whether a live installation of k8ssandra-operator can be taken over now
//! * [`ring`]: whether a ring is whole, from what its nodes say
//!
//! It exits with 0, with 2 where the spec is refused (the field stands in the message) or what nodes say cannot be read,
//! and with 1 where anything else is wrong, something stands in the way of a take-over, or a ring is not whole.

pub mod connection;
mod document;
mod facts;
pub mod foretell;
pub mod live;
pub mod render;
pub mod ring;
mod schema;
pub mod takeover;
mod wanted;

use std::io::Write;
use std::process::ExitCode;

pub use document::Refused;

/// Look at K8ssandraClusters before and after they are applied.
#[derive(Debug, clap::Parser)]
#[command(name = "kubectl ringspan", version, after_help = EXIT_CODES)]
pub struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print every object that would be made, each with the plane that it would be made in
    Render(render::Args),
    /// Print what would be done, in its order, and what it does to the nodes
    Plan(foretell::Args),
    /// Tell whether a live installation of k8ssandra-operator can be taken over now, and what stands in the way
    Takeover(takeover::Args),
    /// Look at the ring itself
    #[command(subcommand)]
    Ring(ring::Command),
}

const EXIT_CODES: &str = "Exit codes: 0, also where there is nothing to do; 2 where a spec is refused, which names its field, or what nodes say cannot be read, which names file and line; 1 where anything else is wrong, something stands in the way of a take-over, or a ring is not whole.";

/// Exit code of a spec that is refused, and of everything that `ring` cannot read.
const REFUSED: u8 = 2;

/// Does what was asked for.
#[must_use]
pub fn run(program: &Program) -> ExitCode {
    let mut done = ExitCode::SUCCESS;
    let said = match &program.command {
        Command::Render(args) => render::run(args).map(|rendering| {
            for wait in &rendering.waits {
                let _ = writeln!(std::io::stderr(), "not everything would be made: {wait}");
            }
            rendering.objects
        }),
        Command::Plan(args) => foretell::run(args),
        Command::Takeover(args) => takeover::run(args).map(|verdict| {
            if verdict.things > 0 {
                done = ExitCode::FAILURE;
            }
            verdict.text
        }),
        Command::Ring(ring::Command::Verify(args)) => ring::verify::run(args).map(|verdict| {
            if !verdict.findings.all().is_empty() {
                done = ExitCode::FAILURE;
            }
            verdict.text
        }),
    };
    match said {
        Ok(text) => {
            // Whoever reads may have had enough.
            let _ = std::io::stdout().write_all(text.as_bytes());
            done
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            if error.downcast_ref::<Refused>().is_some() || matches!(program.command, Command::Ring(_)) {
                ExitCode::from(REFUSED)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}
