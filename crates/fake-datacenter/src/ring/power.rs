//! Power: in a plane that has none nothing runs, neither nodes nor operator nor kubelet. Its API server is somebody else's.

use super::{Rings, World};

impl World {
    /// Whether a plane has no power.
    #[must_use]
    pub fn is_dark(&self, plane: &str) -> bool {
        self.dark.contains(plane)
    }

    /// Takes a plane's power away, or gives it back.
    pub fn set_power(&mut self, plane: &str, on: bool) {
        let changed = if on {
            self.dark.remove(plane)
        } else {
            self.dark.insert(plane.to_owned())
        };
        if changed {
            self.note(format!(
                "plane {plane} has {} power",
                if on { "its" } else { "no" }
            ));
        }
        if on {
            self.power.notify_waiters();
        }
    }
}

impl Rings {
    /// Waits until a plane has power.
    pub(crate) async fn powered(&self, plane: &str) {
        loop {
            let comes = {
                let world = self.lock();
                if !world.is_dark(plane) {
                    return;
                }
                // Made before the lock is given back, so that no change is missed.
                std::sync::Arc::clone(&world.power).notified_owned()
            };
            comes.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_power_goes_on_when_it_comes_back_and_not_before() {
        let rings = Rings::default();
        rings.lock().set_power("east", false);
        rings.powered("west").await;
        let waits = tokio::time::timeout(Duration::from_secs(9), rings.powered("east"));
        assert!(waits.await.is_err());
        let back = async {
            tokio::task::yield_now().await;
            rings.lock().set_power("east", true);
        };
        let both = async { tokio::join!(rings.powered("east"), back) };
        tokio::time::timeout(Duration::from_secs(9), both).await.unwrap();
        rings.powered("east").await;
    }
}
