//! What can be done to a node by hand, so that stories can show what comes of it.

use std::process::Stdio;

use tokio::process::Command;

use super::{Real, RealError};
use crate::ring::NodeId;

/// What is done to one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// Its process is killed, and is not started again.
    Kill,
    /// It is started again.
    Start,
    /// Its process stands still: its kernel still takes connections.
    Freeze,
    /// Its process goes on.
    Thaw,
    /// It gossips with nobody.
    GossipOff,
    /// It gossips again.
    GossipOn,
    /// It can write no file any more, as on a disk without space. What is mapped into its memory already can still be changed.
    DiskFull,
    /// It can write again.
    DiskFree,
    /// It writes what it has in memory to its disk.
    Flush,
}

impl Harm {
    /// By the word for it.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "kill" => Self::Kill,
            "start" => Self::Start,
            "freeze" => Self::Freeze,
            "thaw" => Self::Thaw,
            "gossip-off" => Self::GossipOff,
            "gossip-on" => Self::GossipOn,
            "disk-full" => Self::DiskFull,
            "disk-free" => Self::DiskFree,
            "flush" => Self::Flush,
            _ => return None,
        })
    }
}

impl Real {
    /// Does that to a node.
    ///
    /// # Errors
    /// It has no process, or refuses.
    pub async fn harm(&self, id: &NodeId, harm: Harm) -> Result<(), RealError> {
        self.note(format!("{id}: {harm:?}, by hand"));
        match harm {
            Harm::Kill => {
                self.known().held.entry(id.clone()).or_insert(None);
                self.signal(id, "KILL").await
            }
            Harm::Start => {
                self.release(id);
                Ok(())
            }
            Harm::Freeze => self.signal(id, "STOP").await,
            Harm::Thaw => self.signal(id, "CONT").await,
            Harm::GossipOff => self.nodetool(id, "disablegossip").await,
            Harm::GossipOn => self.nodetool(id, "enablegossip").await,
            Harm::Flush => self.nodetool(id, "flush").await,
            Harm::DiskFull => {
                self.known().full.insert(id.clone());
                self.bound(id).await
            }
            Harm::DiskFree => {
                self.known().full.remove(id);
                self.bound(id).await
            }
        }
    }

    /// A node that was kept dead is started as one that ended by itself.
    fn release(&self, id: &NodeId) {
        let mut known = self.known();
        let Some(Some(wake)) = known.held.remove(id) else {
            return;
        };
        known.to_start.insert(id.clone());
        drop(known);
        wake();
    }

    /// Limits how long the files may be that a node writes, or does not.
    async fn bound(&self, id: &NodeId) -> Result<(), RealError> {
        let full = self.known().full.contains(id);
        let pid = self.pid(id)?;
        run(limit(pid, full), "prlimit").await
    }

    async fn nodetool(&self, id: &NodeId, command: &str) -> Result<(), RealError> {
        let node = self.up(id)?;
        self.0.nodetool.ask(node.jmx, &[command]).await?;
        // What was learnt before may not hold any more.
        self.known().changes += 1;
        Ok(())
    }

    async fn signal(&self, id: &NodeId, signal: &str) -> Result<(), RealError> {
        let mut kill = Command::new("kill");
        // The process is one that was not waited for, so the id is its own.
        kill.arg(format!("-{signal}")).arg(self.pid(id)?.to_string());
        run(kill, "kill").await
    }

    fn pid(&self, id: &NodeId) -> Result<u32, RealError> {
        let node = self.known().nodes.get(id).map(|node| node.pid);
        node.ok_or_else(|| RealError::NotUp(id.clone()))
    }
}

/// The soft limit alone can be taken back.
pub(super) fn limit(pid: u32, full: bool) -> Command {
    let mut command = Command::new("prlimit");
    let soft = if full { "0" } else { "unlimited" };
    command
        .args(["--pid", &pid.to_string()])
        .arg(format!("--fsize={soft}:"));
    command
}

async fn run(mut command: Command, name: &str) -> Result<(), RealError> {
    let output = command.stdin(Stdio::null()).output().await;
    let output = output.map_err(|error| RealError::Io(name.to_owned(), error))?;
    if output.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(RealError::Setup(format!("{name}: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_has_a_full_disk_can_write_no_file_until_there_is_space() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let script = format!(
            "trap '' XFSZ; while read -r line; do echo \"$line\" >> '{}' && echo ok || echo no; done",
            file.display()
        );
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut shell = shell.kill_on_drop(true).spawn().unwrap();
        let pid = shell.id().unwrap();
        let (mut input, output) = (shell.stdin.take().unwrap(), shell.stdout.take().unwrap());
        let mut answers = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(output));
        for (full, expected) in [(false, "ok"), (true, "no"), (false, "ok")] {
            run(limit(pid, full), "prlimit").await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut input, b"line\n")
                .await
                .unwrap();
            assert_eq!(answers.next_line().await.unwrap().as_deref(), Some(expected));
        }
    }
}
