//! How a user logs in to the control plane.

use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use fleet::FleetOptions;
use kubectl_ringspan::connection::Connection;
use kubectl_ringspan::live::Live;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

fn kubeconfig(folder: &Path, port: u16, user: &serde_json::Value) -> Connection {
    let text = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "none",
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me", "namespace": "db"}}],
        "clusters": [{"name": "here", "cluster": {"server": format!("http://127.0.0.1:{port}")}}],
        "users": [{"name": "me", "user": user}],
    });
    let file = folder.join("config");
    std::fs::write(&file, text.to_string()).expect("a file");
    Connection {
        kubeconfig: Some(file),
        context: Some("here".to_owned()),
        control_plane_namespace: None,
        require_grants: false,
    }
}

/// Clouds give their users nothing else.
#[tokio::test]
async fn a_login_that_runs_a_command_is_used() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let folder = tempfile::tempdir().expect("a folder");
    let command = folder.path().join("login");
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {"token": "from-the-command"},
    });
    std::fs::write(&command, format!("#!/bin/sh\necho '{credential}'\n")).expect("a file");
    std::fs::set_permissions(&command, std::fs::Permissions::from_mode(0o755)).expect("it may be run");
    let exec = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": command, "interactiveMode": "Never",
    }});
    let client = kubeconfig(folder.path(), port, &exec)
        .client()
        .await
        .expect("a login");
    assert_eq!(client.default_namespace(), "db");
    let looked = tokio::spawn(Live::look(client, "ringspan", FleetOptions::new(&[], "test")));
    let (mut socket, _) = listener.accept().await.expect("a connection");
    let mut head = Vec::new();
    while !head.windows(4).any(|it| it == b"\r\n\r\n") {
        let read = socket.read_buf(&mut head).await.expect("a request");
        assert_ne!(read, 0, "the request ends early");
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    assert!(head.contains("authorization: bearer from-the-command"), "{head}");
    drop(socket);
    let error = looked.await.expect("it ends").expect_err("nobody answers");
    assert!(
        error.to_string().contains("the ClientConfigs are not known"),
        "{error:#}"
    );
}

#[tokio::test]
async fn a_context_that_the_kubeconfig_lacks_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut connection = kubeconfig(folder.path(), 1, &json!({"token": "secret-canary"}));
    connection.context = Some("elsewhere".to_owned());
    let Err(error) = connection.client().await else {
        panic!("there is no such context");
    };
    let said = format!("{error:#}");
    assert!(said.contains("--context") && said.contains("elsewhere"), "{said}");
    assert!(!said.contains("canary"), "{said}");
}
