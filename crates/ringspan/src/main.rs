//! The shipped program: one of the five controllers, picked by the first argument.

use clap::{Parser, Subcommand};

/// One Apache Cassandra ring across many Kubernetes clusters
#[derive(Parser)]
#[command(name = "ringspan", version, about)]
struct Program {
    #[command(subcommand)]
    controller: Controller,
}

#[derive(Subcommand)]
enum Controller {
    /// Which planes are usable, and who are they?
    ClientRegistry(client_registry::Args),
    /// K8ssandraCluster to CassandraDatacenters, in order and only when it is safe
    ClusterReconciler(cluster_reconciler::Args),
    /// The ring: seeds, contact points, replication, rebuild, readiness to be removed
    TopologyReconciler(topology_reconciler::Args),
    /// Everything observed, as one status
    StatusRollup(status_rollup::Args),
    /// ReplicatedSecret to copies in the planes
    SecretReplicator(secret_replicator::Args),
}

fn main() -> anyhow::Result<()> {
    match Program::parse().controller {
        Controller::ClientRegistry(args) => client_registry::run(args),
        Controller::ClusterReconciler(args) => cluster_reconciler::run(args),
        Controller::TopologyReconciler(args) => topology_reconciler::run(args),
        Controller::StatusRollup(args) => status_rollup::run(args),
        Controller::SecretReplicator(args) => secret_replicator::run(args),
    }
}
