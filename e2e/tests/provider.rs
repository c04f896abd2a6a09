//! The providers themselves: what the stories rely on is true of a real API server and of one in memory.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use e2e::{ApiServer, Binaries, Mode, Options, Planes, Provider, connect, eventually};
use futures::StreamExt;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{DeleteParams, ObjectMeta, PostParams, WatchEvent, WatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
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
async fn real_planes_start_together_and_know_nothing_of_each_other() -> anyhow::Result<()> {
    let Some(binaries) = binaries_or_skip().await? else {
        return Ok(());
    };
    planes_know_nothing_of_each_other(&Provider::Apiserver(binaries)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn planes_in_memory_start_together_and_know_nothing_of_each_other() -> anyhow::Result<()> {
    planes_know_nothing_of_each_other(&Provider::Embedded).await
}

async fn planes_know_nothing_of_each_other(provider: &Provider) -> anyhow::Result<()> {
    let begun = Instant::now();
    let planes = Planes::start(provider, 2, &Options::default(), &Options::default()).await?;
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
    if let Some(why) = binaries.missing() {
        eprintln!("skipped: {why}");
    }
    what_the_stories_rely_on(&Provider::Apiserver(binaries)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_server_in_memory_does_what_the_stories_rely_on() -> anyhow::Result<()> {
    what_the_stories_rely_on(&Provider::Embedded).await
}

async fn what_the_stories_rely_on(provider: &Provider) -> anyhow::Result<()> {
    let begun = Instant::now();
    let options = Options {
        manifests: vec![WORLD.to_owned(), RING.to_owned()],
        ..Options::default()
    };
    let server = ApiServer::start(provider, "east", &options).await?;
    eprintln!(
        "{}: ready in {} ms, {:?} KiB",
        provider.way(),
        begun.elapsed().as_millis(),
        server.memory_kib()
    );

    manifests_are_applied_whatever_their_order(&server).await?;
    an_account_may_do_what_is_granted_and_the_log_tells_both(&server).await?;
    who_is_nobody_is_told_so(&server).await?;
    every_failure_looks_like_itself_to_a_client(&server).await?;
    if server.has_controllers() {
        a_dependent_goes_with_its_owner(&server).await?;
        a_dependent_of_a_custom_resource_goes_with_it(&server).await?;
        a_namespace_has_a_root_certificate_and_an_end(&server).await?;
    }
    a_restart_keeps_the_data(server).await
}

/// A token that nobody has given, and nothing shown at all.
async fn who_is_nobody_is_told_so(server: &ApiServer) -> anyhow::Result<()> {
    let account = server
        .service_account_kubeconfig("db", "ringspan-writer", "east")
        .await?;
    let token = server.service_account_token("db", "ringspan-writer").await?;
    let made_up = impatient_with(with_token(&account, Some(&format!("{token}x")))?).await?;
    let namespaces: Api<Namespace> = Api::all(made_up);
    assert_eq!(code(namespaces.get("db").await), Some(401));

    let nobody = impatient_with(with_token(&account, None)?).await?;
    assert!(nobody.apiserver_version().await.is_ok());
    let namespaces: Api<Namespace> = Api::all(nobody.clone());
    let refused = namespaces.get("db").await;
    let said = format!("{:?}", refused.as_ref().err());
    assert_eq!(code(refused), Some(403));
    assert!(said.contains("system:anonymous"), "{said}");
    assert_eq!(code(nobody.list_api_groups().await), Some(403));
    Ok(())
}

fn with_token(kubeconfig: &str, token: Option<&str>) -> anyhow::Result<Kubeconfig> {
    let mut kubeconfig = Kubeconfig::from_yaml(kubeconfig)?;
    for user in &mut kubeconfig.auth_infos {
        let info = user.auth_info.as_mut().context("a user without credentials")?;
        info.token = token.map(Into::into);
    }
    Ok(kubeconfig)
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
    let kept = maps.create(&PostParams::default(), &map("kept", None)).await?;
    let version = kept.resource_version().context("no version")?;
    maps.create(&PostParams::default(), &map("later", None)).await?;
    let watch = maps.watch(&WatchParams::default(), "0").await?;
    let begun = Instant::now();
    server.restart().await?;
    eprintln!("ready again in {} ms", begun.elapsed().as_millis());
    assert_eq!(maps.get("kept").await?.uid(), kept.uid());
    tokio::time::timeout(SOON, watch.collect::<Vec<_>>())
        .await
        .context("the watch has not ended")?;
    // What came between is not known any more.
    let resumed = maps.watch(&WatchParams::default(), &version).await?;
    let first = tokio::time::timeout(SOON, resumed.boxed().next()).await?;
    let expired = match &first {
        Some(Ok(WatchEvent::Error(status))) => status.code == 410,
        _ => false,
    };
    assert!(expired, "{first:?}");
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
    impatient_with(Kubeconfig::from_yaml(kubeconfig)?).await
}

async fn impatient_with(kubeconfig: Kubeconfig) -> anyhow::Result<Client> {
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
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
