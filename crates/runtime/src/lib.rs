//! A process that hosts one controller: queue, caches, metrics, admin server, logs, graceful stop.
