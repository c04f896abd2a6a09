//! Conditions are awaited, with a deadline and with the reason why they did not come.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

const PAUSE: Duration = Duration::from_millis(50);

/// Looks every 50 ms until `look` gives a value.
///
/// `Ok(None)` means *not yet*; so does an error, which is kept as the reason should the deadline pass. A look that hangs is cut
/// off at the deadline.
///
/// # Errors
/// `what` has not come true `within` the time: the message names it and the last error.
pub async fn eventually<T, F, Fut>(what: &str, within: Duration, mut look: F) -> anyhow::Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = anyhow::Result<Option<T>>>,
{
    let deadline = Instant::now() + within;
    let mut last = None;
    loop {
        match timeout_at(deadline, look()).await {
            Ok(Ok(Some(value))) => return Ok(value),
            Ok(Ok(None)) => last = None,
            Ok(Err(error)) => last = Some(error),
            Err(_) => last = last.or_else(|| Some(anyhow::anyhow!("the last look had no answer"))),
        }
        if Instant::now() + PAUSE >= deadline {
            let why = last.map(|error| format!(" ({error:#})")).unwrap_or_default();
            anyhow::bail!("{what}: not within {} ms{why}", within.as_millis());
        }
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_never_comes_is_named_with_the_last_reason() {
        let looked = eventually("the moon", Duration::from_secs(1), || async {
            Err::<Option<()>, _>(anyhow::anyhow!("clouds"))
        });
        assert_eq!(
            looked.await.unwrap_err().to_string(),
            "the moon: not within 1000 ms (clouds)"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_hangs_is_cut_off() {
        let looked = eventually(
            "an answer",
            Duration::from_secs(1),
            std::future::pending::<anyhow::Result<Option<()>>>,
        );
        let said = looked.await.unwrap_err().to_string();
        assert_eq!(
            said,
            "an answer: not within 1000 ms (the last look had no answer)"
        );
    }
}
