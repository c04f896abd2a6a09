//! Where etcd, kube-apiserver, kube-controller-manager and kubectl come from.
//!
//! In this order: the folder that `KUBEBUILDER_ASSETS` names, the cache below the target folder, `go build` of `e2e/kube`.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use sha2::{Digest, Sha256};

/// The version that `e2e/kube/go.mod` asks for, as the programs report it.
const KUBERNETES: &str = "v1.35.4";

const NAMES: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"];

/// Which of the three places the programs were found in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// The folder that `KUBEBUILDER_ASSETS` names.
    Assets,
    /// Built earlier.
    Cache,
    /// Built just now, which takes some minutes.
    Built,
}

/// The programs that one Kubernetes API consists of.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// `etcd`.
    pub etcd: PathBuf,
    /// `kube-apiserver`.
    pub apiserver: PathBuf,
    /// `kubectl`.
    pub kubectl: PathBuf,
    /// `kube-controller-manager`. Without it there is no garbage collection, namespaces never finish deletion and no
    /// `kube-root-ca.crt` appears; the usual assets of envtest do not have it.
    pub controller_manager: Option<PathBuf>,
    /// Where they were found.
    pub origin: Origin,
}

/// Where the programs can be had, if they can.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// `KUBEBUILDER_ASSETS` names a folder; whether it has them shows when they are looked for.
    Assets,
    /// They were built earlier.
    Cache,
    /// There is a Go that builds them.
    Go,
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Assets => "KUBEBUILDER_ASSETS is set",
            Self::Cache => "Kubernetes was built here earlier",
            Self::Go => "there is Go to build Kubernetes with",
        })
    }
}

impl Binaries {
    /// Where they can be had, without building anything.
    #[must_use]
    pub fn source() -> Option<Source> {
        if assets().is_some() {
            return Some(Source::Assets);
        }
        let (_, cache) = module_and_cache().ok()?;
        if Self::in_cache(&cache, Origin::Cache).is_some() {
            return Some(Source::Cache);
        }
        has_go().then_some(Source::Go)
    }

    /// Finds or builds them. Blocks: a first build takes some minutes (one line on stderr says so).
    ///
    /// # Errors
    /// One line that says what to install or what is missing in `KUBEBUILDER_ASSETS`.
    pub fn find() -> anyhow::Result<Self> {
        if let Some(assets) = assets() {
            return Self::in_assets(Path::new(&assets));
        }
        let (module, cache) = module_and_cache()?;
        if let Some(found) = Self::in_cache(&cache, Origin::Cache) {
            return Ok(found);
        }
        build(&module, &cache)
    }

    fn in_assets(folder: &Path) -> anyhow::Result<Self> {
        let all = NAMES.map(|name| Some(folder.join(name)).filter(|path| path.is_file()));
        let [etcd, apiserver, controller_manager, kubectl] = all;
        let missing = |name| format!("KUBEBUILDER_ASSETS: {} has no {name}", folder.display());
        Ok(Self {
            etcd: etcd.with_context(|| missing("etcd"))?,
            apiserver: apiserver.with_context(|| missing("kube-apiserver"))?,
            kubectl: kubectl.with_context(|| missing("kubectl"))?,
            controller_manager,
            origin: Origin::Assets,
        })
    }

    fn in_cache(folder: &Path, origin: Origin) -> Option<Self> {
        let [etcd, apiserver, manager, kubectl] = NAMES.map(|name| folder.join(name));
        [&etcd, &apiserver, &manager, &kubectl]
            .iter()
            .all(|path| path.is_file())
            .then_some(Self {
                etcd,
                apiserver,
                kubectl,
                controller_manager: Some(manager),
                origin,
            })
    }

    /// What cannot be had with these programs, for the report of a run.
    #[must_use]
    pub fn missing(&self) -> Option<&'static str> {
        const WHAT: &str = "kube-controller-manager is not in KUBEBUILDER_ASSETS: no garbage collection, no end of \
                            namespaces, no kube-root-ca.crt (unset it to have all four built with Go)";
        self.controller_manager.is_none().then_some(WHAT)
    }
}

fn assets() -> Option<OsString> {
    std::env::var_os("KUBEBUILDER_ASSETS").filter(|value| !value.is_empty())
}

fn module_and_cache() -> anyhow::Result<(PathBuf, PathBuf)> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("kube");
    let cache = target_folder().join("kube").join(hash(&module)?);
    Ok((module, cache))
}

fn has_go() -> bool {
    let said = Command::new("go").arg("version").output();
    said.is_ok_and(|said| said.status.success())
}

/// What the programs are made from, in 16 hex digits.
fn hash(module: &Path) -> anyhow::Result<String> {
    let mut hasher = Sha256::new();
    for name in ["go.mod", "go.sum", "main.go"] {
        let path = module.join(name);
        hasher.update(fs::read(&path).with_context(|| format!("{}: cannot be read", path.display()))?);
    }
    // Half of it is enough to tell builds apart.
    let digest = hasher.finalize();
    let digest: [u8; 8] = std::array::from_fn(|place| digest[place]);
    Ok(format!("{:016x}", u64::from_be_bytes(digest)))
}

pub(crate) fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    )
}

/// Builds into a folder beside the cache and renames it, so that the cache is never seen half filled. Of several processes that
/// come here at once, one builds and the others wait for it.
fn build(module: &Path, cache: &Path) -> anyhow::Result<Binaries> {
    let parent = cache
        .parent()
        .context("the cache of the Kubernetes programs has no parent folder")?;
    fs::create_dir_all(parent).with_context(|| format!("{}: cannot be made", parent.display()))?;
    let lock = File::create(parent.join("lock"))?;
    lock.lock()
        .context("the lock of the Kubernetes build cannot be had")?;
    if let Some(found) = Binaries::in_cache(cache, Origin::Cache) {
        return Ok(found);
    }
    anyhow::ensure!(
        has_go(),
        "no Kubernetes API server: install Go 1.25 or newer, or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl"
    );
    // The only line that this crate writes on its own: silence for minutes would look like a hang.
    eprintln!("building Kubernetes with Go: this takes some minutes, once");
    let fresh = tempfile::tempdir_in(parent)?;
    compile(module, &fresh.path().join("kube"))?;
    for name in NAMES {
        symlink("kube", fresh.path().join(name))?;
    }
    // An older, incomplete one would be in the way of the rename.
    if cache.exists() {
        fs::remove_dir_all(cache)?;
    }
    fs::rename(fresh.keep(), cache).with_context(|| format!("{}: cannot be made", cache.display()))?;
    Binaries::in_cache(cache, Origin::Built).context("the Kubernetes build has left no programs")
}

fn compile(module: &Path, to: &Path) -> anyhow::Result<()> {
    let version = "-X k8s.io/component-base/version";
    let flags = format!("-s -w {version}.gitVersion={KUBERNETES} {version}.gitMajor=1 {version}.gitMinor=35");
    let status = Command::new("go")
        .current_dir(module)
        .env("CGO_ENABLED", "0")
        .args(["build", "-trimpath", "-buildvcs=false", "-ldflags", &flags, "-o"])
        .arg(to)
        .arg(".")
        .status()?;
    anyhow::ensure!(status.success(), "go build in {}: {status}", module.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_without_an_api_server_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("etcd"), "").unwrap();
        let said = Binaries::in_assets(folder.path()).unwrap_err().to_string();
        assert!(said.starts_with("KUBEBUILDER_ASSETS: "), "{said}");
        assert!(said.ends_with(" has no kube-apiserver"), "{said}");
    }

    #[test]
    fn assets_without_controllers_say_what_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["etcd", "kube-apiserver", "kubectl"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let found = Binaries::in_assets(folder.path()).unwrap();
        assert_eq!(found.controller_manager, None);
        assert!(found.missing().unwrap().contains("no garbage collection"));
    }

    #[test]
    fn the_version_that_is_stamped_is_the_one_that_is_built() {
        let module = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("kube/go.mod")).unwrap();
        assert!(
            module.contains(&format!("k8s.io/kubernetes {KUBERNETES}\n")),
            "go.mod builds another version"
        );
    }
}
