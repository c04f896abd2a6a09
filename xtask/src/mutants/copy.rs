//! A copy of the tree in which only what differs is written, so that cargo builds only what differs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Makes `to` equal to these files of `from`: what is equal is left alone, what is superfluous goes.
///
/// # Errors
/// When a file cannot be read, written or removed.
pub fn tree(from: &Path, files: &[PathBuf], to: &Path) -> Result<()> {
    for path in files {
        let source = from.join(path);
        let wanted = fs::read(&source).with_context(|| format!("reading {}", source.display()))?;
        let target = to.join(path);
        if fs::read(&target).is_ok_and(|there| there == wanted) {
            continue;
        }
        let folder = target.parent().context("a file of the tree is in no folder")?;
        fs::create_dir_all(folder)?;
        fs::copy(&source, &target).with_context(|| format!("writing {}", target.display()))?;
    }
    fs::create_dir_all(to)?;
    prune(to, to, &files.iter().map(PathBuf::as_path).collect())
}

fn prune(folder: &Path, root: &Path, wanted: &BTreeSet<&Path>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            prune(&path, root, wanted)?;
        } else if path.strip_prefix(root).is_ok_and(|name| !wanted.contains(name)) {
            fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_patch_has_done_is_undone_and_the_rest_is_not_touched() {
        let place = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| place.path().join(name));
        fs::create_dir_all(from.join("src")).unwrap();
        fs::write(from.join("src/a.rs"), "a").unwrap();
        fs::write(from.join("b.rs"), "b").unwrap();
        let files = [PathBuf::from("src/a.rs"), PathBuf::from("b.rs")];
        tree(&from, &files, &to).unwrap();
        let untouched = fs::metadata(to.join("b.rs")).unwrap().modified().unwrap();
        fs::write(to.join("src/a.rs"), "mutated").unwrap();
        fs::write(to.join("src/new.rs"), "added").unwrap();
        tree(&from, &files, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("src/a.rs")).unwrap(), "a");
        assert!(!to.join("src/new.rs").exists());
        assert_eq!(
            fs::metadata(to.join("b.rs")).unwrap().modified().unwrap(),
            untouched
        );
    }
}
