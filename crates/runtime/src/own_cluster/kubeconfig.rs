//! The operator's own kubeconfig: its current context.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;

use super::OwnCluster;
use crate::bearer::Bearer;
use crate::tls::Authorities;

/// Logins that need a command, a browser or a password.
const REFUSED: [&str; 4] = ["exec", "auth-provider", "username", "password"];

/// Reads a file. No error quotes it: it holds credentials.
pub(super) fn read(path: &Path) -> anyhow::Result<OwnCluster> {
    let text =
        std::fs::read_to_string(path).map_err(|error| anyhow!("it cannot be read: {}", error.kind()))?;
    let options = serde_saphyr::options! { with_snippet: false };
    let file: Value = serde_saphyr::from_str_with_options(&text, options)
        .map_err(|_| anyhow!("it is not the YAML of a kubeconfig"))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let context = text_of(&file, "current-context")?.context("it names no current-context")?;
    let entry = named(&file, "contexts", "context", context)?;
    let cluster = Part {
        fields: named(
            &file,
            "clusters",
            "cluster",
            text_of(entry, "cluster")?.unwrap_or_default(),
        )?,
        folder,
    };
    let user = Part {
        fields: named(
            &file,
            "users",
            "user",
            text_of(entry, "user")?.unwrap_or_default(),
        )?,
        folder,
    };
    user.refuse(&REFUSED, "a token, or a client certificate with its key")?;
    cluster.refuse(&["insecure-skip-tls-verify"], "certificate-authority-data")?;
    cluster.refuse(&["proxy-url"], "an address that can be reached without a proxy")?;
    Ok(OwnCluster {
        server: cluster.server()?,
        server_name: cluster.text("tls-server-name")?.map(str::to_owned),
        authorities: cluster.authorities()?,
        identity: user.pem("client-certificate")?.zip(user.pem("client-key")?),
        bearer: user.bearer()?.map(Arc::new),
        namespace: super::or_default(text_of(entry, "namespace")?.unwrap_or_default()),
    })
}

/// The fields of a cluster or user.
struct Part<'a> {
    fields: &'a Value,
    /// What relative paths are relative to.
    folder: &'a Path,
}

impl Part<'_> {
    fn text(&self, field: &str) -> anyhow::Result<Option<&str>> {
        text_of(self.fields, field)
    }

    fn server(&self) -> anyhow::Result<Uri> {
        let text = self.text("server")?.context("the cluster has no server")?;
        let url = text.parse::<Uri>().ok();
        url.filter(|url| matches!(url.scheme_str(), Some("https" | "http")) && url.host().is_some())
            .context("the cluster's server is no https URL")
    }

    fn path(&self, field: &str) -> anyhow::Result<Option<PathBuf>> {
        Ok(self.text(field)?.map(|path| self.folder.join(path)))
    }

    fn refuse(&self, refused: &[&str], instead: &str) -> anyhow::Result<()> {
        let set = |field: &&&str| {
            !matches!(
                self.fields.get(**field),
                None | Some(Value::Null | Value::Bool(false))
            )
        };
        match refused.iter().find(set) {
            Some(field) => bail!("{field} is not supported; give {instead}"),
            None => Ok(()),
        }
    }

    /// A PEM text, from `<field>-data` or the file that `field` names.
    fn pem(&self, field: &str) -> anyhow::Result<Option<String>> {
        if let Some(data) = self.text(&format!("{field}-data"))? {
            let bytes = STANDARD.decode(data).ok();
            let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            return Ok(Some(
                text.with_context(|| format!("{field}-data is not base64 of a PEM text"))?,
            ));
        }
        let Some(path) = self.path(field)? else {
            return Ok(None);
        };
        let text = std::fs::read_to_string(&path);
        Ok(Some(
            text.with_context(|| format!("{field}: {}", path.display()))?,
        ))
    }

    fn authorities(&self) -> anyhow::Result<Authorities> {
        if self.text("certificate-authority-data")?.is_some() {
            let pem = self.pem("certificate-authority")?.unwrap_or_default();
            let certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
            let certificates = certificates.map(|certificate| certificate.map(|der| der.to_vec()));
            let certificates = certificates.collect::<Result<Vec<_>, _>>();
            return Ok(Authorities::Given(certificates.map_err(|_| {
                anyhow!("certificate-authority-data holds a certificate that cannot be read")
            })?));
        }
        let file = self.path("certificate-authority")?;
        Ok(file.map_or(Authorities::System, Authorities::File))
    }

    /// A file of a token goes before the token, which is what it was when the file was last looked at.
    fn bearer(&self) -> anyhow::Result<Option<Bearer>> {
        if let Some(path) = self.path("tokenFile")? {
            let bearer = Bearer::file(path.clone());
            return Ok(Some(
                bearer.with_context(|| format!("tokenFile: {}", path.display()))?,
            ));
        }
        match self.text("token")? {
            None => Ok(None),
            Some(token) => Ok(Some(
                Bearer::fixed(token).context("the token cannot stand in a header")?,
            )),
        }
    }
}

/// The entry of a list with that name.
fn named<'a>(file: &'a Value, list: &str, of: &str, name: &str) -> anyhow::Result<&'a Value> {
    let entries = file.get(list).and_then(Value::as_array);
    let found = entries
        .into_iter()
        .flatten()
        .find(|entry| entry.get("name").and_then(Value::as_str) == Some(name));
    found
        .and_then(|entry| entry.get(of))
        .with_context(|| format!("its {list} have no {of} named {name:?}"))
}

/// A field that is a text; empty is absent.
fn text_of<'a>(value: &'a Value, field: &str) -> anyhow::Result<Option<&'a str>> {
    match value.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => bail!("{field} is no text"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(user: &Value, cluster: &Value) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let kubeconfig = json!({
            "current-context": "x",
            "contexts": [{"name": "y"}, {"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": user}],
        });
        std::fs::write(&path, kubeconfig.to_string()).unwrap();
        (folder, path)
    }

    fn refusal(user: &Value, cluster: &Value) -> String {
        let (_folder, path) = written(user, cluster);
        format!("{:#}", read(&path).err().unwrap())
    }

    #[test]
    fn paths_are_relative_to_the_file_that_names_them() {
        let (folder, path) = written(
            &json!({"tokenFile": "token"}),
            &json!({"server": "https://127.0.0.1:1/a", "certificate-authority": "ca.crt"}),
        );
        std::fs::write(folder.path().join("token"), "t").unwrap();
        let found = read(&path).unwrap();
        assert!(found.bearer.is_some());
        assert_eq!(found.server.path(), "/a");
        let Authorities::File(file) = &found.authorities else {
            panic!("{:?}", found.authorities)
        };
        assert_eq!(*file, folder.path().join("ca.crt"));
    }

    #[test]
    fn a_command_is_refused_by_name_and_not_run() {
        let cluster = json!({"server": "https://127.0.0.1:1"});
        for field in REFUSED {
            let said = refusal(&json!({field: {"command": "/bin/false"}}), &cluster);
            assert!(said.contains(field) && said.contains("token"), "{said}");
        }
    }

    #[test]
    fn no_verification_is_refused_and_false_is_not() {
        let user = json!({"token": "t"});
        let said = refusal(
            &user,
            &json!({"server": "https://127.0.0.1:1", "insecure-skip-tls-verify": true}),
        );
        assert!(said.contains("insecure-skip-tls-verify"), "{said}");
        let (_folder, path) = written(
            &user,
            &json!({"server": "https://127.0.0.1:1", "insecure-skip-tls-verify": false}),
        );
        assert!(read(&path).is_ok());
    }

    #[test]
    fn what_is_missing_is_named() {
        let user = json!({"token": "t"});
        assert!(refusal(&user, &json!({})).contains("server"));
        for server in [":", "127.0.0.1:6443", "ftp://127.0.0.1"] {
            assert!(
                refusal(&user, &json!({"server": server})).contains("URL"),
                "{server}"
            );
        }
        assert!(refusal(&json!({"token": "a\nb"}), &json!({"server": "https://x"})).contains("token"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        std::fs::write(&path, "current-context: z\n").unwrap();
        assert!(format!("{:#}", read(&path).err().unwrap()).contains("\"z\""));
    }
}
