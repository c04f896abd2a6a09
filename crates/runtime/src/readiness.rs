//! Named gates: a program is ready when it has gates and all are open.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a program still waits for before it does its work. Clones show the same gates.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    gates: Arc<Mutex<BTreeMap<&'static str, bool>>>,
}

/// One thing that is waited for.
#[derive(Clone, Debug)]
pub struct Gate {
    name: &'static str,
    readiness: Readiness,
}

impl Readiness {
    /// A closed gate. Make all gates before the first `await` of a program, so that it is never ready too early.
    #[must_use]
    pub fn gate(&self, name: &'static str) -> Gate {
        self.gates().insert(name, false);
        Gate {
            name,
            readiness: self.clone(),
        }
    }

    /// A gate that opens when `done` ends, for example `cache.synced()`.
    pub fn gate_until(&self, name: &'static str, done: impl Future<Output = ()> + Send + 'static) {
        let gate = self.gate(name);
        tokio::spawn(async move {
            done.await;
            gate.open();
        });
    }

    /// The closed gates, by name; `start` while the program has none.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let gates = self.gates();
        if gates.is_empty() {
            return vec!["start"];
        }
        gates
            .iter()
            .filter(|(_, open)| !**open)
            .map(|(name, _)| *name)
            .collect()
    }

    /// Whether there are gates and all are open.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.missing().is_empty()
    }

    fn gates(&self) -> MutexGuard<'_, BTreeMap<&'static str, bool>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    /// This is there.
    pub fn open(&self) {
        self.readiness.gates().insert(self.name, true);
    }

    /// This is not there any more.
    pub fn close(&self) {
        self.readiness.gates().insert(self.name, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_ready_when_all_its_gates_are_open_and_not_while_it_has_none() {
        let readiness = Readiness::default();
        assert!(!readiness.is_ready());
        let (a, b) = (readiness.gate("a"), readiness.gate("b"));
        a.open();
        assert_eq!((readiness.is_ready(), readiness.missing()), (false, vec!["b"]));
        b.open();
        assert!(readiness.is_ready());
        a.close();
        assert_eq!(readiness.missing(), ["a"]);
    }
}
