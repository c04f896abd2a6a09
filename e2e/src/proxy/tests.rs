use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use super::*;
use crate::authority::Authority;

const SOON: Duration = Duration::from_secs(5);

/// Long enough for loopback to answer many times, short enough to run often: silence can only be observed by waiting.
const SILENCE: Duration = Duration::from_millis(200);

/// A server that sends back what it gets, and a proxy before it.
async fn echo() -> FaultProxy {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let upstream = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = socket.split();
                tokio::io::copy(&mut read, &mut write).await
            });
        }
    });
    let identity = Authority::new("test").unwrap().server().unwrap();
    FaultProxy::start(upstream, &identity).await.unwrap()
}

async fn says(socket: &mut TcpStream, word: &[u8; 4]) {
    socket.write_all(word).await.unwrap();
    hears(socket, word).await;
}

async fn hears(socket: &mut TcpStream, word: &[u8; 4]) {
    let mut heard = [0; 4];
    timeout(SOON, socket.read_exact(&mut heard))
        .await
        .expect("an echo")
        .unwrap();
    assert_eq!(&heard, word);
}

#[tokio::test]
async fn a_refusing_plane_closes_what_is_open_and_comes_back_at_its_port() {
    let proxy = echo().await;
    let mut open = TcpStream::connect(proxy.address()).await.unwrap();
    says(&mut open, b"ping").await;

    proxy.set(Mode::Refuse).await.unwrap();
    let ended = timeout(SOON, open.read(&mut [0; 1]))
        .await
        .expect("the end of the connection");
    assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    let refused = TcpStream::connect(proxy.address()).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);

    proxy.set(Mode::Pass).await.unwrap();
    says(&mut TcpStream::connect(proxy.address()).await.unwrap(), b"pong").await;
}

#[tokio::test]
async fn a_silent_plane_freezes_what_is_open_and_delivers_when_it_is_back() {
    let proxy = echo().await;
    let mut old = TcpStream::connect(proxy.address()).await.unwrap();
    says(&mut old, b"ping").await;

    proxy.set(Mode::BlackHole).await.unwrap();
    let mut new = TcpStream::connect(proxy.address()).await.unwrap();
    for socket in [&mut old, &mut new] {
        socket.write_all(b"late").await.unwrap();
        assert!(
            timeout(SILENCE, socket.read(&mut [0; 1])).await.is_err(),
            "a black hole has answered"
        );
    }

    proxy.set(Mode::Pass).await.unwrap();
    hears(&mut old, b"late").await;
    hears(&mut new, b"late").await;
}

#[tokio::test]
async fn latency_is_added_to_each_way() {
    let proxy = echo().await;
    let mut socket = TcpStream::connect(proxy.address()).await.unwrap();
    says(&mut socket, b"ping").await;
    proxy.set_latency(Duration::from_millis(40));
    let begun = Instant::now();
    says(&mut socket, b"slow").await;
    assert!(
        begun.elapsed() >= Duration::from_millis(80),
        "{:?}",
        begun.elapsed()
    );
}
