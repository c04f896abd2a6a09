//! The list of jars: for each its SHA-256 and its name, as `sha256sum` prints and checks them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::NoCassandra;

/// Checksums in hex, by the name of the file.
pub(super) type Checksums = BTreeMap<String, String>;

/// Jars are not those of the list.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "Cassandra's jars are not those of e2e/cassandra/checksums.txt, so nothing of them is run: {}. Look where your Maven \
     fetches from (~/.m2/settings.xml), delete what it has of these files in ~/.m2/repository, and try again; if \
     e2e/cassandra/pom.xml was changed: cargo xtask cassandra --write-checksums",
    .0.join("; ")
)]
pub struct Differs(Vec<String>);

/// The list of this tree.
pub(super) fn read() -> Result<Checksums, NoCassandra> {
    let path = path();
    let text = fs::read_to_string(&path).map_err(NoCassandra::file(&path))?;
    Ok(parse(&text))
}

/// Replaces the list of this tree.
pub(super) fn write(list: &Checksums) -> Result<(), NoCassandra> {
    let path = path();
    fs::write(&path, text(list)).map_err(NoCassandra::file(&path))
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cassandra/checksums.txt")
}

fn text(list: &Checksums) -> String {
    list.iter().fold(String::new(), |mut text, (name, checksum)| {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{checksum}  {name}");
        text
    })
}

fn parse(text: &str) -> Checksums {
    let lines = text.lines().filter_map(|line| line.split_once("  "));
    lines
        .map(|(checksum, name)| (name.to_owned(), checksum.to_owned()))
        .collect()
}

/// The checksums of the files in a folder.
pub(super) fn of(folder: &Path) -> Result<Checksums, NoCassandra> {
    let mut list = Checksums::new();
    for entry in fs::read_dir(folder).map_err(NoCassandra::file(folder))? {
        let path = entry.map_err(NoCassandra::file(folder))?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let checksum = sha256(&path).map_err(NoCassandra::file(&path))?;
        list.insert(name, checksum);
    }
    Ok(list)
}

fn sha256(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
    }
    Ok(hasher.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

/// That the folder has the files of the list, and no other.
pub(super) fn compare(folder: &Path, list: &Checksums) -> Result<(), NoCassandra> {
    let there = of(folder)?;
    let mut differ: Vec<String> = Vec::new();
    for (name, checksum) in list {
        match there.get(name) {
            None => differ.push(format!("{name} is missing")),
            Some(other) if other != checksum => {
                differ.push(format!("{name} has {other} and should have {checksum}"));
            }
            Some(_) => {}
        }
    }
    let not_listed = there.keys().filter(|name| !list.contains_key(*name));
    differ.extend(not_listed.map(|name| format!("{name} is not in the list")));
    if differ.is_empty() {
        Ok(())
    } else {
        Err(NoCassandra::Differs(Differs(differ)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of `abc`, from FIPS 180-4.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.jar"), "abc").unwrap();
        folder
    }

    fn list(name: &str, checksum: &str) -> Checksums {
        parse(&format!("{checksum}  {name}\n"))
    }

    #[test]
    fn files_as_listed_are_taken() {
        compare(folder().path(), &list("a.jar", ABC)).unwrap();
    }

    #[test]
    fn a_changed_missing_or_foreign_file_is_refused_by_name() {
        let said = |list: &Checksums| compare(folder().path(), list).unwrap_err().to_string();
        let changed = said(&list("a.jar", &ABC.replace('b', "c")));
        assert!(
            changed.contains(&format!("a.jar has {ABC} and should have ca78")),
            "{changed}"
        );
        assert!(changed.contains("nothing of them is run"), "{changed}");
        let other = said(&list("b.jar", ABC));
        assert!(
            other.contains("b.jar is missing; a.jar is not in the list"),
            "{other}"
        );
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let list = of(folder().path()).unwrap();
        assert_eq!(list["a.jar"], ABC);
        assert_eq!(parse(&text(&list)), list);
    }

    #[test]
    fn the_list_of_this_tree_has_the_version_that_the_pom_names() {
        let pom = include_str!("../../cassandra/pom.xml");
        let version = super::super::VERSION;
        assert!(pom.contains(&format!("<version>{version}</version>")));
        let list = read().unwrap();
        assert!(list.contains_key(&format!("cassandra-all-{version}.jar")));
        assert!(list.values().all(|it| it.len() == 64));
    }
}
