//! A whole installation on this machine: a control plane, data planes with a stand-in for cass-operator, the five
//! shipped programs as processes with the credentials of the shipped roles.

mod cql;
mod install;
mod keyspaces;
mod look;
mod nodes;
mod table;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;

pub use cql::{Login, Node};
pub use install::{ACCOUNT, CONTROLLERS, DATABASES, NAMESPACE};
pub use look::{Step, conditions, is_ready, progress};
pub use nodes::{Memory, NodeView};

use crate::audit::{AuditLog, Entry};
use crate::{
    ApiServer, Cassandra, Launch, Options, Planes, Program, Provider, apply, eventually, leash,
    scratch_folder,
};

/// Field manager of what the harness writes.
pub const USER: &str = "user";

/// What an installation is made with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// How many data planes.
    pub planes: usize,
    /// How many of them get a `ClientConfig` at once, from the first.
    pub joined: usize,
    /// Scale of cass-operator's recorded delays.
    pub pace: f64,
    /// Seed of the stand-in.
    pub seed: u64,
    /// Whether the programs reach the API servers through proxies that can be told to fail. What is to outlive this process
    /// must not, as the proxies do not.
    pub proxied: bool,
    /// How much the programs log, as their flag takes it.
    pub log_level: &'static str,
    /// What real nodes are run with; none = the stand-in models them.
    pub cassandra: Option<Cassandra>,
    /// The shipped program and the stand-in.
    pub programs: Built,
    /// Root of the project: `crds/` and `deploy/` are read there.
    pub root: PathBuf,
}

/// Where the built programs are.
#[derive(Clone, Debug)]
pub struct Built {
    /// `ringspan`.
    pub ringspan: PathBuf,
    /// `fake-datacenter`.
    pub fake_datacenter: PathBuf,
    /// `kubectl-ringspan`.
    pub kubectl_ringspan: PathBuf,
}

impl Built {
    /// Beside the program that runs: both are built into one folder.
    ///
    /// # Errors
    /// One is not there.
    pub fn beside_this() -> anyhow::Result<Self> {
        let this = std::env::current_exe()?;
        let folder = this.parent().context("this program is in no folder")?;
        let find = |name: &str| {
            let path = folder.join(name);
            anyhow::ensure!(path.exists(), "{} is not built", path.display());
            Ok(path)
        };
        Ok(Built {
            ringspan: find("ringspan")?,
            fake_datacenter: find("fake-datacenter")?,
            kubectl_ringspan: find("kubectl-ringspan")?,
        })
    }
}

/// A running installation. Everything ends when it is dropped.
pub struct World {
    /// The five programs, by name. They end before the API servers do.
    pub programs: BTreeMap<&'static str, Program>,
    /// The stand-in for cass-operator and Cassandra in every plane.
    pub stand_in: Program,
    /// The API servers.
    pub planes: Planes,
    setup: Setup,
    folder: TempDir,
}

impl World {
    /// Starts everything; the programs are ready afterwards.
    ///
    /// # Errors
    /// Names what did not start.
    pub async fn start(provider: &Provider, setup: Setup) -> anyhow::Result<Self> {
        let folder = scratch_folder("world")?;
        let control = Options {
            manifests: install::control_plane(&setup)?,
            ..Options::default()
        };
        let data = Options {
            manifests: install::data_plane(&setup)?,
            ..Options::default()
        };
        let planes = Planes::start(provider, setup.planes, &control, &data).await?;
        let stand_in = install::stand_in(&setup, &planes, folder.path())?;
        let programs = BTreeMap::new();
        let mut world = World {
            programs,
            stand_in,
            planes,
            setup,
            folder,
        };
        eventually(
            "the stand-in for cass-operator",
            Duration::from_secs(30),
            || async { Ok((world.stand_in.get("/state").await?.0 == 200).then_some(())) },
        )
        .await?;
        for name in CONTROLLERS {
            let launch = install::launch_program(&world, name).await?;
            world.programs.insert(name, Program::start(launch)?);
        }
        for number in 1..=world.setup.joined {
            world.join(&Planes::data_name(number)).await?;
        }
        for program in world.programs.values_mut() {
            program.ready(Duration::from_secs(30)).await?;
        }
        for number in 1..=world.setup.joined {
            world.usable(&Planes::data_name(number)).await?;
        }
        Ok(world)
    }

    /// Applies YAML in the control plane, as a user would.
    ///
    /// # Errors
    /// What the API server refuses.
    pub async fn apply(&self, yaml: &str) -> anyhow::Result<()> {
        apply::apply_yaml(&self.planes.control.client(), yaml, USER)
            .await
            .map(|_| ())
    }

    /// Applies YAML in a plane, as somebody else would.
    ///
    /// # Errors
    /// What the API server refuses; no such plane.
    pub async fn apply_in(&self, plane: &str, yaml: &str) -> anyhow::Result<()> {
        let plane = self
            .planes
            .get(plane)
            .with_context(|| format!("no plane {plane}"))?;
        apply::apply_yaml(&plane.client(), yaml, USER).await.map(|_| ())
    }

    /// Registers a plane under its own name: a kubeconfig Secret and a `ClientConfig`.
    ///
    /// # Errors
    /// What the API servers refuse.
    pub async fn join(&self, plane: &str) -> anyhow::Result<()> {
        let found = self
            .planes
            .get(plane)
            .with_context(|| format!("no plane {plane}"))?;
        let kubeconfig = self.credentials(found, ACCOUNT, plane).await?;
        self.apply(&install::client_config(plane, &kubeconfig)).await
    }

    /// A kubeconfig of an account of the installation.
    async fn credentials(&self, plane: &ApiServer, account: &str, context: &str) -> anyhow::Result<String> {
        let kubeconfig = plane
            .service_account_kubeconfig(NAMESPACE, account, context)
            .await?;
        Ok(if self.setup.proxied {
            kubeconfig
        } else {
            kubeconfig.replace(&plane.proxy().url(), &plane.server_url())
        })
    }

    /// What the stand-in would print for `nodetool status`.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn nodetool_status(&self) -> anyhow::Result<String> {
        Ok(self.stand_in.get("/nodetool").await?.1)
    }

    /// The stand-in's own state: rings, nodes, keyspaces, streams.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn ring_state(&self) -> anyhow::Result<serde_json::Value> {
        Ok(serde_json::from_str(&self.stand_in.get("/state").await?.1)?)
    }

    /// Every request so far, of all API servers, in the order of their answers.
    ///
    /// # Errors
    /// An audit log cannot be read.
    pub fn requests(&self) -> anyhow::Result<Vec<Entry>> {
        let mut all = Vec::new();
        for plane in self.planes.all() {
            let mut log: AuditLog = plane.audit();
            all.extend_from_slice(log.refresh()?);
        }
        all.sort_by(|one, other| one.at.cmp(&other.at));
        Ok(all)
    }

    /// Every request that changed something, or tried to, by the five programs.
    ///
    /// # Errors
    /// An audit log cannot be read.
    pub fn writes(&self) -> anyhow::Result<Vec<Entry>> {
        let mut all = self.requests()?;
        all.retain(|entry| entry.is_write() && entry.is_by(NAMESPACE, None));
        Ok(all)
    }

    /// Kills all five programs and starts them again.
    ///
    /// # Errors
    /// One does not come back.
    pub async fn restart_programs(&mut self) -> anyhow::Result<()> {
        for program in self.programs.values_mut() {
            program.restart()?;
        }
        for program in self.programs.values_mut() {
            program.ready(Duration::from_secs(30)).await?;
        }
        Ok(())
    }

    /// The folder with logs and credentials.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// How it was set up.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Lets everything run on when this process ends. Returns process ids.
    #[must_use]
    pub fn leave_running(self) -> Vec<u32> {
        let World {
            programs,
            stand_in,
            planes,
            folder,
            ..
        } = self;
        let Planes { control, data } = planes;
        let _ = leash::let_folder_be(folder.path());
        let _ = folder.keep();
        let programs = programs
            .into_values()
            .chain([stand_in])
            .map(Program::leave_running);
        let mut ids: Vec<u32> = programs.collect();
        ids.extend(
            std::iter::once(control)
                .chain(data)
                .flat_map(ApiServer::leave_running),
        );
        ids
    }
}

/// Launches of the programs take a name, a binary and a folder.
pub(crate) fn launch(
    name: &str,
    binary: &std::path::Path,
    folder: &std::path::Path,
) -> anyhow::Result<Launch> {
    Launch::new(name, binary, folder)
}
