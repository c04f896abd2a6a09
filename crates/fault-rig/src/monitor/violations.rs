//! What was found wrong, line by line.

use std::sync::{Arc, Mutex, PoisonError};

/// Lines in the order in which they were seen, each with the id of its property first. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Violations(Arc<Mutex<Vec<String>>>);

/// Nobody reads more lines of one run, and a monitor in a loop must not fill the memory.
const MOST: usize = 200;

impl Violations {
    /// One more.
    pub(crate) fn add(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() < MOST {
            lines.push(line);
        }
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
