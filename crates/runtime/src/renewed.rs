//! What is read from a file that somebody renews in place: tokens, authorities.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long what was read is used: the kubelet renews a token at 80 % of its life, which is 10 min at least.
pub(crate) const READ_AGAIN: Duration = Duration::from_mins(1);

type Read<T> = Box<dyn Fn(&Path) -> Option<T> + Send + Sync>;

/// The content of a file, read again each minute. While it cannot be read, what was read last holds: the server knows
/// best whether it still does.
pub(crate) struct Renewed<T> {
    path: PathBuf,
    read: Read<T>,
    last: Mutex<(T, Instant)>,
}

impl<T: Clone> Renewed<T> {
    /// `first` has just been read.
    pub fn new(path: PathBuf, first: T, read: impl Fn(&Path) -> Option<T> + Send + Sync + 'static) -> Self {
        Self {
            path,
            read: Box::new(read),
            last: Mutex::new((first, Instant::now())),
        }
    }

    pub fn current(&self) -> T {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.1.elapsed() >= READ_AGAIN {
            let read = (self.read)(&self.path).unwrap_or_else(|| last.0.clone());
            *last = (read, Instant::now());
        }
        last.0.clone()
    }
}

/// Only where it comes from: it may be a secret.
impl<T> fmt::Debug for Renewed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Renewed").field(&self.path).finish()
    }
}
