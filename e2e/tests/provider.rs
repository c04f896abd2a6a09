//! The provider itself, on one real API server: what the stories rely on is true.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use e2e::{ApiServer, Binaries, Mode, Options, Planes, connect, eventually};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{DeleteParams, ObjectMeta, PostParams};
use kube::core::DynamicObject;
use kube::{Api, Client, Config, Resource, ResourceExt};

const SOON: Duration = Duration::from_secs(20);

/// A namespace with an account that may only create ConfigMaps, and a slice with an address of the range that the stand-in
/// for pods uses.
const WORLD: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: ringspan-writer, namespace: db}
---
apiVersion: v1
kind: Namespace
metadata: {name: db}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: writer, namespace: db}
rules:
- {apiGroups: [""], resources: [configmaps], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: writer, namespace: db}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: writer}
subjects:
- {kind: ServiceAccount, name: ringspan-writer, namespace: db}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: seeds, namespace: db}
addressType: IPv4
endpoints:
- {addresses: [198.18.0.1]}
"#;

/// A custom kind and, before it in the stream, an object of that kind.
const RING: &str = r"
apiVersion: e2e.ringspan.io/v1
kind: Ring
metadata: {name: one, namespace: db}
spec: {size: 3}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: rings.e2e.ringspan.io}
spec:
  group: e2e.ringspan.io
  names: {kind: Ring, plural: rings}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}
";

/// Says on stderr why there is nothing to test, in a form that can be counted.
async fn binaries_or_skip() -> anyhow::Result<Option<Binaries>> {
    let found = tokio::task::spawn_blocking(Binaries::find).await?;
    Ok(found.inspect_err(|why| eprintln!("skipped: {why:#}")).ok())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn planes_start_together_and_know_nothing_of_each_other() -> anyhow::Result<()> {
    let Some(binaries) = binaries_or_skip().await? else {
        return Ok(());
    };
    let begun = Instant::now();
    let planes = Planes::start(&binaries, 2, &Options::default(), &Options::default()).await?;
    let memory: u64 = planes
        .all()
        .flat_map(ApiServer::memory_kib)
        .map(|(_, kib)| kib)
        .sum();
    eprintln!(
        "three planes ready in {} ms, {memory} KiB",
        begun.elapsed().as_millis()
    );
    let names: Vec<_> = planes.all().map(ApiServer::name).collect();
    assert_eq!(names, ["control-plane", "east", "west"]);

    let east = planes.get("east").context("no plane east")?.kubeconfig("admin")?;
    let west = planes.get("west").context("no plane west")?;
    let astray = east.replace(&planes.data[0].server_url(), &west.server_url());
    assert_ne!(east, astray);
    assert!(impatient(&east).await?.apiserver_version().await.is_ok());
    let refused = format!("{:?}", impatient(&astray).await?.apiserver_version().await.err());
    assert!(
        refused.contains("UnknownIssuer"),
        "east's authority is nobody in west: {refused}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_api_server_does_what_the_stories_rely_on() -> anyhow::Result<()> {
    let Some(binaries) = binaries_or_skip().await? else {
        return Ok(());
    };
    let begun = Instant::now();
    let manifests = vec![WORLD.to_owned(), RING.to_owned()];
    let server = ApiServer::start(
        &binaries,
        "east",
        &Options {
            manifests,
            ..Options::default()
        },
    )
    .await?;
    eprintln!(
        "{:?}: ready in {} ms, {:?} KiB",
        binaries.origin,
        begun.elapsed().as_millis(),
        server.memory_kib()
    );

    manifests_are_applied_whatever_their_order(&server).await?;
    an_account_may_do_what_is_granted_and_the_log_tells_both(&server).await?;
    every_failure_looks_like_itself_to_a_client(&server).await?;
    if let Some(why) = binaries.missing() {
        eprintln!("skipped: {why}");
    } else {
        a_dependent_goes_with_its_owner(&server).await?;
        a_dependent_of_a_custom_resource_goes_with_it(&server).await?;
        a_namespace_has_a_root_certificate_and_an_end(&server).await?;
    }
    a_restart_keeps_the_data(server).await
}

async fn manifests_are_applied_whatever_their_order(server: &ApiServer) -> anyhow::Result<()> {
    let slices: Api<EndpointSlice> = Api::namespaced(server.client(), "db");
    assert_eq!(slices.get("seeds").await?.endpoints[0].addresses, ["198.18.0.1"]);
    let again = e2e::apply::apply_yaml(&server.client(), RING, "ringspan-e2e").await?;
    let ring: &DynamicObject = &again[1];
    assert_eq!(
        (ring.name_any().as_str(), &ring.data["spec"]["size"]),
        ("one", &3.into())
    );
    Ok(())
}

async fn an_account_may_do_what_is_granted_and_the_log_tells_both(server: &ApiServer) -> anyhow::Result<()> {
    let mut audit = server.audit();
    audit.refresh()?;
    let mark = audit.mark();
    let client = connect(
        &server
            .service_account_kubeconfig("db", "ringspan-writer", "east")
            .await?,
    )
    .await?;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "db");
    maps.create(&PostParams::default(), &map("granted", None)).await?;
    let twice = maps.create(&PostParams::default(), &map("granted", None)).await;
    assert_eq!(code(twice), Some(409));
    let secrets: Api<Secret> = Api::namespaced(client, "db");
    assert_eq!(code(secrets.get("anything").await), Some(403));

    let audit = tokio::sync::Mutex::new(audit);
    let table = eventually("three requests in the audit log", SOON, || async {
        let mut audit = audit.lock().await;
        let entries = audit.refresh()?[mark..]
            .iter()
            .filter(|entry| entry.is_by("db", Some("ringspan-writer")));
        let entries: Vec<_> = entries.cloned().collect();
        let (writes, reads): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| entry.is_write());
        assert!(reads.iter().all(|entry| entry.is_read()), "{reads:?}");
        let table = |of| e2e::audit::Tally::of(of, e2e::audit::Detail::Object).to_string();
        Ok((entries.len() == 3).then(|| [table(writes), table(reads)]))
    });
    let expected = [
        "writer  configmaps  create     2  east  db/granted  (1 conflicts, 0 refused)\n\
         total 2, events 0, conflicts 1",
        "writer  secrets  get     1  east  db/anything  (0 conflicts, 1 refused)\n\
         total 1, events 0, conflicts 0",
    ];
    assert_eq!(table.await?, expected);
    Ok(())
}

async fn every_failure_looks_like_itself_to_a_client(server: &ApiServer) -> anyhow::Result<()> {
    let kubeconfig = server
        .service_account_kubeconfig("db", "ringspan-writer", "east")
        .await?;
    let answers = async || anyhow::Ok(impatient(&kubeconfig).await?.apiserver_version().await);
    assert!(answers().await?.is_ok());
    server.proxy().set(Mode::Answer500).await?;
    assert_eq!(code(answers().await?), Some(500));
    server.proxy().set(Mode::Refuse).await?;
    let refused = format!("{:?}", answers().await?.err());
    assert!(refused.contains("ConnectionRefused"), "{refused}");
    server.proxy().set(Mode::BlackHole).await?;
    let silent = format!("{:?}", answers().await?.err());
    assert!(
        silent.contains("TimedOut") || silent.contains("Elapsed"),
        "{silent}"
    );
    assert!(
        server.client().apiserver_version().await.is_ok(),
        "the harness goes past the proxy"
    );
    server.proxy().set(Mode::Pass).await?;
    assert_eq!(answers().await??.git_version, "v1.35.4");
    Ok(())
}

async fn a_dependent_goes_with_its_owner(server: &ApiServer) -> anyhow::Result<()> {
    let maps: Api<ConfigMap> = Api::namespaced(server.client(), "db");
    let owner = maps.create(&PostParams::default(), &map("owner", None)).await?;
    let reference = owner.owner_ref(&());
    maps.create(&PostParams::default(), &map("dependent", reference))
        .await?;
    maps.delete("owner", &DeleteParams::default()).await?;
    eventually("the end of the dependent", SOON, || async {
        Ok(maps.get_opt("dependent").await?.is_none().then_some(()))
    })
    .await
}

async fn a_dependent_of_a_custom_resource_goes_with_it(server: &ApiServer) -> anyhow::Result<()> {
    let rings = e2e::apply::apply_yaml(&server.client(), RING, "ringspan-e2e").await?;
    let ring = &rings[1];
    let reference = OwnerReference {
        api_version: "e2e.ringspan.io/v1".into(),
        kind: "Ring".into(),
        name: ring.name_any(),
        uid: ring.uid().unwrap_or_default(),
        ..OwnerReference::default()
    };
    let maps: Api<ConfigMap> = Api::namespaced(server.client(), "db");
    maps.create(&PostParams::default(), &map("of-the-ring", Some(reference)))
        .await?;
    let path = "/apis/e2e.ringspan.io/v1/namespaces/db/rings/one";
    server
        .client()
        .request_text(http::Request::delete(path).body(Vec::new())?)
        .await?;
    // Sooner than the garbage collector's next look at the kinds that exist: this CRD it knows from the start.
    eventually("the end of the ring's dependent", SOON, || async {
        Ok(maps.get_opt("of-the-ring").await?.is_none().then_some(()))
    })
    .await
}

async fn a_namespace_has_a_root_certificate_and_an_end(server: &ApiServer) -> anyhow::Result<()> {
    let maps: Api<ConfigMap> = Api::namespaced(server.client(), "db");
    let published = eventually("kube-root-ca.crt", SOON, || async {
        Ok(maps.get_opt("kube-root-ca.crt").await?)
    })
    .await?;
    let certificate = published
        .data
        .unwrap_or_default()
        .remove("ca.crt")
        .unwrap_or_default();
    assert_eq!(certificate.trim(), server.ca_pem().trim());

    let namespaces: Api<Namespace> = Api::all(server.client());
    namespaces.delete("db", &DeleteParams::default()).await?;
    eventually("the end of namespace db", SOON, || async {
        Ok(namespaces.get_opt("db").await?.is_none().then_some(()))
    })
    .await
}

async fn a_restart_keeps_the_data(mut server: ApiServer) -> anyhow::Result<()> {
    let maps: Api<ConfigMap> = Api::namespaced(server.client(), "default");
    let uid = maps
        .create(&PostParams::default(), &map("kept", None))
        .await?
        .uid();
    let begun = Instant::now();
    server.restart().await?;
    eprintln!("ready again in {} ms", begun.elapsed().as_millis());
    assert_eq!(maps.get("kept").await?.uid(), uid);
    server.stop();
    Ok(())
}

fn map(name: &str, owner: Option<OwnerReference>) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            owner_references: owner.map(|owner| vec![owner]),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([("key".to_owned(), "value".to_owned())])),
        ..ConfigMap::default()
    }
}

/// New connections each time, no retries, 1 s for an answer.
async fn impatient(kubeconfig: &str) -> anyhow::Result<Client> {
    let kubeconfig = kube::config::Kubeconfig::from_yaml(kubeconfig)?;
    let mut config =
        Config::from_custom_kubeconfig(kubeconfig, &kube::config::KubeConfigOptions::default()).await?;
    config.connect_timeout = Some(Duration::from_secs(1));
    config.read_timeout = Some(Duration::from_secs(1));
    config.default_retry = false;
    Ok(Client::try_from(config)?)
}

fn code<T>(answer: kube::Result<T>) -> Option<u16> {
    match answer {
        Err(kube::Error::Api(status)) => Some(status.code),
        _ => None,
    }
}
