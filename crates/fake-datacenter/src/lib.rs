//! Plays cass-operator and a Cassandra ring on any API server, for tests and the demo.
