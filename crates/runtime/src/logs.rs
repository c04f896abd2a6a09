//! Log lines on stderr. Contents of objects never get there: the one library that would print them is silenced.

use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

use crate::args::{LogFormat, ProcessArgs};

/// Starts logging for the whole process. A second start in one process changes nothing.
///
/// # Errors
/// If the level is no filter.
pub(crate) fn start(args: &ProcessArgs) -> anyhow::Result<()> {
    let _ = registry().with(layer(args, std::io::stderr)?).try_init();
    Ok(())
}

fn layer<S, W>(args: &ProcessArgs, to: W) -> anyhow::Result<impl Layer<S> + Send + Sync + use<S, W>>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let level = if args.log_level.trim().is_empty() {
        "info"
    } else {
        &args.log_level
    };
    let filter = level
        .parse::<Targets>()
        .map_err(|error| anyhow::anyhow!("--log-level {:?} is no log filter: {error}", args.log_level))?
        .and(filter_fn(harmless));
    let layer = match args.log_format {
        LogFormat::Human => fmt::layer()
            .with_writer(to)
            .with_target(false)
            .with_ansi(false)
            .boxed(),
        LogFormat::Json => fmt::layer().with_writer(to).json().flatten_event(true).boxed(),
    };
    Ok(layer.with_filter(filter))
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

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use clap::Parser;

    use super::*;

    #[derive(clap::Parser)]
    struct Program {
        #[command(flatten)]
        process: ProcessArgs,
    }

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What `say` logs under these flags.
    fn logged(flags: &[&str], say: impl FnOnce()) -> String {
        let args = Program::parse_from([&["x"], flags].concat()).process;
        let sink = Sink::default();
        let writer = sink.clone();
        let subscriber = registry().with(layer(&args, move || writer.clone()).unwrap());
        tracing::subscriber::with_default(subscriber, say);
        String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn what_a_library_says_of_an_answer_is_never_logged() {
        for level in ["trace", "kube_client::client=trace", "warn,kube_client=trace"] {
            let text = logged(&["--log-level", level], || {
                tracing::warn!(target: "kube_client::client", "{{\"data\":\"s3cret\"}}");
                tracing::trace!(target: "hyper::proto", "authorization: s3cret");
                tracing::warn!(target: "hyperspace", "not a library");
            });
            assert!(!text.contains("s3cret"), "{level}: {text}");
        }
    }

    #[test]
    fn a_line_is_human_or_json_and_the_level_is_obeyed() {
        let say = || {
            tracing::info!(key = "db/demo", "pass ended");
            tracing::debug!("hidden");
        };
        let text = logged(&["--log-level", "info"], say);
        assert_eq!(text.lines().count(), 1);
        assert!(text.contains(" INFO pass ended key=\"db/demo\""), "{text}");
        let text = logged(&["--log-level", "info", "--log-format", "json"], say);
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&line["message"], &line["key"]),
            (&"pass ended".into(), &"db/demo".into())
        );
    }

    #[test]
    fn a_level_that_is_no_filter_is_refused() {
        let args = Program::parse_from(["x", "--log-level", "info,x=loud"]).process;
        assert!(start(&args).is_err());
    }
}
