//! A Java of the version that Cassandra 5.0 is made for.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use super::NoCassandra;

/// The version: the newest that Cassandra 5.0 supports. The modules that the nodes open are those of this one.
pub(super) const VERSION: u32 = 17;

/// That of `JAVA_HOME`, else the first in `PATH`.
pub(super) fn find() -> Result<PathBuf, NoCassandra> {
    among(candidates(std::env::var_os("JAVA_HOME")))
}

fn candidates(home: Option<OsString>) -> Vec<PathBuf> {
    let home = home.filter(|home| !home.is_empty());
    let home = home.map(|home| PathBuf::from(home).join("bin/java"));
    home.into_iter().chain([PathBuf::from("java")]).collect()
}

fn among(candidates: Vec<PathBuf>) -> Result<PathBuf, NoCassandra> {
    let mut found = Vec::new();
    for java in candidates {
        let said = Command::new(&java).arg("-version").output();
        let version = said.map_err(|error| error.to_string()).and_then(|said| {
            let text = String::from_utf8_lossy(&said.stderr).into_owned();
            version(&text).ok_or_else(|| "it does not tell its version".to_owned())
        });
        match version {
            Ok(VERSION) => return Ok(java),
            Ok(other) => found.push(format!("{} is Java {other}", java.display())),
            Err(why) => found.push(format!("{}: {why}", java.display())),
        }
    }
    Err(NoCassandra::Java(found.join("; ")))
}

/// The version that `java -version` tells: `17.0.15` is 17, and `1.8.0_402` is 8.
fn version(said: &str) -> Option<u32> {
    let (_, rest) = said.split_once("version \"")?;
    let mut numbers = rest.split(|c: char| !c.is_ascii_digit());
    let first = numbers.next()?.parse().ok()?;
    if first == 1 {
        numbers.next()?.parse().ok()
    } else {
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    /// A program that says what `java -version` says.
    fn java(folder: &Path, name: &str, said: &str) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\necho '{said}' >&2\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn versions_are_read_in_the_old_and_the_new_way() {
        assert_eq!(
            version("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK"),
            Some(17)
        );
        assert_eq!(version("java version \"1.8.0_402\""), Some(8));
        assert_eq!(version("openjdk version \"21\" 2023-09-19"), Some(21));
        assert_eq!(version("command not found"), None);
    }

    #[test]
    fn another_java_is_passed_over_and_named_where_there_is_no_right_one() {
        let folder = tempfile::tempdir().unwrap();
        let old = java(folder.path(), "old", "openjdk version \"11.0.2\"");
        let right = java(folder.path(), "right", "openjdk version \"17.0.15\"");
        assert_eq!(among(vec![old.clone(), right.clone()]).unwrap(), right);
        let none = folder.path().join("none");
        let said = among(vec![none, old]).unwrap_err().to_string();
        assert!(
            said.contains("none: No such file") && said.contains("old is Java 11"),
            "{said}"
        );
        assert!(said.contains("install openjdk-17-jre-headless"), "{said}");
    }

    #[test]
    fn an_empty_java_home_is_none() {
        assert_eq!(candidates(Some(OsString::new())), [PathBuf::from("java")]);
        assert_eq!(
            candidates(Some("/opt/java".into()))[0],
            PathBuf::from("/opt/java/bin/java")
        );
    }
}
