//! Clients of other Kubernetes clusters: kubeconfig, guards, registry, relays, identity.
