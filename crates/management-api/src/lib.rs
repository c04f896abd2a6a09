//! Client of the management API for Apache Cassandra, as cass-operator's pods serve it.
