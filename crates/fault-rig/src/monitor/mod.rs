//! What must hold at every accepted write, whoever crashed before, and when all is done.
//!
//! | property | where | what holds |
//! | --- | --- | --- |
//! | P1 | `consent` | nothing with data in it is deleted or made smaller without its user's consent |
//! | P2 | `marks` | what is not marked as ours is not written to |
//! | P3 | `disks` | no disk is given up that nobody consented to lose |
//! | P4 | `identity` | what a started datacenter is known by never changes |
//! | P5 | `rings` | a cluster never has two rings |
//! | P6 | `seeds` | a live datacenter keeps its seeds, and they are its own cluster's |
//! | P7 | `turns` | datacenters come, change and go one after another |
//! | P8 | `superuser` | the superuser is the same everywhere |
//! | P9 | `canaries` | what is in a Secret is nowhere else but in wanted copies |
//! | P10 | `reads` | only Secrets that somebody named or selected are read |
//! | P11 | `progress` | generations and times never go back, Ready is said of what is there |
//! | P12 | `isolation` | one faulty plane delays no cluster that is elsewhere |
//! | P13 | `overheard` | no program ends by itself |
//! | P15 | `counts` | each object is made and deleted as often as without faults |
//! | P19 | `restart` | a restart of everything writes nothing and lists every kind once |
//! | P20 | `panics`, `logs`, `overheard` | no panic, no secret in the logs, no task that outlives its program |
//! | one writer | `writers` | each field is written by the program that the design names |
//! | rule 5 | `surprise` | a datacenter changes after an edit of its user only |
//! | R3, rule 2 | `rules` | every change names its object by uid |
//!
//! A monitor sees one write, with the object before and after it, and all API servers as they are then. It is told
//! what programs write and what others write, asks who it was first, and reads bodies only when it must.

mod canaries;
mod consent;
pub mod counts;
mod disks;
#[cfg(test)]
mod fixtures;
mod identity;
pub mod isolation;
mod live;
mod logs;
mod marks;
mod overheard;
mod owner;
mod panics;
mod progress;
mod reads;
mod restart;
mod rings;
mod rules;
mod secret_copies;
mod seeds;
mod sight;
mod superuser;
mod surprise;
mod turns;
mod violations;
mod watch;
mod writers;

/// What is looked at in every run, and what holds. P14 and rule 3 are for [`crate::sweep`] to say.
pub const PROPERTIES: [(&str, &str); 21] = [
    (
        "P1",
        "nothing with data in it is deleted or made smaller without its user's consent",
    ),
    ("P2", "what is not marked as ours is not written to"),
    ("P3", "no disk is given up that nobody consented to lose"),
    ("P4", "what a started datacenter is known by never changes"),
    ("P5", "a cluster never has two rings"),
    (
        "P6",
        "a live datacenter keeps its seeds, and they are its own cluster's",
    ),
    ("P7", "datacenters come, change and go one after another"),
    ("P8", "the superuser is the same everywhere"),
    ("P9", "what is in a Secret is nowhere else but in wanted copies"),
    ("P10", "only Secrets that somebody named or selected are read"),
    (
        "P11",
        "generations and times never go back, Ready is said of what is there",
    ),
    ("P12", "one faulty plane delays no cluster that is elsewhere"),
    ("P13", "no program ends by itself"),
    (
        "P14",
        "whatever went wrong, the end is that of the run without faults, and then nothing is written any more",
    ),
    (
        "P15",
        "each object is made and deleted as often as without faults",
    ),
    (
        "P19",
        "a restart of everything writes nothing and lists every kind once",
    ),
    (
        "P20",
        "no panic, no secret in the logs, no task that outlives its program",
    ),
    (
        "one writer",
        "each field is written by the program that the design names",
    ),
    ("rule 5", "a datacenter changes after an edit of its user only"),
    ("R3, rule 2", "every change names its object by uid"),
    ("rule 3", "two runs of one plan are the same, write for write"),
];

pub use self::overheard::Overheard;
pub use self::violations::Violations;
pub use self::watch::{Watch, watch};
