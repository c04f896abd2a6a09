//! Nodes do not outlive this program, however it ends.
//!
//! A shell reads from a pipe which processes there are. The pipe closes when this program ends, by a signal that nobody can
//! catch too, and then the shell kills them. (`PR_SET_PDEATHSIG` would follow the thread that spawned, not the program.)

use std::io::{self, Write as _};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

// Signals of a terminal go to the whole foreground group; the traps are for those.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
held=
while read -r sign id; do
  case $sign in
    +) held="$held $id" ;;
    -) left=; for one in $held; do [ "$one" = "$id" ] || left="$left $one"; done; held=$left ;;
  esac
done
[ -z "$held" ] || kill -KILL $held
"#;

/// The shell that holds the processes.
#[derive(Debug)]
pub(super) struct Leash(Mutex<ChildStdin>);

impl Leash {
    pub fn new() -> io::Result<Self> {
        let mut command = Command::new("sh");
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let shell = command
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let pipe = shell
            .stdin
            .ok_or_else(|| io::Error::other("the shell has no input"))?;
        Ok(Self(Mutex::new(pipe)))
    }

    /// From now on this process ends with us.
    pub fn hold(&self, id: u32) -> io::Result<()> {
        self.tell(&format!("+ {id}\n"))
    }

    /// The process has been waited for: its id is not ours any more.
    pub fn release(&self, id: u32) {
        // Without the shell nobody is left who could kill a stranger by this id.
        let _ = self.tell(&format!("- {id}\n"));
    }

    fn tell(&self, line: &str) -> io::Result<()> {
        let mut pipe = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pipe.write_all(line.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn who_is_held_is_killed_with_the_leash_and_who_was_released_is_not() {
        let sleeper = || Command::new("sleep").arg("600").spawn().unwrap();
        let (mut held, mut released) = (sleeper(), sleeper());
        let leash = Leash::new().unwrap();
        leash.hold(held.id()).unwrap();
        leash.hold(released.id()).unwrap();
        leash.release(released.id());
        drop(leash);
        assert_eq!(held.wait().unwrap().signal(), Some(9));
        assert!(released.try_wait().unwrap().is_none());
        released.kill().unwrap();
        released.wait().unwrap();
    }
}
