//! Children do not outlive us, however we end.
//!
//! `Drop` kills a child in the ordinary case. It does not run when this process is killed or aborts, so one shell per
//! process reads from a pipe which children and folders exist. When the pipe closes, for whatever reason, it kills those
//! children and removes those folders. (`PR_SET_PDEATHSIG` would need `unsafe`, and would follow the thread that spawned, not
//! the process.)

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::Context;

/// Folders that may be removed have a name that begins so; the shell checks it again.
pub(crate) const FOLDER_PREFIX: &str = "ringspan-e2e-";

// Signals of a terminal reach only its foreground group; the traps are for whoever signals us by name.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
pids=
folders=
while read -r sign what; do
  case $sign in
    pid+) pids="$pids $what" ;;
    pid-) kept=; for p in $pids; do [ "$p" = "$what" ] || kept="$kept $p"; done; pids=$kept ;;
    folder+) case ${what##*/} in ringspan-e2e-*) folders="$folders
$what" ;; esac ;;
    folder-) folders=$(printf '%s\n' "$folders" | grep -vxF -- "$what") ;;
  esac
done
[ -z "$pids" ] || kill -KILL $pids
[ -z "$folders" ] || sleep 0.3
printf '%s\n' "$folders" | while read -r f; do [ -z "$f" ] || rm -rf -- "$f"; done
"#;

static LEASH: OnceLock<Mutex<Option<ChildStdin>>> = OnceLock::new();

fn tell(line: &str) -> anyhow::Result<()> {
    let mut pipe = LEASH
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if pipe.is_none() {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("sh, which ends the child processes if this one is killed, cannot be started")?;
        *pipe = shell.stdin.take();
    }
    if let Some(pipe) = pipe.as_mut() {
        pipe.write_all(line.as_bytes())
            .context("the shell that guards the child processes is gone")?;
    }
    Ok(())
}

/// From now on the process with this id ends with us.
pub(crate) fn hold(pid: u32) -> anyhow::Result<()> {
    tell(&format!("pid+ {pid}\n"))
}

/// The process with this id has been reaped, or is meant to stay: its id is not ours any more.
pub(crate) fn release(pid: u32) {
    // If the guard itself is gone there is nobody left who could kill a stranger by this id.
    let _ = tell(&format!("pid- {pid}\n"));
}

/// From now on this folder goes with us. Refused in silence unless its name begins with [`FOLDER_PREFIX`].
pub(crate) fn hold_folder(folder: &Path) -> anyhow::Result<()> {
    tell(&format!("folder+ {}\n", folder.display()))
}

/// The folder is meant to stay.
pub(crate) fn let_folder_be(folder: &Path) -> anyhow::Result<()> {
    tell(&format!("folder- {}\n", folder.display()))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::process::Process;

    const IN_THE_CHILD: &str = "RINGSPAN_E2E_LEASH_TEST";

    /// Runs itself once more; that run starts a child and aborts, so that nothing of it is dropped.
    #[tokio::test]
    async fn what_an_aborted_harness_has_started_ends_and_its_folders_go() {
        if let Some(folder) = std::env::var_os(IN_THE_CHILD).map(PathBuf::from) {
            let held = tempfile::Builder::new().prefix(FOLDER_PREFIX).tempdir().unwrap();
            hold_folder(held.path()).unwrap();
            let mut command = Command::new("sleep");
            command.arg("600");
            let child = Process::spawn("sleep", command, &held.path().join("log")).unwrap();
            std::fs::write(
                folder.join("child"),
                format!("{} {}", child.pid(), held.path().display()),
            )
            .unwrap();
            std::process::abort();
        }
        let folder = tempfile::tempdir().unwrap();
        let name = "leash::tests::what_an_aborted_harness_has_started_ends_and_its_folders_go";
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", name]).env(IN_THE_CHILD, folder.path());
        let status = again
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(!status.success(), "the inner run has aborted");

        let said = std::fs::read_to_string(folder.path().join("child")).unwrap();
        let (pid, held) = said.split_once(' ').unwrap();
        crate::eventually(
            "the end of the child and its folder",
            Duration::from_secs(10),
            || async {
                let alive = Command::new("kill")
                    .args(["-0", pid])
                    .stderr(Stdio::null())
                    .status()?
                    .success();
                Ok((!alive && !Path::new(held).exists()).then_some(()))
            },
        )
        .await
        .unwrap();
    }
}
