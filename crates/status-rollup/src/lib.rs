//! Deployment 4: everything observed, as one status.
