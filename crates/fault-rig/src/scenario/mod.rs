//! What the user does, step by step, and when each step is done.
//!
//! A scenario is a list of [`Step`]s. All that happens in it follows from the virtual clock and the seed, so that a run with
//! faults can be held against one without.

mod changing;
mod consent;
mod growing;
mod pods;
mod recreation;
mod referring;
mod regions;
mod registry;
mod spec;
mod step;
mod stores;
mod strangers;
mod waiting;

use std::fmt;

pub use spec::{CLUSTER, OTHER, THE_CLUSTER};
pub use step::{Act, Cut, Step, Thing, Until};
pub use waiting::WAITING;

/// What the user does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// S01: one datacenter in the control plane itself.
    One,
    /// S02: three datacenters in three planes, from nothing.
    Three,
    /// S03: a third datacenter is added to two live ones.
    Add,
    /// S04: one of three datacenters is removed.
    Remove,
    /// S04: the same, while a keyspace of the user's has replicas there.
    Replicated,
    /// S05: one of three is taken out of the list of a cluster that asks for a second consent, which does not come.
    Unconfirmed,
    /// S05: the consent comes.
    Confirmed,
    /// S05: the datacenter is put into the list again.
    TakenBack,
    /// S06: sizes go up and down and back before that is done.
    Scale,
    /// S07: the cluster is deleted and made again under its name.
    Recreate,
    /// S09: configuration and version over three datacenters.
    RollOut,
    /// S09: stores for TLS, and their passwords.
    Stores,
    /// S10: token and address of a plane change.
    Rotate,
    /// S11: a plane is taken out of the registry and comes back.
    Unregister,
    /// S14: a datacenter of that name is there already.
    TheirDatacenter,
    /// S14: a Secret of that name is there already.
    TheirSecret,
    /// S15: a plane is away for an hour.
    Away,
    /// S15: a plane is away for a week.
    Week,
    /// S15: a plane is restored from a backup.
    Backup,
    /// S15: a plane comes back empty.
    Empty,
    /// S16: all pods restart.
    Pods,
    /// What a cluster refers to comes after it, and changes.
    References,
    /// S19, of which this is the smallest part: two clusters that share no plane.
    Two,
}

type Row = (Scenario, &'static str, fn() -> Vec<Step>);

/// Each with its id and its steps.
const TABLE: &[Row] = &[
    (Scenario::One, "S01", growing::one),
    (Scenario::Three, "S02", growing::three),
    (Scenario::Add, "S03", growing::add),
    (Scenario::Remove, "S04", growing::remove),
    (
        Scenario::Replicated,
        "S04-keyspace",
        growing::remove_with_replicas,
    ),
    (Scenario::Unconfirmed, "S05", consent::missing),
    (Scenario::Confirmed, "S05-confirmed", consent::given),
    (Scenario::TakenBack, "S05-taken-back", consent::taken_back),
    (Scenario::Scale, "S06", changing::scale),
    (Scenario::Recreate, "S07", recreation::steps),
    (Scenario::RollOut, "S09", changing::roll_out),
    (Scenario::Stores, "S09-stores", stores::steps),
    (Scenario::Rotate, "S10", registry::rotate),
    (Scenario::Unregister, "S11", registry::unregister),
    (
        Scenario::TheirDatacenter,
        "S14-datacenter",
        strangers::their_datacenter_first,
    ),
    (Scenario::TheirSecret, "S14-secret", strangers::their_secret_first),
    (Scenario::Away, "S15-away", regions::away),
    (Scenario::Week, "S15-week", regions::week),
    (Scenario::Backup, "S15-backup", regions::backup),
    (Scenario::Empty, "S15-empty", regions::empty),
    (Scenario::Pods, "S16", pods::steps),
    (Scenario::References, "references", referring::steps),
    (Scenario::Two, "S19-two", growing::two),
];

impl Scenario {
    /// All that there are.
    pub const ALL: [Scenario; TABLE.len()] = {
        let mut all = [Scenario::One; TABLE.len()];
        let mut row = 0;
        while row < TABLE.len() {
            all[row] = TABLE[row].0;
            row += 1;
        }
        all
    };

    fn row(self) -> &'static Row {
        // A test holds the table to the enum; were one missing all the same, it would be the first.
        let mut rows = TABLE.iter();
        rows.find(|(scenario, ..)| *scenario == self).unwrap_or(&TABLE[0])
    }

    /// As it is called in plans and figures.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.row().1
    }

    /// The scenario of that id.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        Scenario::ALL.into_iter().find(|scenario| scenario.id() == id)
    }

    /// What the user does, one after the other; each is done before the next comes.
    #[must_use]
    pub fn steps(self) -> Vec<Step> {
        self.row().2()
    }

    /// Whether it takes so much longer than the others that it is only run when it is named.
    #[must_use]
    pub fn is_long(self) -> bool {
        self == Scenario::Week
    }

    /// Datacenters that the user lets go at some time.
    #[must_use]
    pub fn lets_go(self) -> &'static [&'static str] {
        match self {
            Scenario::Remove | Scenario::Replicated | Scenario::Confirmed => &["dc2"],
            Scenario::Recreate => &["dc1", "dc2"],
            _ => &[],
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
