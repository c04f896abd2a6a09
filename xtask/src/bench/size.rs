//! How large the shipped program is, how soon each controller is ready, and what it takes at rest.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use e2e::world::{CONTROLLERS, NAMESPACE};
use e2e::{ApiServer, Launch, Options, Program, Provider, Way, scratch_folder};

use crate::workspace;

/// Of the stripped program with all five controllers.
const MOST_BYTES: u64 = 10_000_000;
/// From exec to the first 200 of `/readyz`, with no planes.
const MOST_START: Duration = Duration::from_millis(50);
/// Resident, with no planes and nothing to do.
const MOST_MEMORY_KIB: u64 = 12_000_000 / 1024;
/// Starts of each controller; the middle one counts.
const STARTS: usize = 9;
/// At rest is who has been ready for so long.
const REST: Duration = Duration::from_secs(5);
const DEADLINE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(1);

/// Builds the program as it is shipped, measures, prints.
///
/// # Errors
/// When a limit is passed, the program does not build, or there is no API server to start it with.
pub fn run() -> Result<()> {
    let program = shipped()?;
    let bytes = fs::metadata(&program)?.len();
    let mut over = vec![];
    let verdict = |fits: bool| if fits { "ok" } else { "OVER" };
    println!(
        "ringspan, stripped: {:.2} MB (limit {:.0}) {}",
        megabytes(bytes),
        megabytes(MOST_BYTES),
        verdict(bytes <= MOST_BYTES)
    );
    if bytes > MOST_BYTES {
        over.push("size".to_owned());
    }
    // What is measured waits for answers: those of a real server.
    let provider = Provider::choose(Some(Way::Apiserver))?.provider;
    let measured = tokio::runtime::Runtime::new()?.block_on(measure(&provider, &program))?;
    println!(
        "\nwith a control plane and no planes; {STARTS} starts each, limits {} ms (median) and {:.0} MB after {} s",
        MOST_START.as_millis(),
        megabytes(MOST_MEMORY_KIB * 1024),
        REST.as_secs()
    );
    println!(
        "{:<22}{:>9}{:>9}{:>9}{:>12}",
        "", "best ms", "median", "worst", "resident MB"
    );
    for Controller {
        name,
        starts,
        memory_kib,
    } in &measured
    {
        let median = starts[starts.len() / 2];
        let fits = median <= MOST_START && *memory_kib <= MOST_MEMORY_KIB;
        let [best, middle, worst] = [starts[0], median, starts[starts.len() - 1]].map(milliseconds);
        let memory = megabytes(memory_kib * 1024);
        println!(
            "{name:<22}{best:>9.1}{middle:>9.1}{worst:>9.1}{memory:>12.2}  {}",
            verdict(fits)
        );
        if !fits {
            over.push((*name).to_owned());
        }
    }
    let all = measured.iter().map(|one| one.memory_kib).sum::<u64>();
    println!("{:<22}{:>39.2}", "all five", megabytes(all * 1024));
    if !over.is_empty() {
        bail!("bench size: over the limit: {}", over.join(", "));
    }
    Ok(())
}

/// Builds what is shipped, as it is shipped.
fn shipped() -> Result<PathBuf> {
    let mut build = workspace::cargo();
    build.args(["build", "--release", "--locked", "-p", "ringspan"]);
    ensure!(build.status()?.success(), "the program does not build");
    Ok(workspace::target().join("release/ringspan"))
}

/// What was measured of one controller.
struct Controller {
    name: &'static str,
    /// Shortest first.
    starts: Vec<Duration>,
    memory_kib: u64,
}

async fn measure(provider: &Provider, program: &Path) -> Result<Vec<Controller>> {
    let options = Options {
        manifests: manifests()?,
        ..Options::default()
    };
    let server = ApiServer::start(provider, "control-plane", &options).await?;
    let folder = scratch_folder("bench")?;
    let mut measured = vec![];
    for name in CONTROLLERS {
        let launch = launch(&server, program, folder.path(), name).await?;
        measured.push(controller(name, &launch).await?);
    }
    server.stop();
    Ok(measured)
}

/// Definitions, namespace and roles, as a user would install them.
fn manifests() -> Result<Vec<String>> {
    let root = workspace::root();
    let mut files = vec![root.join("deploy/base/namespace.yaml")];
    for definition in api::definitions::all() {
        files.push(root.join("crds").join(api::definitions::file_name(&definition)));
    }
    files.extend(CONTROLLERS.map(|name| root.join("deploy/base").join(name).join("rbac.yaml")));
    files
        .iter()
        .map(|path| fs::read_to_string(path).with_context(|| path.display().to_string()))
        .collect()
}

/// Past the proxy of the harness, which runs in this process and would be measured too.
async fn launch(server: &ApiServer, program: &Path, folder: &Path, name: &str) -> Result<Launch> {
    let kubeconfig = server
        .service_account_kubeconfig(NAMESPACE, &format!("ringspan-{name}"), "control-plane")
        .await?
        .replace(&server.proxy().url(), &server.server_url());
    let path = folder.join(format!("{name}.kubeconfig"));
    fs::write(&path, kubeconfig)?;
    let launch = Launch::new(name, program, folder)?;
    let admin = format!("--metrics-address={}", launch.admin());
    Ok(launch
        .arg(name)
        .arg(format!("--kubeconfig={}", path.display()))
        .arg(admin))
}

async fn controller(name: &'static str, launch: &Launch) -> Result<Controller> {
    let mut starts = vec![];
    let mut memory_kib = None;
    for number in 1..=STARTS {
        let began = Instant::now();
        let mut program = Program::start(launch.clone())?;
        starts.push(ready(&mut program, began).await?);
        if number == STARTS {
            tokio::time::sleep(REST).await;
            ensure!(program.exited().is_none(), "{name} has ended");
            memory_kib = program.memory_kib();
        }
        program.kill();
    }
    starts.sort();
    let memory_kib = memory_kib.context("this system does not tell how much memory a process has")?;
    Ok(Controller {
        name,
        starts,
        memory_kib,
    })
}

/// Asks every millisecond, which is about as fine as starting a process is.
async fn ready(program: &mut Program, began: Instant) -> Result<Duration> {
    loop {
        if program.get("/readyz").await.is_ok_and(|(code, _)| code == 200) {
            return Ok(began.elapsed());
        }
        if began.elapsed() > DEADLINE || program.exited().is_some() {
            bail!("{} is not ready:\n{}", program.name(), program.logs()?);
        }
        tokio::time::sleep(POLL).await;
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes of programs are far below 2^52")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
