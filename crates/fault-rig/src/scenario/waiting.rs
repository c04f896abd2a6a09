//! Scenarios that cannot be told yet, and what they wait for.

/// Id, what happens, and what is missing.
pub const WAITING: &[(&str, &str, &str)] = &[
    (
        "S08",
        "two clusters declare the same datacenter",
        "monitors that tell which of two clusters a datacenter belongs to by more than its name",
    ),
    (
        "S12",
        "the superuser's password is rotated",
        "rotation: a new password is copied, and nobody gives it to Cassandra",
    ),
    (
        "S13",
        "a target of replication goes, a source, a selector",
        "a world with ReplicatedSecrets of the user's own",
    ),
    (
        "S17",
        "definitions of one plane are older, newer, missing",
        "other definitions for one plane than for the others",
    ),
    (
        "S18",
        "the namespace of a datacenter is terminated",
        "a stand-in whose actors survive the end of their namespace",
    ),
    (
        "S19",
        "ten clusters, thirty datacenters, ten planes",
        "a world with more than three planes; two clusters are S19-two",
    ),
    (
        "S20",
        "upgrade and rollback of the controllers",
        "a second version of the programs",
    ),
];
