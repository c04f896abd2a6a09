//! A shipped program as a child process.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::ports::free_port;
use crate::process::Process;
use crate::{eventually, leash};

/// How to start a program, each time it is started.
#[derive(Clone, Debug)]
pub struct Launch {
    name: String,
    binary: PathBuf,
    args: Vec<String>,
    env: BTreeMap<String, String>,
    log: PathBuf,
    admin: SocketAddr,
}

impl Launch {
    /// `name` is for messages and for the log, `<folder>/<name>.log`. An admin address is chosen, not yet passed on: see
    /// [`Launch::admin`].
    ///
    /// # Errors
    /// There is no free port.
    pub fn new(name: &str, binary: &Path, folder: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            name: name.to_owned(),
            binary: binary.to_owned(),
            args: Vec::new(),
            env: BTreeMap::new(),
            log: folder.join(format!("{name}.log")),
            admin: SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?)),
        })
    }

    /// Appends one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Sets one environment variable; the others are inherited, except `KUBECONFIG`, which would lead astray.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.insert(name.to_owned(), value.into());
        self
    }

    /// The address for health and metrics, the same at each start. Passing it to the program is up to the caller.
    #[must_use]
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    fn spawn(&self) -> anyhow::Result<Process> {
        let mut command = Command::new(&self.binary);
        command.args(&self.args).env_remove("KUBECONFIG").envs(&self.env);
        Process::spawn(&self.name, command, &self.log)
    }
}

/// A started program. It is killed when this is dropped, or when this process ends.
pub struct Program {
    launch: Launch,
    process: Process,
}

impl Program {
    /// Starts it, without waiting for anything.
    ///
    /// # Errors
    /// The binary cannot be run or the log not be written.
    pub fn start(launch: Launch) -> anyhow::Result<Self> {
        let process = launch.spawn()?;
        Ok(Self { launch, process })
    }

    /// The name that it was launched with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.launch.name
    }

    /// See [`Launch::admin`].
    #[must_use]
    pub fn admin(&self) -> SocketAddr {
        self.launch.admin
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// How it ended, if it did.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.process.exited()
    }

    /// SIGKILL: the crash.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// SIGTERM, and waits for the end.
    ///
    /// # Errors
    /// It had ended before, or has not ended within the time (it is left running then).
    pub async fn terminate(&mut self, within: Duration) -> anyhow::Result<ExitStatus> {
        self.process.ask_to_end()?;
        let what = format!("the end of {} after SIGTERM", self.launch.name);
        let process = std::sync::Mutex::new(&mut self.process);
        eventually(&what, within, || async {
            Ok(process
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .exited())
        })
        .await
    }

    /// Kills it if it runs, and starts it again with the same arguments, log and admin address.
    ///
    /// # Errors
    /// As [`Program::start`].
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.process.kill();
        self.process = self.launch.spawn()?;
        Ok(())
    }

    /// Everything that it has written, over all its starts.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn logs(&self) -> anyhow::Result<String> {
        let log = fs::read(&self.launch.log).with_context(|| self.launch.log.display().to_string())?;
        Ok(String::from_utf8_lossy(&log).into_owned())
    }

    /// Where its log is.
    #[must_use]
    pub fn log_file(&self) -> &Path {
        &self.launch.log
    }

    /// Resident memory in KiB, where `/proc` tells it.
    #[must_use]
    pub fn memory_kib(&self) -> Option<u64> {
        self.process.memory_kib()
    }

    /// GET of its admin address: status and body.
    ///
    /// # Errors
    /// Nobody answers there, or not in HTTP.
    pub async fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let mut socket = TcpStream::connect(self.launch.admin).await?;
        // HTTP/1.0: the answer has no chunks and ends with the connection.
        socket
            .write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes())
            .await?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await?;
        let (head, body) = answer
            .split_once("\r\n\r\n")
            .context("an answer without an end of its head")?;
        let code = head
            .split(' ')
            .nth(1)
            .context("an answer without a status")?
            .parse()?;
        Ok((code, body.to_owned()))
    }

    /// Waits until `/readyz` answers 200.
    ///
    /// # Errors
    /// It does not within the time, or the program has ended; with the end of its log.
    pub async fn ready(&mut self, within: Duration) -> anyhow::Result<()> {
        let what = format!("{} ready", self.launch.name);
        let outcome = eventually(&what, within, || async {
            let (code, body) = self.get("/readyz").await?;
            anyhow::ensure!(code == 200, "/readyz: {code} {}", body.trim());
            Ok(Some(()))
        });
        let outcome = outcome.await;
        let ended = self
            .process
            .exited()
            .map(|status| format!("; it has ended: {status}"));
        outcome.with_context(|| format!("{}{}", self.process.last_lines(10), ended.unwrap_or_default()))
    }

    /// Lets it run on when this process ends. Returns its process id.
    #[must_use]
    pub fn leave_running(self) -> u32 {
        self.process.leave_running()
    }
}

/// A folder for kubeconfigs and logs that goes when it is dropped, or when this process ends.
///
/// # Errors
/// It cannot be made.
pub fn scratch_folder(name: &str) -> anyhow::Result<tempfile::TempDir> {
    let folder = tempfile::Builder::new()
        .prefix(&format!("{}{name}-", leash::FOLDER_PREFIX))
        .tempdir()?;
    leash::hold_folder(folder.path())?;
    Ok(folder)
}

#[cfg(test)]
mod tests;
