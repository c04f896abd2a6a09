//! Which plans are run, of all that there are.

use std::collections::{BTreeMap, BTreeSet};

use fault_rig::sweep::{self, Row};
use fault_rig::{Plan, Report, Scenario};

/// The plans of one row for one scenario.
pub(crate) type List<'r> = (&'static Row, &'r Report, Vec<Plan>);

/// At most so many of a row whose runs take long.
const OF_LONG_ROWS: usize = 1;

/// How many.
pub(crate) struct Limits {
    /// About so many in all; what is always swept whole comes first.
    pub budget: Option<usize>,
    /// At most so many of a list.
    pub most: usize,
    /// Says which of many.
    pub seed: u64,
}

/// Chooses from the lists what the budget allows. What is left after the rows that are swept whole is shared by the
/// rows, and within a row chosen evenly over all scenarios.
pub(crate) fn cut(lists: &mut [List<'_>], limits: &Limits) {
    let seed = limits.seed;
    for list in lists.iter_mut().filter(|list| !is_whole(list)) {
        list.2 = sweep::sample(std::mem::take(&mut list.2), limits.most, seed);
    }
    let Some(budget) = limits.budget else { return };
    let mut sizes: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut left = budget;
    for list in lists.iter() {
        if is_whole(list) {
            left = left.saturating_sub(list.2.len());
        } else {
            *sizes.entry(list.0.name).or_default() += list.2.len();
        }
    }
    let most = sweep::most_of_each(&sizes.values().copied().collect::<Vec<_>>(), left).max(1);
    for (name, size) in sizes {
        let is_long = lists.iter().any(|list| list.0.name == name && list.0.long);
        let most = if is_long { most.min(OF_LONG_ROWS) } else { most };
        let mut kept: BTreeSet<usize> = sweep::sample((0..size).collect(), most, seed)
            .into_iter()
            .collect();
        let mut number = 0;
        for list in lists
            .iter_mut()
            .filter(|list| list.0.name == name && !is_whole(list))
        {
            list.2.retain(|_| {
                number += 1;
                kept.remove(&(number - 1))
            });
        }
    }
}

/// Whether all plans of a list are always run: founding and removal.
pub(crate) fn is_whole((row, run, _): &List<'_>) -> bool {
    row.whole && matches!(run.plan.scenario, Scenario::Three | Scenario::Remove)
}
