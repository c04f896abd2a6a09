//! The stand-in's time, read as the recording's.

use std::time::Duration;

use tokio::time::Instant;

/// The moments when the driver did something: the stand-in's and the recorded ones.
#[derive(Clone)]
pub struct Times {
    server: Instant,
    steps: Vec<(Instant, f64)>,
}

impl Times {
    /// Times of a server that began at `server`, for a recording that begins now.
    pub fn starting(server: Instant) -> Self {
        Self {
            server,
            steps: vec![(Instant::now(), 0.0)],
        }
    }

    /// A moment in recorded time: as long after the driver's last step as it was for the stand-in.
    pub fn recorded(&self, moment: Instant) -> f64 {
        let known = self.steps.iter().rev().find(|(step, _)| *step <= moment);
        let (step, recorded) = known.copied().unwrap_or(self.steps[0]);
        if step <= moment {
            recorded + (moment - step).as_secs_f64()
        } else {
            recorded - (step - moment).as_secs_f64()
        }
    }

    /// The recorded moments of the driver's steps.
    pub fn steps(&self) -> Vec<f64> {
        self.steps.iter().map(|(_, recorded)| *recorded).collect()
    }

    /// A written time in recorded time: its whole second's beginning and end, between which a step may lie.
    pub fn of_text(&self, text: &str) -> Option<[f64; 2]> {
        let moment: jiff::Timestamp = text.parse().ok()?;
        let since = moment.duration_since(beginning());
        let since = Duration::try_from(since).ok()?;
        let at = |more: u64| self.recorded(self.server + since + Duration::from_millis(more));
        Some([at(0), at(999)])
    }

    /// The driver does something now. What it does within a second is one step.
    pub fn step(&mut self, recorded: f64) {
        let (_, last) = self.steps[self.steps.len() - 1];
        if recorded - last > 1.0 {
            self.steps.push((Instant::now(), recorded));
        }
    }
}

/// When every server begins.
pub fn beginning() -> jiff::Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}
