//! `cargo xtask goldens`: what is made of recorded inputs, beside what upstream made of them.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::workspace;

/// How often each input is rendered.
const RENDERINGS: &str = "20";

/// Compares, and prints what came of it. Without a reference it says so and compares nothing.
///
/// # Errors
/// Something differs that has no name, or the tests cannot be run.
pub fn run() -> Result<()> {
    if std::env::var_os("RINGSPAN_REFERENCE").is_none() {
        println!(
            "goldens: variable RINGSPAN_REFERENCE names no folder with recorded inputs, so nothing was compared"
        );
        return Ok(());
    }
    let mut compare = workspace::cargo();
    compare.args([
        "test",
        "--locked",
        "-q",
        "-p",
        "ringspan-plan",
        "--test",
        "goldens",
        "--",
        "--nocapture",
    ]);
    passed(&mut compare)?;
    let mut render = workspace::cargo();
    render.args([
        "test",
        "--locked",
        "-q",
        "-p",
        "kubectl-ringspan",
        "--test",
        "offline",
        "golden",
        "--",
        "--nocapture",
    ]);
    passed(render.env("RINGSPAN_RENDERINGS", RENDERINGS))
}

fn passed(test: &mut Command) -> Result<()> {
    let status = test.status().context("cargo cannot be run")?;
    ensure!(status.success(), "goldens: something differs, see above");
    Ok(())
}
