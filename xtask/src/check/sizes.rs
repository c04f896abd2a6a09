//! A file has one idea, so it is short.

use anyhow::{Result, bail};

use crate::workspace;

/// Lines of a source file, its tests included.
const MOST: usize = 500;

/// Names every Rust file that is longer than 500 lines.
pub fn run() -> Result<()> {
    let mut long = vec![];
    for path in workspace::files()? {
        if path.extension().is_none_or(|is| is != "rs") {
            continue;
        }
        let lines = workspace::text(&path)?.unwrap_or_default().lines().count();
        if lines > MOST {
            long.push(format!("{}: {lines} lines, at most {MOST}", path.display()));
        }
    }
    if long.is_empty() {
        Ok(())
    } else {
        bail!("{}", long.join("\n"))
    }
}
