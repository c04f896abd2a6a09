//! Builds the programs that demo and stories start.

use anyhow::ensure;
use e2e::world::Built;

use crate::workspace::cargo;
pub use crate::workspace::root;

/// Builds the shipped program and the stand-in, as this very command was built.
///
/// # Errors
/// The build fails.
pub fn programs() -> anyhow::Result<Built> {
    let mut build = cargo();
    // This program too, which is built already: with it the features are the same, and nothing is built twice.
    let packages = [
        "xtask",
        "ringspan",
        "ringspan-fake-datacenter",
        "kubectl-ringspan",
    ]
    .map(|name| format!("--package={name}"));
    build.args(["build", "--locked", "--quiet"]).args(packages);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    ensure!(build.status()?.success(), "the programs do not build");
    Built::beside_this()
}
