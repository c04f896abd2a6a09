//! How the Java programs of Cassandra are called.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tokio::process::Command;

/// Packages of the JDK that Cassandra and its tools use although they are not exported.
const EXPORTED: [&str; 11] = [
    "java.base/jdk.internal.misc",
    "java.base/jdk.internal.ref",
    "java.base/jdk.internal.util.jar",
    "java.base/sun.nio.ch",
    "java.base/java.lang.ref",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.rmi/sun.rmi.transport.tcp",
    "java.sql/java.sql",
    "jdk.management/com.sun.management.internal",
];
/// Packages that they look into by reflection.
const OPENED: [&str; 17] = [
    "java.base/java.io",
    "java.base/java.lang",
    "java.base/java.lang.module",
    "java.base/java.lang.reflect",
    "java.base/java.math",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.loader",
    "java.base/jdk.internal.math",
    "java.base/jdk.internal.module",
    "java.base/jdk.internal.ref",
    "java.base/jdk.internal.reflect",
    "java.base/sun.nio.ch",
    "jdk.management/com.sun.management.internal",
];
/// What keeps a virtual machine small, at the price of peak speed.
const SMALL: [&str; 4] = [
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Xss256k",
];
/// The memory of a node. Hints take up to two buffers of 32 MiB outside of the heap: with 64 MiB there a node dies when it
/// leaves or comes back.
const NODE: [&str; 4] = [
    "-Xms32m",
    "-Xmx192m",
    "-XX:ReservedCodeCacheSize=48m",
    "-XX:MaxDirectMemorySize=160m",
];

/// The virtual machine and Cassandra's archives.
#[derive(Clone, Debug)]
pub(super) struct Java {
    /// The program `java`.
    pub program: PathBuf,
    /// The folder of archives.
    pub jars: PathBuf,
    /// Where tools keep their own files.
    pub home: PathBuf,
}

impl Java {
    /// One node of Cassandra.
    pub fn daemon(&self, properties: &[OsString]) -> Command {
        let mut command = self.command();
        // glibc's arenas per thread cost more than they give here.
        command
            .env("MALLOC_ARENA_MAX", "2")
            .args(NODE)
            .arg("-XX:+ExitOnOutOfMemoryError")
            .args(properties)
            .arg("org.apache.cassandra.service.CassandraDaemon");
        command
    }

    /// nodetool for the node with this JMX port.
    pub fn nodetool(&self, jmx: u16, arguments: &[&str]) -> Command {
        let mut command = self.command();
        command
            .args(["-Xmx64m", "-Xshare:auto"])
            .arg(property("user.home", &self.home))
            .arg(property("cassandra.logdir", &self.home))
            .arg(property("logback.configurationFile", &self.home.join("tool.xml")))
            .args(["org.apache.cassandra.tools.NodeTool", "-h", "127.0.0.1", "-p"])
            .arg(jmx.to_string())
            .args(arguments);
        command
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env_remove("JAVA_TOOL_OPTIONS").args(SMALL);
        for package in EXPORTED {
            command.arg(format!("--add-exports={package}=ALL-UNNAMED"));
        }
        for package in OPENED {
            command.arg(format!("--add-opens={package}=ALL-UNNAMED"));
        }
        command.arg("-cp").arg(self.jars.join("*"));
        command
    }

    /// Writes what the tools read: they log nothing.
    pub fn write_home(&self) -> std::io::Result<()> {
        let silent = "<configuration><root level=\"OFF\"/></configuration>\n";
        std::fs::write(self.home.join("tool.xml"), silent)
    }

    /// The version of Cassandra, as the name of its archive says.
    pub fn version(&self) -> Option<String> {
        let names = std::fs::read_dir(&self.jars).ok()?.filter_map(Result::ok);
        names
            .filter_map(|entry| entry.file_name().into_string().ok())
            .find_map(|name| version_in(&name).map(str::to_owned))
    }
}

/// That of `JAVA_HOME`, else that of the `PATH`.
pub(super) fn default_program() -> PathBuf {
    std::env::var_os("JAVA_HOME")
        .map(|home| PathBuf::from(home).join("bin/java"))
        .filter(|program| program.is_file())
        .unwrap_or_else(|| PathBuf::from("java"))
}

fn version_in(archive: &str) -> Option<&str> {
    archive.strip_prefix("cassandra-all-")?.strip_suffix(".jar")
}

/// `-D<name>=<path>`.
pub(super) fn property(name: &str, value: &Path) -> OsString {
    let mut whole = OsString::from(format!("-D{name}="));
    whole.push(value);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_in_the_name_of_the_archive() {
        assert_eq!(version_in("cassandra-all-5.0.6.jar"), Some("5.0.6"));
        assert_eq!(version_in("cassandra-driver-core-3.12.1-shaded.jar"), None);
    }
}
