//! Folders in which every file is made from the code: written, or compared with what is there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// A folder as it has to be: file names relative to it (with `/`), and their texts.
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    /// Everything that stands in it.
    pub files: BTreeMap<String, String>,
    /// The command that makes it, for messages.
    pub command: &'static str,
}

impl Folder {
    /// Writes what differs and removes what is superfluous; with `check` only says so.
    ///
    /// # Errors
    /// When a file cannot be read, written or removed; with `check` also when one is missing, stale or superfluous.
    pub fn settle(&self, check: bool) -> Result<()> {
        let there = found(&self.path)?;
        let stale = self
            .files
            .iter()
            .filter(|(name, text)| there.get(*name) != Some(*text));
        let superfluous = there.keys().filter(|name| !self.files.contains_key(*name));
        if check {
            let mut differing: Vec<_> = stale.map(|(name, _)| name.as_str()).collect();
            differing.extend(superfluous.map(String::as_str));
            if differing.is_empty() {
                return Ok(());
            }
            let names = differing.join(", ");
            bail!(
                "{} is not what the code gives; run `{}`: {names}",
                self.path.display(),
                self.command
            );
        }
        for (name, text) in stale {
            write(&self.path.join(name), text)?;
        }
        for name in superfluous {
            fs::remove_file(self.path.join(name)).with_context(|| format!("removing {name}"))?;
        }
        Ok(())
    }
}

/// Writes a file, with its folders.
///
/// # Errors
/// When that cannot be done.
pub fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path
        .parent()
        .with_context(|| format!("{} is in no folder", path.display()))?;
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

/// Every file below a folder, by its name relative to it; empty if there is no such folder.
fn found(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    if folder.is_dir() {
        collect(folder, "", &mut files)?;
    }
    Ok(files)
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, String>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            let bytes = fs::read(entry.path()).with_context(|| format!("reading {name}"))?;
            files.insert(name, String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(path: &Path) -> Folder {
        let files = [("a.yaml", "a: 1\n"), ("in/b.yaml", "b: 2\n")];
        Folder {
            path: path.to_owned(),
            files: files
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .into(),
            command: "cargo xtask something",
        }
    }

    #[test]
    fn what_is_missing_stale_or_superfluous_is_named_and_then_mended() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("deploy");
        write(&path.join("a.yaml"), "a: 0\n").unwrap();
        write(&path.join("in/old.yaml"), "").unwrap();
        let said = folder(&path).settle(true).unwrap_err().to_string();
        assert!(
            said.ends_with("run `cargo xtask something`: a.yaml, in/b.yaml, in/old.yaml"),
            "{said}"
        );
        folder(&path).settle(false).unwrap();
        folder(&path).settle(true).unwrap();
        assert!(!path.join("in/old.yaml").exists());
    }
}
