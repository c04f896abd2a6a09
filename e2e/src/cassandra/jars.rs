//! Maven fetches the jars, once, into the target folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::checksums::{self, Checksums};
use super::{NoCassandra, VERSION};
use crate::binaries::target_folder;

/// Where they are kept.
pub(super) fn folder() -> PathBuf {
    target_folder().join("cassandra").join(VERSION)
}

/// The folder, filled if need be. Of several processes that come here at once one fetches, and the others wait for it.
pub(super) fn find(folder: &Path, list: &Checksums) -> Result<PathBuf, NoCassandra> {
    find_with(folder, list, fetched)
}

fn find_with(
    folder: &Path,
    list: &Checksums,
    fetch: impl FnOnce(&Path) -> Result<TempDir, NoCassandra>,
) -> Result<PathBuf, NoCassandra> {
    let parent = folder.parent().unwrap_or(folder);
    fs::create_dir_all(parent).map_err(NoCassandra::file(parent))?;
    let lock = parent.join("lock");
    let held = File::create(&lock).map_err(NoCassandra::file(&lock))?;
    held.lock().map_err(NoCassandra::file(&lock))?;
    if folder.is_dir() {
        match checksums::compare(folder, list) {
            // Of an older list, or spoilt since: Maven has its own copy, and what it brings is compared again.
            Err(NoCassandra::Differs(_)) => fs::remove_dir_all(folder).map_err(NoCassandra::file(folder))?,
            same => return same.map(|()| folder.to_owned()),
        }
    }
    let fresh = fetch(folder)?;
    checksums::compare(fresh.path(), list)?;
    fs::rename(fresh.keep(), folder).map_err(NoCassandra::file(folder))?;
    Ok(folder.to_owned())
}

/// What Maven brings, beside the folder.
pub(super) fn fetched(folder: &Path) -> Result<TempDir, NoCassandra> {
    let parent = folder.parent().unwrap_or(folder);
    fs::create_dir_all(parent).map_err(NoCassandra::file(parent))?;
    let said = Command::new("mvn").arg("-version").output();
    let said = said.map_err(|error| NoCassandra::Maven(error.to_string()))?;
    if !said.status.success() {
        return Err(NoCassandra::Maven(last_lines(
            &[said.stdout, said.stderr].concat(),
        )));
    }
    let fresh = TempDir::new_in(parent).map_err(NoCassandra::file(parent))?;
    // Silence for ten seconds or more would look like a hang.
    eprintln!("fetching Cassandra {VERSION} with Maven: 63 MB, once");
    let said = Command::new("mvn")
        .args(["--batch-mode", "--quiet", "--file"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("cassandra/pom.xml"))
        .arg("dependency:copy-dependencies")
        .arg(format!("-DoutputDirectory={}", fresh.path().display()))
        .output()
        .map_err(|error| NoCassandra::Maven(error.to_string()))?;
    if !said.status.success() {
        return Err(NoCassandra::NotFetched(last_lines(
            &[said.stdout, said.stderr].concat(),
        )));
    }
    Ok(fresh)
}

/// What stands at the end of a long text, on one line.
fn last_lines(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    // Maven's first error is the one that says what is wrong; help and advice follow.
    let first = lines
        .iter()
        .position(|line| line.contains("ERROR"))
        .unwrap_or_default();
    lines
        .iter()
        .skip(first)
        .take(2)
        .copied()
        .collect::<Vec<_>>()
        .join(" / ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In place of Maven: one jar.
    fn one_jar(folder: &Path) -> TempDir {
        let fresh = TempDir::new_in(folder.parent().unwrap()).unwrap();
        fs::write(fresh.path().join("a.jar"), "abc").unwrap();
        fresh
    }

    fn nothing(_: &Path) -> Result<TempDir, NoCassandra> {
        Err(NoCassandra::Maven("none here".to_owned()))
    }

    fn list(text: &str) -> Checksums {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.jar"), text).unwrap();
        checksums::of(folder.path()).unwrap()
    }

    #[test]
    fn what_is_there_is_not_fetched_again() {
        let target = tempfile::tempdir().unwrap();
        let folder = target.path().join("5.0.6");
        assert_eq!(
            find_with(&folder, &list("abc"), |folder| Ok(one_jar(folder))).unwrap(),
            folder
        );
        assert_eq!(find_with(&folder, &list("abc"), nothing).unwrap(), folder);
    }

    #[test]
    fn what_was_spoilt_is_fetched_again() {
        let target = tempfile::tempdir().unwrap();
        let folder = target.path().join("5.0.6");
        find_with(&folder, &list("abc"), |folder| Ok(one_jar(folder))).unwrap();
        fs::write(folder.join("a.jar"), "abd").unwrap();
        assert!(matches!(
            find_with(&folder, &list("abc"), nothing),
            Err(NoCassandra::Maven(_))
        ));
        find_with(&folder, &list("abc"), |folder| Ok(one_jar(folder))).unwrap();
    }

    #[test]
    fn what_is_fetched_and_not_as_listed_is_refused_and_not_kept() {
        let target = tempfile::tempdir().unwrap();
        let folder = target.path().join("5.0.6");
        let refused = find_with(&folder, &list("another"), |folder| Ok(one_jar(folder))).unwrap_err();
        assert!(!refused.is_lack(), "{refused}");
        assert!(matches!(refused, NoCassandra::Differs(_)));
        assert!(!folder.exists());
        let left: Vec<_> = fs::read_dir(target.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "only the lock: {left:?}");
    }

    #[test]
    fn of_what_maven_says_the_first_error_is_told() {
        let said = b"[INFO] x\n[ERROR] Could not transfer\n[ERROR] -> [Help 1]\n[ERROR] more";
        assert_eq!(
            last_lines(said),
            "[ERROR] Could not transfer / [ERROR] -> [Help 1]"
        );
    }
}
