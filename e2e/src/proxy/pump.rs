//! Bytes from one socket to another, late if wanted, not at all while the proxy is silent.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::{Mode, Shared};

const CHUNK: usize = 16 * 1024;

/// Chunks under way in each direction; with a latency this bounds the throughput (64 × 16 KiB per latency).
const UNDER_WAY: usize = 64;

struct Chunk {
    due: Instant,
    bytes: Vec<u8>,
}

/// Until both sides have ended, or one has failed.
pub(super) async fn both_ways(client: TcpStream, shared: &Shared) -> io::Result<()> {
    let server = TcpStream::connect(shared.upstream).await?;
    // A small request must not wait for the acknowledgement of the one before it.
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    tokio::try_join!(
        one_way(client_read, server_write, shared),
        one_way(server_read, client_write, shared)
    )?;
    Ok(())
}

async fn one_way(from: OwnedReadHalf, to: OwnedWriteHalf, shared: &Shared) -> io::Result<()> {
    let (chunks, due) = mpsc::channel(UNDER_WAY);
    tokio::try_join!(read(from, chunks, shared), write(to, due, shared))?;
    Ok(())
}

async fn read(mut from: OwnedReadHalf, chunks: mpsc::Sender<Chunk>, shared: &Shared) -> io::Result<()> {
    let mut mode = shared.mode.subscribe();
    let mut buffer = vec![0; CHUNK];
    loop {
        passing(&mut mode).await?;
        tokio::select! {
            biased;
            _ = mode.changed() => {}
            length = from.read(&mut buffer) => {
                let length = length?;
                if length == 0 {
                    return Ok(());
                }
                let chunk = Chunk { due: Instant::now() + shared.latency(), bytes: buffer[..length].to_vec() };
                if chunks.send(chunk).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
}

async fn write(mut to: OwnedWriteHalf, mut chunks: mpsc::Receiver<Chunk>, shared: &Shared) -> io::Result<()> {
    let mut mode = shared.mode.subscribe();
    while let Some(chunk) = chunks.recv().await {
        sleep_until(chunk.due).await;
        let mut rest = chunk.bytes.as_slice();
        while !rest.is_empty() {
            passing(&mut mode).await?;
            tokio::select! {
                biased;
                _ = mode.changed() => {}
                written = to.write(rest) => rest = &rest[written?..],
            }
        }
    }
    passing(&mut mode).await?;
    to.shutdown().await
}

async fn passing(mode: &mut watch::Receiver<Mode>) -> io::Result<()> {
    mode.wait_for(|mode| *mode == Mode::Pass)
        .await
        .map(drop)
        .map_err(io::Error::other)
}
