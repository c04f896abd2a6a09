//! Deployment 5: ReplicatedSecret to copies in the planes.
