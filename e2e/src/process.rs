//! One child process with its log in a file.

use std::fs::{File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::Context;

use crate::leash;

/// A child that is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    /// Set once it has been reaped, or is meant to stay.
    let_go: bool,
}

impl Process {
    /// Starts `command` with its output appended to `log`. It gets its own process group, so that Ctrl-C in a terminal
    /// reaches only the harness, which then ends its children in order.
    ///
    /// # Errors
    /// The program or the log file cannot be opened.
    pub(crate) fn spawn(name: &str, mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let file = append_to(log)?;
        let same = file
            .try_clone()
            .with_context(|| format!("{}: cannot be shared", log.display()))?;
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(same)
            .spawn()
            .with_context(|| format!("{name}: {} cannot be started", command.get_program().display()))?;
        let process = Self {
            name: name.to_owned(),
            child,
            log: log.to_owned(),
            let_go: false,
        };
        leash::hold(process.pid())?;
        Ok(process)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    pub(crate) fn exited(&mut self) -> Option<ExitStatus> {
        let ended = self.child.try_wait().ok().flatten();
        if ended.is_some() {
            self.let_go();
        }
        ended
    }

    /// SIGKILL, and waits until it is gone. Harmless if it is gone already.
    pub(crate) fn kill(&mut self) {
        if self.exited().is_some() {
            return;
        }
        // Fails only for a child that has been reaped, which was excluded.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.let_go();
    }

    /// SIGTERM: asks it to end by itself.
    ///
    /// # Errors
    /// It has ended already, or `kill` cannot be run.
    pub(crate) fn ask_to_end(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.exited() {
            anyhow::bail!("{} has ended already: {status}", self.name);
        }
        // The standard library can only send SIGKILL. The id is ours: the child has not been reaped.
        let sent = Command::new("kill")
            .args(["-TERM", &self.pid().to_string()])
            .status()?;
        anyhow::ensure!(sent.success(), "{}: kill -TERM failed: {sent}", self.name);
        Ok(())
    }

    /// Lets it run on after this process has ended. Its id is returned for whoever ends it.
    pub(crate) fn leave_running(mut self) -> u32 {
        self.let_go();
        self.pid()
    }

    /// Resident memory in KiB, where `/proc` tells it.
    pub(crate) fn memory_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// The last lines of its log.
    pub(crate) fn last_lines(&self, count: usize) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }

    fn let_go(&mut self) {
        if !std::mem::replace(&mut self.let_go, true) {
            leash::release(self.pid());
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.let_go {
            self.kill();
        }
    }
}

fn append_to(log: &Path) -> anyhow::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("{}: cannot be written", log.display()))
}
