//! Log lines on stderr. Contents of objects never get there: the one library that would print them is silenced.

use tracing::Metadata;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

use crate::args::{LogFormat, ProcessArgs};

/// Starts logging for the whole process. A second start in one process changes nothing.
///
/// # Errors
/// If the level is no filter.
pub(crate) fn start(args: &ProcessArgs) -> anyhow::Result<()> {
    let level = if args.log_level.trim().is_empty() {
        "info"
    } else {
        &args.log_level
    };
    let filter = EnvFilter::try_new(level)
        .map_err(|error| anyhow::anyhow!("--log-level {:?} is no log filter: {error}", args.log_level))?
        .and(filter_fn(harmless));
    let layer = match args.log_format {
        LogFormat::Human => fmt::layer()
            .with_writer(std::io::stderr)
            .with_target(false)
            .boxed(),
        LogFormat::Json => fmt::layer()
            .with_writer(std::io::stderr)
            .json()
            .flatten_event(true)
            .boxed(),
    };
    let _ = registry().with(layer.with_filter(filter)).try_init();
    Ok(())
}

/// kube's client prints whole answers, Secrets included, when it cannot decode them, and HTTP headers at `trace`.
/// What it has to say comes to us as an error anyway.
fn harmless(metadata: &Metadata<'_>) -> bool {
    !["kube_client", "hyper", "h2", "rustls", "tower"]
        .iter()
        .any(|library| {
            metadata
                .target()
                .strip_prefix(library)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        })
}
