//! P20: no secret stands in the logs, whatever the level.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::Metadata;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;

/// Libraries that the programs silence, because they print whole objects, and the stand-ins of the rig.
const LEFT_OUT: [&str; 7] = [
    "kube_client",
    "hyper",
    "h2",
    "rustls",
    "tower",
    "fake_datacenter",
    "fake_apiserver",
];

/// Everything that is logged on this thread as long as this lives.
pub(super) struct Logs {
    said: Said,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Logs {
    /// Listens from now on, at level trace.
    pub fn listen() -> Self {
        let said = Said::default();
        let layer = fmt::layer()
            .with_ansi(false)
            .without_time()
            .with_writer(said.clone())
            .with_filter(filter_fn(is_ours));
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        Self { said, _guard: guard }
    }

    /// Looks at all that was logged.
    pub fn look<T>(&self, look: impl FnOnce(&str) -> T) -> T {
        let said = self.said.0.lock().unwrap_or_else(PoisonError::into_inner);
        look(&String::from_utf8_lossy(&said))
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let library = target.split("::").next().unwrap_or(target);
    !LEFT_OUT.contains(&library)
}

impl<'a> MakeWriter<'a> for Said {
    type Writer = Said;

    fn make_writer(&'a self) -> Said {
        self.clone()
    }
}

impl io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_logged_is_kept_at_every_level_but_for_what_programs_silence() {
        let logs = Logs::listen();
        tracing::trace!(password = "a-rather-long-password", "opened");
        tracing::trace!(target: "kube_client::client", "a-rather-long-password");
        let lines = || logs.look(|text| text.lines().count());
        assert!(logs.look(|text| text.contains("a-rather-long-password")));
        assert_eq!(lines(), 1);
        {
            let _other = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::new());
            tracing::info!("elsewhere");
        }
        assert_eq!(lines(), 1);
    }
}
