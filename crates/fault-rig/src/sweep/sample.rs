//! Some of many, evenly, as the seed has it.

/// At most `most` of them, in order and evenly spread; the seed says where it begins.
#[must_use]
pub fn sample<T>(all: Vec<T>, most: usize, seed: u64) -> Vec<T> {
    let count = all.len();
    if count <= most {
        return all;
    }
    // Steps of count/most, in parts of `most`, so that nothing is chosen twice.
    let offset = usize::try_from(fake_datacenter::pace::fnv(&seed.to_be_bytes())).unwrap_or_default() % count;
    let mut chosen = 0;
    let mut kept = Vec::with_capacity(most);
    for (number, one) in all.into_iter().enumerate() {
        if chosen < most && (chosen * count + offset) / most <= number {
            kept.push(one);
            chosen += 1;
        }
    }
    kept
}

/// How many of each at most, so that of lists of these lengths no more than `budget` are chosen in all.
#[must_use]
pub fn most_of_each(lengths: &[usize], budget: usize) -> usize {
    let total = |most: usize| lengths.iter().map(|length| *length.min(&most)).sum::<usize>();
    let (mut low, mut high) = (0, lengths.iter().copied().max().unwrap_or_default());
    while low < high {
        let middle = (low + high).div_ceil(2);
        if total(middle) <= budget {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_evenly_and_follows_from_the_seed() {
        for seed in 0..50 {
            let some = sample((0..1000).collect(), 10, seed);
            assert_eq!(some.len(), 10, "{seed}: {some:?}");
            assert!(
                some.windows(2)
                    .all(|pair| (90..=110).contains(&(pair[1] - pair[0]))),
                "{some:?}"
            );
        }
        assert_ne!(
            sample((0..1000).collect(), 10, 1),
            sample((0..1000).collect(), 10, 2)
        );
        assert_eq!(sample(vec![1, 2], 10, 1), [1, 2]);
    }

    #[test]
    fn a_budget_is_shared_so_that_small_lists_are_whole() {
        assert_eq!(most_of_each(&[3, 100, 100], 43), 20);
        assert_eq!(most_of_each(&[3, 4], 100), 4);
        assert_eq!(most_of_each(&[3, 4], 1), 0);
    }
}
