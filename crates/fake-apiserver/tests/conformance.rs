//! The server in memory answers as the real one did: every recorded script is played on it.
//!
//! The recordings are in `conformance/`; `cargo xtask conformance` holds them against a real server.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use fake_apiserver::Definitions;
use fake_apiserver::conformance::{Memory, mismatches, play, script};
use serde_json::Value;

/// Virtual time, so that nothing waits for real.
#[tokio::test(start_paused = true)]
async fn the_server_in_memory_answers_as_the_real_one_did() {
    let begun = Instant::now();
    let definitions = definitions().unwrap();
    let (mut pairs, mut found) = (0, vec![]);
    for (file, script) in script::all(&folder()).unwrap() {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let server = Memory::serving(definitions.clone(), script.controllers);
        let differ = mismatches(&name, &script, &play(&script, &server).await.unwrap());
        eprintln!(
            "{name}: pairs {} mismatches {}",
            script.exchanges.len(),
            differ.len()
        );
        pairs += script.exchanges.len();
        found.extend(differ);
    }
    for mismatch in &found {
        eprintln!("\n{mismatch}");
    }
    eprintln!(
        "conformance: pairs {pairs} mismatches {} in {} ms",
        found.len(),
        begun.elapsed().as_millis()
    );
    assert!(pairs > 0);
    assert_eq!(found.len(), 0, "answers that are not those of a real server");
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}

/// The product's definitions, as a user would apply them, and that of the scripts.
fn definitions() -> Result<Definitions, Box<dyn Error>> {
    let product = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds");
    let mut files: Vec<PathBuf> = vec![];
    for folder in [product, folder().join("definitions")] {
        for entry in fs::read_dir(folder)? {
            files.push(entry?.path());
        }
    }
    files.retain(|file| !file.ends_with("kustomization.yaml"));
    files.sort();
    // A CRD is deeper and larger than what a stranger may send.
    let budget = serde_saphyr::budget! { max_depth: 256, max_nodes: 2_000_000, max_events: 4_000_000 };
    let options = serde_saphyr::options! { budget: budget };
    let mut definitions: Vec<Value> = vec![];
    for file in files {
        let text = fs::read_to_string(file)?;
        definitions.push(serde_saphyr::from_str_with_options(&text, options.clone())?);
    }
    Ok(Definitions::built_in().with(&definitions)?)
}
