//! What the API server in memory is held to: scripts of requests, recorded on a real kube-apiserver.
//!
//! Two servers start at once: one with nothing beside it, so that nobody but the script writes, and one with controllers.
//! All scripts are played at the same time, each in namespaces of its own. Scripts can also be drawn at random, for both servers.

mod built_in;
mod random;
mod real;

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::Context;
use fake_apiserver::Definitions;
use fake_apiserver::conformance::{Answer, Memory, Mismatch, Script, layout, mismatches, play, script};
use futures::future::{try_join, try_join_all};

use crate::{ApiServer, Binaries, Options, Provider};
use real::Real;

/// What came of a comparison.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Requests with an answer.
    pub pairs: usize,
    /// Those whose answer is another one than in the files.
    pub differ: Vec<Mismatch>,
    /// Whether what the server says of its built-in kinds is another thing than in the file.
    pub kinds_differ: bool,
}

impl Outcome {
    /// Whether the files say what the server says.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.differ.is_empty() && !self.kinds_differ
    }
}

/// Where the scripts are.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/fake-apiserver/conformance")
}

/// Plays every script on fresh real servers and holds the answers against the files.
///
/// # Errors
/// The servers do not start, a file is no script, a request has no answer, or a watch another number of events than its
/// script awaits.
pub async fn compare(binaries: &Binaries) -> anyhow::Result<Outcome> {
    let (played, kinds) = played(binaries, None).await?;
    let mut outcome = Outcome {
        kinds_differ: fs::read_to_string(built_in::file())? != kinds,
        ..Outcome::default()
    };
    for (file, script, answers) in played {
        outcome.pairs += answers.len();
        outcome.differ.extend(mismatches(&name(&file), &script, &answers));
    }
    Ok(outcome)
}

/// Plays every script, or the one called `only`, on fresh real servers and writes the answers into the files, and without
/// `only` what the server says of its built-in kinds.
///
/// # Errors
/// As [`compare`], or a file cannot be written.
pub async fn record(binaries: &Binaries, only: Option<&str>) -> anyhow::Result<Outcome> {
    let (played, kinds) = played(binaries, only).await?;
    let mut outcome = Outcome {
        kinds_differ: fs::read_to_string(built_in::file())? != kinds,
        ..Outcome::default()
    };
    if only.is_none() {
        fs::write(built_in::file(), kinds)?;
    }
    for (file, mut script, answers) in played {
        outcome.pairs += answers.len();
        outcome.differ.extend(mismatches(&name(&file), &script, &answers));
        for (exchange, answer) in script.exchanges.iter_mut().zip(answers) {
            exchange.answer = Some(answer);
        }
        fs::write(&file, script.text()).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(outcome)
}

/// Plays scripts that are drawn from `seed` on a fresh real server and on ones in memory: `count` of them, with `length`
/// requests each. Of each script the first mismatch is told.
///
/// # Errors
/// The real server does not start, or a request has no answer.
pub async fn draw(binaries: &Binaries, seed: u64, count: u64, length: usize) -> anyhow::Result<Outcome> {
    let own = definitions(&folder().join("definitions"))?;
    let mut parsed = vec![];
    for text in &own {
        for object in crate::apply::documents(text)? {
            parsed.push(serde_json::to_value(object)?);
        }
    }
    let known = Definitions::built_in().with(&parsed)?;
    let without_controllers = Provider::Apiserver(Binaries {
        controller_manager: None,
        ..binaries.clone()
    });
    let options = Options {
        manifests: own,
        ..Options::default()
    };
    let server = ApiServer::start(&without_controllers, "conformance-random", &options).await?;
    let real = Real::of(&server).await?;
    let all = (seed..seed + count).map(|seed| compare_one(seed, length, &real, &known));
    let mut outcome = Outcome::default();
    for (pairs, differ) in try_join_all(all).await? {
        outcome.pairs += pairs;
        outcome.differ.extend(differ);
    }
    Ok(outcome)
}

async fn compare_one(
    seed: u64,
    length: usize,
    real: &Real,
    known: &Definitions,
) -> anyhow::Result<(usize, Option<Mismatch>)> {
    let mut script = random::script(seed, length);
    let told = |error: String| anyhow::anyhow!("seed {seed}: {error}");
    let recorded = play(&script, real).await.map_err(told)?;
    for (exchange, answer) in script.exchanges.iter_mut().zip(recorded) {
        exchange.answer = Some(answer);
    }
    let memory = Memory::serving(known.clone(), false);
    let answers = play(&script, &memory).await.map_err(told)?;
    // What comes after the first may only follow from it.
    let first = mismatches(&format!("seed {seed}"), &script, &answers)
        .into_iter()
        .next();
    Ok((answers.len(), first))
}

type Played = (PathBuf, Script, Vec<Answer>);

/// All scripts with their answers, and what the server says of its built-in kinds.
async fn played(binaries: &Binaries, only: Option<&str>) -> anyhow::Result<(Vec<Played>, String)> {
    let mut scripts = script::all(&folder())?;
    scripts.retain(|(file, _)| only.is_none_or(|only| name(file) == only));
    anyhow::ensure!(
        !scripts.is_empty(),
        "there is no such script in {}",
        folder().display()
    );
    let with = |manifests| Options {
        manifests,
        ..Options::default()
    };
    let own = definitions(&folder().join("definitions"))?;
    let product = definitions(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../crds"))?;
    let without_controllers = Provider::Apiserver(Binaries {
        controller_manager: None,
        ..binaries.clone()
    });
    let with_controllers = Provider::Apiserver(binaries.clone());
    let (alone, controlled) = try_join(
        ApiServer::start(
            &without_controllers,
            "conformance",
            &with([own.clone(), product].concat()),
        ),
        ApiServer::start(&with_controllers, "conformance-controllers", &with(own)),
    )
    .await?;
    let (alone, controlled) = (Real::of(&alone).await?, Real::of(&controlled).await?);
    let kinds = built_in::text(alone.client()).await?;
    let all = scripts.into_iter().map(|(file, script)| {
        let server = if script.controllers { &controlled } else { &alone };
        async move {
            let answers = play(&script, server).await;
            let answers = answers.map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
            as_many_events_as_awaited(&script, &answers).with_context(|| file.display().to_string())?;
            anyhow::Ok((file, script, answers))
        }
    });
    Ok((try_join_all(all).await?, kinds))
}

fn as_many_events_as_awaited(script: &Script, answers: &[Answer]) -> anyhow::Result<()> {
    for (place, (exchange, answer)) in script.exchanges.iter().zip(answers).enumerate() {
        if let (Some(awaited), Some(events)) = (exchange.events, &answer.events) {
            anyhow::ensure!(
                answer.ended || awaited == events.len(),
                "exchange {} ({}): {awaited} events are awaited, {} came: {}",
                place + 1,
                exchange.ask,
                events.len(),
                layout::compact(&events.iter().cloned().collect())
            );
        }
    }
    Ok(())
}

/// The texts of the definitions in a folder.
fn definitions(folder: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut files = entries.collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| {
        let yaml = file.extension().is_some_and(|is| is == "yaml");
        yaml && !file.ends_with("kustomization.yaml")
    });
    files.sort();
    files.into_iter().map(fs::read_to_string).collect()
}

fn name(file: &Path) -> String {
    file.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
