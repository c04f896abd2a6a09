//! Loopback ports that nobody else takes.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

// Below the range from which Linux and macOS give ports to outgoing connections: a port that is free for a moment (a proxy that
// refuses, a program that restarts) is not taken by some client of somebody else.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port of 127.0.0.1 that is free now and that this process is not given again for the next 12 000 calls.
///
/// # Errors
/// All ports from 20 000 to 31 999 are taken.
pub fn free_port() -> anyhow::Result<u16> {
    // Processes that run side by side begin far from each other.
    let start = std::process::id().wrapping_mul(131) % u32::from(COUNT);
    for _ in 0..COUNT {
        let step = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let offset = u16::try_from((start + step) % u32::from(COUNT))?;
        let port = FIRST + offset;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no free loopback port from {FIRST} to {}", FIRST + COUNT - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_callers_never_get_the_same_port() {
        let one = free_port().unwrap();
        let two = free_port().unwrap();
        assert_ne!(one, two);
    }
}
