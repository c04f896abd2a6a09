//! nodetool: what a node knows and does, by JMX, which asks for no password.

mod texts;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

pub use texts::{Cluster, Gossip, Row, cluster, gossip, table};

use super::RealError;
use super::java::Java;

/// Each is a virtual machine of its own: more at once only hinder each other.
const AT_ONCE: usize = 3;
/// Longer than any call that does not stream.
const PATIENCE: Duration = Duration::from_mins(1);

/// Calls of nodetool. Cheap to clone.
#[derive(Clone)]
pub(super) struct Nodetool {
    java: Arc<Java>,
    turns: Arc<Semaphore>,
}

impl Nodetool {
    pub fn new(java: Arc<Java>) -> Self {
        Self {
            java,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// What nodetool prints about the node with this JMX port.
    pub async fn ask(&self, jmx: u16, arguments: &[&str]) -> Result<String, RealError> {
        let _turn = self.turns.acquire().await;
        let asked = tokio::time::timeout(PATIENCE, self.run(jmx, arguments)).await;
        asked.unwrap_or_else(|_| Err(failed(arguments, "no answer in time")))
    }

    /// The same for what may take as long as it takes.
    pub async fn run(&self, jmx: u16, arguments: &[&str]) -> Result<String, RealError> {
        let mut command = self.java.nodetool(jmx, arguments);
        let output = command
            .kill_on_drop(true)
            .stdin(std::process::Stdio::null())
            .output();
        let output = output
            .await
            .map_err(|error| failed(arguments, &error.to_string()))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(text);
        }
        let why = format!("{text}{}", String::from_utf8_lossy(&output.stderr));
        Err(failed(arguments, last_line(&why)))
    }
}

fn failed(arguments: &[&str], why: &str) -> RealError {
    RealError::Nodetool(
        arguments.first().copied().unwrap_or_default().to_owned(),
        why.to_owned(),
    )
}

/// The line that says what was wrong, before the stack if there is one.
fn last_line(text: &str) -> &str {
    let says = |line: &&str| line.starts_with("error:") || line.starts_with("nodetool:");
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .clone()
        .find(says)
        .or_else(|| lines.next_back())
        .unwrap_or("no reason given")
}
