//! Builds the programs that demo and stories start.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;
use e2e::world::Built;

/// Root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

/// Builds the shipped program and the stand-in, as this very command was built.
///
/// # Errors
/// The build fails.
pub fn programs() -> anyhow::Result<Built> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.current_dir(root()).args(["build", "--locked", "--quiet", "-p", "ringspan", "-p", "ringspan-fake-datacenter"]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    ensure!(build.status()?.success(), "the programs do not build");
    Built::beside_this()
}
