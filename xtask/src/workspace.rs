//! Where the source tree is, what belongs to it, and how cargo is called in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The root of the workspace: xtask is always run from its source tree.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default()
}

/// The cargo that runs this program, in the root.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Every file that is committed or would be, relative to the root, in order.
///
/// # Errors
/// When this is no git tree.
pub fn files() -> Result<Vec<PathBuf>> {
    let said = Command::new("git")
        .current_dir(root())
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .context("git cannot be run")?;
    ensure!(
        said.status.success(),
        "git ls-files: {}",
        String::from_utf8_lossy(&said.stderr).trim()
    );
    let names = String::from_utf8(said.stdout).context("a file name is not UTF-8")?;
    let mut files: Vec<_> = names
        .split_terminator('\0')
        .map(PathBuf::from)
        // Deleted, but not yet in a commit.
        .filter(|path| root().join(path).is_file())
        .collect();
    files.sort();
    files.dedup();
    Ok(files)
}

/// The text of a file of the tree; `None` if it is no text.
///
/// # Errors
/// When it cannot be read.
pub fn text(path: &Path) -> Result<Option<String>> {
    let bytes = fs::read(root().join(path)).with_context(|| format!("reading {}", path.display()))?;
    Ok(String::from_utf8(bytes).ok())
}
