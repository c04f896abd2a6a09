//! How etcd, kube-apiserver and kube-controller-manager are called, and which files they are given.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::Binaries;
use crate::authority::{Authority, Identity};
use crate::ports::free_port;

/// Everything that happens is recorded once, when its answer is known; a watch also when it begins, as it may never end.
const AUDIT_POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
";

/// Name of the audit log in an API server's folder.
pub(crate) const AUDIT_LOG: &str = "audit.jsonl";

/// What StatefulSets, slices and pods do is the stand-in's; only what every client relies on runs.
const CONTROLLERS: &str = "--controllers=garbage-collector-controller,namespace-controller,root-ca-certificate-publisher-controller";

/// The folder, files and ports of one API server.
#[derive(Debug)]
pub(crate) struct Layout {
    folder: PathBuf,
    etcd: u16,
    etcd_peer: u16,
    pub(crate) server: u16,
}

impl Layout {
    pub(crate) fn new(folder: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            folder: folder.to_owned(),
            etcd: free_port()?,
            etcd_peer: free_port()?,
            server: free_port()?,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn log(&self, program: &str) -> PathBuf {
        self.path(&format!("{program}.log"))
    }

    /// Writes what the programs are started with. Keys are readable by the owner only.
    pub(crate) fn write(
        &self,
        authority: &Authority,
        server: &Identity,
        controllers: &str,
    ) -> anyhow::Result<()> {
        // Any key with its certificate will do for tokens: who checks them is who signs them.
        let tokens = authority.client("service-accounts", &[])?;
        self.file("ca.crt", &authority.certificate())?;
        self.file("server.crt", &server.certificate)?;
        self.file("server.key", &server.key)?;
        self.file("tokens.key", &tokens.key)?;
        self.file("tokens.crt", &tokens.certificate)?;
        self.file("audit-policy.yaml", AUDIT_POLICY)?;
        self.file("controllers.kubeconfig", controllers)
    }

    fn file(&self, name: &str, content: &str) -> anyhow::Result<()> {
        let path = self.path(name);
        fs::OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, content.as_bytes()))
            .with_context(|| format!("{}: cannot be written", path.display()))
    }

    fn flag(&self, flag: &str, file: &str) -> OsString {
        let mut whole = OsString::from(flag);
        whole.push("=");
        whole.push(self.path(file));
        whole
    }

    /// Without fsync: the data does not outlive the process anyway.
    pub(crate) fn etcd(&self, binaries: &Binaries) -> Command {
        let client = format!("http://127.0.0.1:{}", self.etcd);
        let peer = format!("http://127.0.0.1:{}", self.etcd_peer);
        let mut command = Command::new(&binaries.etcd);
        command.arg(self.flag("--data-dir", "etcd")).args([
            "--unsafe-no-fsync",
            "--log-level=warn",
            "--name=e2e",
            &format!("--initial-cluster=e2e={peer}"),
            &format!("--initial-advertise-peer-urls={peer}"),
            &format!("--listen-peer-urls={peer}"),
            &format!("--advertise-client-urls={client}"),
            &format!("--listen-client-urls={client}"),
        ]);
        command
    }

    /// No pods run here, so nothing needs a default ServiceAccount in them (`ServiceAccount` admission), nor the address of
    /// the API server inside of the cluster (the endpoint reconciler, which refuses loopback addresses).
    pub(crate) fn apiserver(&self, binaries: &Binaries) -> Command {
        let mut command = Command::new(&binaries.apiserver);
        command.args([
            &format!("--etcd-servers=http://127.0.0.1:{}", self.etcd),
            &format!("--secure-port={}", self.server),
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--audit-log-format=json",
            "--audit-log-mode=blocking",
            "--audit-log-maxsize=4096",
        ]);
        command.args([
            self.flag("--cert-dir", "unused"),
            self.flag("--tls-cert-file", "server.crt"),
            self.flag("--tls-private-key-file", "server.key"),
            self.flag("--client-ca-file", "ca.crt"),
            self.flag("--service-account-key-file", "tokens.crt"),
            self.flag("--service-account-signing-key-file", "tokens.key"),
            self.flag("--audit-policy-file", "audit-policy.yaml"),
            self.flag("--audit-log-path", AUDIT_LOG),
        ]);
        command
    }

    /// Serves nothing itself (port 0), and is not slowed down by its own client's rate limit.
    pub(crate) fn controller_manager(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.args([
            "--secure-port=0",
            "--leader-elect=false",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
            CONTROLLERS,
        ]);
        command.args([
            self.flag("--kubeconfig", "controllers.kubeconfig"),
            self.flag("--root-ca-file", "ca.crt"),
        ]);
        command
    }
}
