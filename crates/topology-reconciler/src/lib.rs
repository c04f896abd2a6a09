//! Deployment 3: the ring: seeds, contact points, replication, rebuild, readiness to be removed.
