//! The generated definitions on one real API server: what only a server can say of them.
//!
//! | file | idea |
//! | --- | --- |
//! | `requests` | documents go to the server as they are, and what it refuses comes back as a list |
//! | `recorded` | every cluster that K8ssandra took is taken, and nothing of it is lost |
//! | `refusals` | each rule refuses one document and takes its neighbour |
//! | `changes` | the same for rules that compare with what is stored |
//! | `ratcheting` | a cluster from before a rule can still be annotated, reported on and deleted |

mod changes;
mod ratcheting;
mod recorded;
mod refusals;
mod requests;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use e2e::{ApiServer, Binaries, Options, Provider};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Api, ResourceExt};
use serde_json::Value;

use requests::Requests;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_definitions_hold_on_a_real_api_server() -> anyhow::Result<()> {
    let real = match tokio::task::spawn_blocking(Binaries::find).await? {
        Ok(binaries) => Provider::Apiserver(binaries),
        Err(why) => {
            eprintln!("skipped: {why:#}");
            return Ok(());
        }
    };
    let options = Options {
        manifests: definitions()?,
        ..Options::default()
    };
    let begun = Instant::now();
    let server = ApiServer::start(&real, "definitions", &options).await?;
    eprintln!("ready with the definitions in {} ms", begun.elapsed().as_millis());

    every_definition_is_established(&server, options.manifests.len()).await?;
    embedded_schemas_are_those_of_the_server(&server).await?;
    let requests = Requests::to(&server);
    let mut asked = refusals::each_rule_refuses_one_document_and_takes_its_neighbour(&requests).await?;
    refusals::the_largest_cluster_that_the_bounds_allow_is_stored(&requests).await?;
    asked.extend(changes::each_rule_refuses_one_change_and_takes_another(&requests).await?);
    no_rule_was_left_out(&options.manifests, &asked)?;
    recorded::every_cluster_that_upstream_took_is_stored_whole(&requests).await?;
    ratcheting::a_cluster_from_before_a_rule_can_be_worked_on_and_deleted(&server, &requests).await
}

/// What a user would apply: every definition's text.
fn definitions() -> anyhow::Result<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crds");
    let entries = fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut files: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<_>>()?;
    // Only kustomize reads that one.
    files.retain(|path| !path.ends_with("kustomization.yaml"));
    files.sort();
    files
        .iter()
        .map(|path| fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display())))
        .collect()
}

/// That they were accepted at all says that their rules are cheap enough: a server computes the worst cost beforehand.
async fn every_definition_is_established(server: &ApiServer, files: usize) -> anyhow::Result<()> {
    let stored: Api<CustomResourceDefinition> = Api::all(server.client());
    let stored = stored.list(&kube::api::ListParams::default()).await?.items;
    let names: Vec<_> = stored.iter().map(ResourceExt::name_any).collect();
    assert_eq!(
        names,
        [
            "clientconfigs.config.k8ssandra.io",
            "k8ssandraclusters.k8ssandra.io",
            "k8ssandratasks.control.k8ssandra.io",
            "replicatedsecrets.replication.k8ssandra.io",
        ]
    );
    assert_eq!(files, names.len());
    for definition in stored {
        let name = definition.name_any();
        let conditions = definition.status.and_then(|status| status.conditions);
        let conditions: Vec<_> = conditions
            .iter()
            .flatten()
            .map(|condition| format!("{}={}", condition.type_, condition.status))
            .collect();
        // NonStructuralSchema=True would stand here too.
        assert_eq!(conditions, ["NamesAccepted=True", "Established=True"], "{name}");
    }
    Ok(())
}

/// Each rule's message is one that a refusal was seen with.
fn no_rule_was_left_out(definitions: &[String], asked: &[&str]) -> anyhow::Result<()> {
    fn messages(schema: &Value, found: &mut Vec<String>) {
        match schema {
            Value::Object(fields) => {
                let rules = fields.get("x-kubernetes-validations").and_then(Value::as_array);
                let texts = rules
                    .into_iter()
                    .flatten()
                    .map(|rule| rule["message"].to_string());
                found.extend(texts);
                fields.values().for_each(|value| messages(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| messages(item, found)),
            _ => {}
        }
    }
    let mut found = vec![];
    for definition in definitions {
        for object in e2e::apply::documents(definition)? {
            messages(&object.data, &mut found);
        }
    }
    assert!(!found.is_empty());
    found.retain(|message| !asked.iter().any(|asked| message.contains(asked)));
    assert!(
        found.is_empty(),
        "rules without a document that breaks them: {found:?}"
    );
    Ok(())
}

/// The stored schemas of Kubernetes' own types are made anew from this server's answer.
async fn embedded_schemas_are_those_of_the_server(server: &ApiServer) -> anyhow::Result<()> {
    let request = http::Request::get("/openapi/v3/api/v1").body(Vec::new())?;
    let document: Value = server.client().request(request).await?;
    let made = api::server_schemas::stored_text(&document)?;
    let stored = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/api/schemas/embedded.json"),
    )?;
    let source = |text: &str| -> anyhow::Result<String> {
        let schemas: Value = serde_json::from_str(text)?;
        Ok(schemas["source"].as_str().unwrap_or_default().to_owned())
    };
    let (ours, theirs) = (source(&stored)?, source(&made)?);
    if ours != theirs {
        eprintln!("skipped: schemas/embedded.json is from {ours}, here is {theirs}");
        return Ok(());
    }
    assert!(
        stored == made,
        "crates/api/schemas/embedded.json is not what {theirs} gives"
    );
    eprintln!("schemas/embedded.json is from {theirs}");
    Ok(())
}
