//! How long every step takes and which steps fail: recorded times, scaled, with seeded jitter.
//!
//! Nothing here keeps a state: a step's luck follows from the seed and the step's name alone, so it does not depend
//! on the order in which tasks happen to run.

use std::time::Duration;

/// Scale, luck and failures of one run.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    factor: f64,
    seed: u64,
    failure_rate: f64,
    /// How far a machine's step may be shorter or longer, as a share of its recorded time.
    jitter: f64,
}

impl Pace {
    /// A pace of `factor` (1.0 = as recorded), with jitter and failures drawn from `seed`.
    #[must_use]
    pub fn new(factor: f64, seed: u64, failure_rate: f64) -> Self {
        Self {
            factor: factor.max(0.0),
            seed,
            failure_rate: failure_rate.clamp(0.0, 1.0),
            jitter: 0.2,
        }
    }

    /// Every step takes exactly its recorded time and none fails: what is held against a recording.
    #[must_use]
    pub fn as_recorded() -> Self {
        Self {
            jitter: 0.0,
            ..Self::new(1.0, 0, 0.0)
        }
    }

    /// A recorded wait of the operator itself: scaled, without jitter.
    #[must_use]
    pub fn wait(&self, recorded: Duration) -> Duration {
        recorded.mul_f64(self.factor)
    }

    /// A recorded duration of a machine's step: scaled, and up to a fifth shorter or longer.
    #[must_use]
    pub fn step(&self, recorded: Duration, step: &str) -> Duration {
        recorded.mul_f64(self.factor * (1.0 + self.jitter * (2.0 * self.draw(step) - 1.0)))
    }

    /// Whether this step fails.
    #[must_use]
    pub fn fails(&self, step: &str) -> bool {
        self.failure_rate > 0.0 && self.draw(&format!("fail/{step}")) < self.failure_rate
    }

    /// A number in `0..1` that belongs to this step.
    #[expect(clippy::cast_precision_loss, reason = "53 random bits fit an f64 exactly")]
    fn draw(&self, step: &str) -> f64 {
        (self.bits(step) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// 64 bits that belong to this step.
    #[must_use]
    pub fn bits(&self, step: &str) -> u64 {
        mix(self.seed ^ fnv(step.as_bytes()))
    }

    /// A version 4 UUID that belongs to this step.
    #[must_use]
    pub fn uuid(&self, step: &str) -> String {
        let (high, low) = (self.bits(step), mix(self.bits(step)));
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            (low >> 48) & 0x3fff | 0x8000,
            low & 0xffff_ffff_ffff
        )
    }
}

/// FNV-1a, 64 bits.
#[must_use]
pub fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The finalizer of `splitmix64`.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_luck_and_another_seed_another() {
        let (one, two) = (Pace::new(1.0, 7, 0.5), Pace::new(1.0, 8, 0.5));
        assert_eq!(one.uuid("a"), Pace::new(0.05, 7, 0.0).uuid("a"));
        assert_ne!(one.uuid("a"), two.uuid("a"));
        assert_ne!(one.uuid("a"), one.uuid("b"));
    }

    #[test]
    fn jitter_stays_within_a_fifth_and_pace_scales_it() {
        let pace = Pace::new(0.05, 1, 0.0);
        for step in 0..100 {
            let took = pace.step(Duration::from_secs(10), &step.to_string());
            assert!(
                (Duration::from_millis(400)..=Duration::from_millis(600)).contains(&took),
                "{took:?}"
            );
        }
        assert_eq!(pace.wait(Duration::from_secs(10)), Duration::from_millis(500));
    }

    #[test]
    fn failures_come_at_about_their_rate_and_never_at_rate_zero() {
        let (some, none) = (Pace::new(1.0, 3, 0.2), Pace::new(1.0, 3, 0.0));
        let failed = (0..1000).filter(|step| some.fails(&step.to_string())).count();
        assert!((150..250).contains(&failed), "{failed}");
        assert!((0..1000).all(|step| !none.fails(&step.to_string())));
    }
}
