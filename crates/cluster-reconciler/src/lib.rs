//! Deployment 2: K8ssandraCluster to CassandraDatacenters, in order and only when it is safe.
