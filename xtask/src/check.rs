//! `cargo xtask check`: everything that can be said of the tree without running the product.

mod commands;
mod sizes;
mod words;

use std::io::Write;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::{crds, layers, rbac, rows, workspace};

/// One thing that is held against the tree.
struct Step {
    name: &'static str,
    run: fn() -> Result<()>,
}

/// In the order in which they run: the quick ones that most often fail come first.
const STEPS: [Step; 10] = [
    Step {
        name: "format",
        run: format,
    },
    Step {
        name: "lints",
        run: lints,
    },
    Step {
        name: "layers",
        run: layers::run,
    },
    Step {
        name: "crds",
        run: crds::check,
    },
    Step {
        name: "roles",
        run: rbac::check,
    },
    Step {
        name: "docs",
        run: docs,
    },
    Step {
        name: "file sizes",
        run: sizes::run,
    },
    Step {
        name: "words",
        run: words::run,
    },
    Step {
        name: "rows",
        run: rows::run,
    },
    Step {
        name: "commands in docs",
        run: commands::run,
    },
];

/// Runs every step, also after one has failed.
///
/// # Errors
/// Names the steps that failed; what they said has been printed.
pub fn run() -> Result<()> {
    let mut failed = vec![];
    for Step { name, run } in STEPS {
        print!("{name:<18}");
        std::io::stdout().flush()?;
        let began = Instant::now();
        let outcome = run();
        let took = began.elapsed().as_secs_f64();
        match outcome {
            Ok(()) => println!("ok     {took:6.1} s"),
            Err(error) => {
                println!("FAILED {took:6.1} s\n{error:#}\n");
                failed.push(name);
            }
        }
    }
    if failed.is_empty() {
        println!("check: {} steps, all ok", STEPS.len());
        return Ok(());
    }
    bail!(
        "check: {} of {} steps failed: {}",
        failed.len(),
        STEPS.len(),
        failed.join(", ")
    )
}

fn format() -> Result<()> {
    quiet(workspace::cargo().args(["fmt", "--all", "--", "--check", "--files-with-diff"]))
}

fn lints() -> Result<()> {
    let mut clippy = workspace::cargo();
    clippy.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--keep-going",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ]);
    quiet(&mut clippy)
}

fn docs() -> Result<()> {
    let mut doc = workspace::cargo();
    doc.args([
        "doc",
        "--workspace",
        "--no-deps",
        "--locked",
        "--keep-going",
        "--quiet",
    ]);
    // The first words of a controller are its table of contents: links to modules that nobody else sees. They must exist.
    quiet(doc.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private-intra-doc-links"))
}

/// Runs a command whose output matters only if it fails.
fn quiet(command: &mut Command) -> Result<()> {
    let said = command
        .output()
        .with_context(|| format!("{} cannot be run", command.get_program().display()))?;
    let [out, err] = [&said.stdout, &said.stderr].map(|said| String::from_utf8_lossy(said));
    ensure!(said.status.success(), "{}{}{}", out, err, said.status);
    Ok(())
}
