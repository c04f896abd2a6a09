//! The connections of a program to nodes, one for each call of their management API.

use std::io::ErrorKind;
use std::sync::Arc;

use fake_datacenter::management::Management;
use fake_datacenter::server;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::sleep;

use super::switchboard::{NODES, Switchboard};
use crate::plan::{Call, What};
use crate::program::{Life, Name};

const ROOM: usize = 64 * 1024;

/// How a program reaches nodes, in one of its lives.
pub(crate) fn dial(
    management: Management,
    switchboard: Arc<Switchboard>,
    program: Name,
    life: Life,
) -> management_api::Dial {
    management_api::Dial::Through(Arc::new(move |address| {
        if !life.is_alive() {
            return Err(ErrorKind::ConnectionRefused.into());
        }
        let what = switchboard.ask((program, NODES), (Call::Management, None), address.to_string());
        let (near, far) = tokio::io::duplex(ROOM);
        match what {
            Some(What::Refuse) => return Err(ErrorKind::ConnectionRefused.into()),
            Some(What::FailBefore) => drop(far),
            Some(What::CrashBefore) => life.end(),
            Some(What::Hang) => drop(tokio::spawn(hold(far))),
            Some(what) => {
                let (management, switchboard, life) =
                    (management.clone(), Arc::clone(&switchboard), life.clone());
                tokio::spawn(async move { suffer(what, far, management, &switchboard, &life).await });
            }
            None => drop(tokio::spawn(server::connection(far, management.clone()))),
        }
        Ok(near)
    }))
}

async fn suffer(
    what: What,
    mut far: DuplexStream,
    management: Management,
    switchboard: &Switchboard,
    life: &Life,
) {
    match what {
        What::Delay(time) => {
            sleep(time).await;
            server::connection(far, management).await;
        }
        What::Reply(code) => {
            if message(&mut far).await.is_some() {
                let answer = format!("HTTP/1.1 {code} by plan\r\ncontent-length: 0\r\n\r\n");
                let _ = far.write_all(answer.as_bytes()).await;
                hold(far).await;
            }
        }
        What::LostReply | What::CrashAfter | What::HalfOpen => {
            let Some(asked) = message(&mut far).await else {
                return;
            };
            let answer = done(&asked, management).await;
            match what {
                What::CrashAfter => life.end(),
                What::HalfOpen => {
                    let _ = far.write_all(&answer[..answer.len() / 2]).await;
                    hold(far).await;
                }
                _ => {}
            }
        }
        What::Crash(other) => {
            let served = server::connection(far, management);
            switchboard.end(other);
            served.await;
        }
        // What is for watches and writes only.
        _ => server::connection(far, management).await,
    }
}

/// Keeps a connection open until its other end closes it.
async fn hold(mut far: DuplexStream) {
    let mut heard = [0; 512];
    while far.read(&mut heard).await.is_ok_and(|count| count > 0) {}
}

/// The bytes of one request or answer; none when it broke off.
async fn message(from: &mut DuplexStream) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    let mut part = [0; 4096];
    loop {
        let count = from.read(&mut part).await.ok().filter(|count| *count > 0)?;
        all.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&all).to_lowercase();
        let Some((head, _)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|length| length.trim().parse::<usize>().ok());
        if all.len() >= head.len() + 4 + length.unwrap_or_default() {
            return Some(all);
        }
    }
}

/// What the node answers.
async fn done(asked: &[u8], management: Management) -> Vec<u8> {
    let (mut near, far) = tokio::io::duplex(ROOM);
    tokio::spawn(server::connection(far, management));
    if near.write_all(asked).await.is_err() {
        return Vec::new();
    }
    message(&mut near).await.unwrap_or_default()
}
