//! One pod's management API.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The management API of one pod: its address and port (8080 unless the pod names another one).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// The pod's address.
    pub address: IpAddr,
    /// The port that the management API listens on.
    pub port: u16,
}

impl Node {
    /// The port of the management API where the `cassandra` container has no port named `mgmt-api-http`.
    pub const DEFAULT_PORT: u16 = 8080;

    /// The node at `address`, on the default port.
    #[must_use]
    pub const fn new(address: IpAddr) -> Self {
        Self {
            address,
            port: Self::DEFAULT_PORT,
        }
    }

    /// What to dial, or why no pod can have this address.
    ///
    /// A pod's address comes from another cluster. One that means *this* machine or its link would turn our
    /// requests against our own neighbours (the metadata service of a cloud, say).
    pub(crate) fn pod_socket(self) -> Result<SocketAddr, &'static str> {
        let address = self.address.to_canonical();
        if address.is_unspecified() {
            Err("the unspecified address is no pod's")
        } else if address.is_loopback() {
            Err("a loopback address is no pod's")
        } else if address.is_multicast() || address == IpAddr::V4(Ipv4Addr::BROADCAST) {
            Err("a multicast or broadcast address is no pod's")
        } else if is_link_local(address) {
            Err("a link-local address is no pod's")
        } else {
            Ok(SocketAddr::new(self.address, self.port))
        }
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => Ipv6Addr::is_unicast_link_local(&v6),
    }
}

/// `address:port`, an IPv6 address in brackets: the value of the `Host` header.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::new(self.address, self.port).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(address: &str) -> Node {
        Node::new(address.parse().unwrap())
    }

    #[test]
    fn an_ipv6_address_is_written_in_brackets() {
        assert_eq!(node("10.1.2.3").to_string(), "10.1.2.3:8080");
        assert_eq!(node("fd00::7").to_string(), "[fd00::7]:8080");
    }

    #[test]
    fn addresses_that_mean_our_own_machine_or_link_are_no_pods() {
        for bad in [
            "0.0.0.0",
            "127.0.0.1",
            "127.8.9.1",
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
        ] {
            assert!(node(bad).pod_socket().is_err(), "{bad}");
        }
        for bad in [
            "::",
            "::1",
            "fe80::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
        ] {
            assert!(node(bad).pod_socket().is_err(), "{bad}");
        }
        for good in [
            "10.1.2.3",
            "100.64.0.9",
            "192.168.7.7",
            "172.20.1.1",
            "fd00::7",
            "2001:db8::1",
        ] {
            assert!(node(good).pod_socket().is_ok(), "{good}");
        }
    }
}
