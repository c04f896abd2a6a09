//! A whole program on real loopback sockets, from its start to SIGTERM. Alone in its binary, because a signal is for
//! the whole process.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clap::Parser;
use runtime::{ProcessArgs, run};

#[derive(clap::Parser)]
struct Program {
    #[command(flatten)]
    process: ProcessArgs,
}

/// Asks the admin server; `None` while it does not answer.
fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

fn until<T>(what: &str, mut happened: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = happened() {
            return value;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{what} did not happen");
        std::thread::yield_now();
    }
}

#[test]
fn a_program_says_how_it_is_and_ends_well_when_told_to() {
    // A port that is free now; nothing else on this machine is likely to take it in the next moment.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let kubeconfig = r#"{"current-context": "x", "clusters": [{"name": "x", "cluster": {"server": "http://127.0.0.1:9"}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}], "users": [{"name": "x", "user": {}}]}"#;
    std::fs::write(file.path(), kubeconfig).unwrap();
    let flags = [
        "x",
        "--metrics-address",
        &address.to_string(),
        "--kubeconfig",
        file.path().to_str().unwrap(),
    ];
    let args = Program::parse_from(flags).process;

    let (open, opened) = tokio::sync::oneshot::channel::<()>();
    let finished = Arc::new(Mutex::new(false));
    let note = Arc::clone(&finished);
    let program = std::thread::spawn(move || {
        run("demo", args, async |process| {
            let gate = process.ready.gate("first list");
            let _ = process.ready.gate("second list");
            process.ready.gate("second list").open();
            let _ = opened.await;
            gate.open();
            process.stop.cancelled().await;
            *note.lock().unwrap() = true;
            Ok(())
        })
    });

    assert_eq!(
        until("an answer", || get(address, "/livez")),
        (200, "ok\n".into())
    );
    until("the gate", || {
        get(address, "/readyz").filter(|(_, text)| {
            text == "waiting for: first list
"
        })
    });
    let (code, metrics) = get(address, "/metrics").unwrap();
    assert!(
        code == 200 && metrics.contains("process_resident_memory_bytes "),
        "{metrics}"
    );
    assert_eq!(get(address, "/else").map(|(code, _)| code), Some(404));

    // A client that never finishes its head does not keep others from being answered, and is let go.
    let mut slow = TcpStream::connect(address).unwrap();
    slow.write_all(b"GET /livez HTTP/1.1\r\n").unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    open.send(()).unwrap();
    until("readiness", || {
        get(address, "/readyz").filter(|(code, _)| *code == 200)
    });
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).unwrap();

    let told = Command::new("kill")
        .args(["-TERM", &std::process::id().to_string()])
        .status()
        .unwrap();
    assert!(told.success());
    program.join().unwrap().unwrap();
    assert!(*finished.lock().unwrap());
    assert!(TcpStream::connect(address).is_err(), "the admin server is gone");
}
