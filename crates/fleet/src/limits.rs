//! How long and how large an answer of another cluster may be.

use std::time::Duration;

use runtime::Patience;

/// Times after which we stop waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// A call from the first byte sent to the last byte of the body, with the wait for a free slot: 10 s. Of a watch
    /// only up to its headers.
    pub call: Duration,
    /// A connection: made within 5 s, given up 5 s after its peer went silent.
    pub connection: Patience,
    /// The call that asks a suspected plane who it is: 5 s, so that a plane that went silent is noticed within
    /// keep-alive (5 s) + probe (5 s) + 2 s.
    pub probe: Duration,
    /// First pause between two probes of a plane that does not answer: 1 s, doubled up to `longest_pause`.
    pub first_pause: Duration,
    /// Longest pause between two probes of a plane that does not answer: 12 s, so that its return is noticed in 15 s.
    pub longest_pause: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(10),
            connection: Patience::default(),
            probe: Duration::from_secs(5),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(12),
        }
    }
}

/// Sizes and numbers above which an answer is refused, per plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// One object, in bytes: 4 MiB (etcd takes 1.5 MiB).
    pub object: usize,
    /// One page of a list, in bytes: 32 MiB.
    pub page: usize,
    /// One event of a watch, in bytes: 4 MiB.
    pub line: usize,
    /// Objects that one list may have over all its pages: 100 000.
    pub listed: usize,
    /// Calls at once: 8. Watches do not count.
    pub calls: usize,
    /// Watches on one HTTP/2 connection: 60, because API servers allow 100 streams and the 101st hangs.
    pub watches: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            object: 4 * MIB,
            page: 32 * MIB,
            line: 4 * MIB,
            listed: 100_000,
            calls: 8,
            watches: 60,
        }
    }
}
