//! Every definition that the product meets can be served: its own, and those of upstream where they are at hand.

#![expect(clippy::unwrap_used, reason = "what fails in a test ends it")]

use std::path::{Path, PathBuf};
use std::{env, fs};

use bytes::Bytes;
use fake_apiserver::{Definitions, Options, Server, User};
use http::Request;
use serde_json::Value;

fn read(folder: &Path) -> Vec<Value> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    // A CRD is deeper and larger than what a stranger may send.
    let budget = serde_saphyr::budget! { max_depth: 256, max_nodes: 2_000_000, max_events: 4_000_000 };
    let options = serde_saphyr::options! { budget: budget };
    files
        .iter()
        .map(|file| {
            serde_saphyr::from_str_with_options(&fs::read_to_string(file).unwrap(), options.clone()).unwrap()
        })
        .filter(|document: &Value| document["kind"] == "CustomResourceDefinition")
        .collect()
}

/// Compiles definitions and lists each of their kinds.
fn serve(crds: &[Value]) {
    assert!(!crds.is_empty());
    let definitions = Definitions::built_in().with(crds).unwrap();
    let server = Server::new(Options {
        definitions,
        ..Options::default()
    });
    for crd in crds {
        let text = |pointer: &str| crd.pointer(pointer).unwrap().as_str().unwrap();
        let (group, plural) = (text("/spec/group"), text("/spec/names/plural"));
        let version = text("/spec/versions/0/name");
        let request = Request::get(format!("/apis/{group}/{version}/{plural}"))
            .body(Bytes::new())
            .unwrap();
        let answer = server.answer(&User::admin(), &request);
        assert_eq!(answer.status.as_u16(), 200, "{plural}.{group}");
    }
}

#[test]
fn our_own_definitions_are_served() {
    serve(&read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds")));
}

#[test]
fn those_of_upstream_are_served_too() {
    let Some(reference) = env::var_os("RINGSPAN_REFERENCE") else {
        eprintln!("SKIP: RINGSPAN_REFERENCE is not set, upstream's definitions are not at hand");
        return;
    };
    serve(&read(&Path::new(&reference).join("upstream/crds")));
}
