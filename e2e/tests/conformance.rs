//! The answers that the API server in memory is held to are those of a real one, today.

use std::time::Instant;

use e2e::{Binaries, conformance};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recorded_answers_are_those_of_a_real_api_server() -> anyhow::Result<()> {
    let binaries = match tokio::task::spawn_blocking(Binaries::find).await? {
        Ok(binaries) => binaries,
        Err(why) => {
            eprintln!("skipped: {why:#}");
            return Ok(());
        }
    };
    if let Some(why) = binaries.missing() {
        eprintln!("skipped: {why}");
        return Ok(());
    }
    let begun = Instant::now();
    let outcome = conformance::compare(&binaries).await?;
    for mismatch in &outcome.differ {
        eprintln!("{mismatch}");
    }
    let (pairs, differ) = (outcome.pairs, outcome.differ.len());
    eprintln!(
        "conformance: {pairs} pairs recorded, {differ} differ, {} ms",
        begun.elapsed().as_millis()
    );
    assert_eq!(
        differ, 0,
        "`cargo xtask conformance --record` writes the answers of this server"
    );
    Ok(())
}
