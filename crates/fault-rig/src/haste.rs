//! Somebody who writes without pause would keep a run from ever ending: the clock stands still while anybody works.

use std::sync::{Arc, Mutex, PoisonError};

use fake_apiserver::Write;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::world::World;

/// Nobody writes so often within a second; a scenario as a whole takes a few hundred.
const MOST: u32 = 3_000;

/// Counts writes within each second of virtual time.
#[derive(Clone, Default)]
pub(crate) struct Haste {
    count: Arc<Mutex<Count>>,
    told: Arc<Notify>,
}

#[derive(Default)]
struct Count {
    second: u64,
    writes: u32,
    last: String,
}

impl Haste {
    /// Looks at every write of anybody from now on.
    pub fn watch(world: &World) -> Self {
        let haste = Self::default();
        let began = Instant::now();
        for (plane, server) in world.servers() {
            let (plane, this) = (*plane, haste.clone());
            server.on_write(Arc::new(move |write| {
                this.note(plane, write, began.elapsed().as_secs());
            }));
        }
        haste
    }

    fn note(&self, plane: &str, write: &Write, second: u64) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        if count.second != second {
            (count.second, count.writes) = (second, 0);
        }
        count.writes += 1;
        if count.writes == MOST {
            let Write {
                user_agent,
                verb,
                plural,
                name,
                ..
            } = write;
            count.last = format!("{user_agent} {verb} {plural}/{name} in {plane}");
            self.told.notify_one();
        }
    }

    /// Ends only when somebody writes without pause, and says what was written last.
    pub async fn seen(&self) -> String {
        self.told.notified().await;
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        format!("{MOST} writes within one second, the last: {}", count.last)
    }
}
