//! User stories on real kube-apiservers, and what they need: processes, credentials, fault proxies.
