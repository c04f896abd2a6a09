//! What real Cassandra nodes are run with: Java 17, and the jars that `e2e/cassandra/pom.xml` names.
//!
//! * `java`: a Java of the right version
//! * `checksums`: the list that every jar is held against
//! * [`NodesChoice`]: whether the nodes of a world are real
//! * `jars`: Maven fetches them into `target/cassandra/<version>`, once
//!
//! Nothing of Cassandra is part of this tree. What Maven gives is used only if each file is, byte for byte, the one that
//! `e2e/cassandra/checksums.txt` names.

mod checksums;
mod choice;
mod jars;
mod java;

use std::path::{Path, PathBuf};

pub use choice::{Nodes, NodesChoice};

/// The version that the pom names.
pub const VERSION: &str = "5.0.6";

/// Java and jars for real nodes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cassandra {
    /// The Java.
    pub java: PathBuf,
    /// Folder with nothing but the jars, all of them as they should be.
    pub jars: PathBuf,
}

/// Why there are no real nodes.
#[derive(Debug, thiserror::Error)]
pub enum NoCassandra {
    /// There is none, or not of the right version.
    #[error(
        "no Java 17 ({0}): install openjdk-17-jre-headless (Debian, Ubuntu), java-17-openjdk-headless (Fedora) or any other \
         Java 17, and set JAVA_HOME if it is not the first in PATH"
    )]
    Java(String),
    /// There is none that runs.
    #[error(
        "no Maven ({0}), which fetches Cassandra's jars once: install the package maven, or have `mvn` in PATH"
    )]
    Maven(String),
    /// Maven ran, and did not bring them.
    #[error(
        "Maven could not fetch Cassandra {VERSION}; where it fetches from is said in ~/.m2/settings.xml. It said: {0}"
    )]
    NotFetched(String),
    /// They are not those that they should be.
    #[error("{0}")]
    Differs(checksums::Differs),
    /// A file or folder cannot be read or written.
    #[error("{path}: {source}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl NoCassandra {
    /// Whether somebody who has no Cassandra can go on without it. What is not what it should be is nobody's to go on with.
    #[must_use]
    pub fn is_lack(&self) -> bool {
        matches!(self, Self::Java(_) | Self::Maven(_) | Self::NotFetched(_))
    }

    fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}

impl Cassandra {
    /// Finds Java, and the jars, or has Maven fetch them. Blocks: the first time some ten seconds (a line on stderr says so).
    ///
    /// # Errors
    /// What is missing and how to get it, or which file is not what it should be.
    pub fn find() -> Result<Self, NoCassandra> {
        let java = java::find()?;
        let list = checksums::read()?;
        let jars = jars::find(&jars::folder(), &list)?;
        Ok(Cassandra { java, jars })
    }

    /// Fetches the jars anew, and takes what comes as the list that others are held against. Returns how many they are.
    ///
    /// # Errors
    /// As [`Cassandra::find`].
    pub fn write_checksums() -> Result<usize, NoCassandra> {
        let fresh = jars::fetched(&jars::folder())?;
        let list = checksums::of(fresh.path())?;
        checksums::write(&list)?;
        Ok(list.len())
    }
}
