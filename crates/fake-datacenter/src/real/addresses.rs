//! Which loopback address the node of a pod listens on.
//!
//! Pods have addresses of 198.18.0.0/15, which no machine has. Their nodes listen on 127.x.0.0/15, where a run of this
//! program takes the first x that no other run on this machine has. So a pod's address says where its node is, and back.

use std::net::{Ipv4Addr, TcpListener};

/// The block of pods begins with 198.18.
const PODS: [u8; 2] = [198, 18];
/// Two digits, so that a table of addresses keeps its columns.
const BLOCKS: std::ops::Range<u8> = 18..98;
/// A port that stands for a block; the address before it is no pod's.
const GUARD: u16 = 7000;

/// The block of this run. It is free for others when this is dropped.
#[derive(Debug)]
pub struct Addresses {
    second: u8,
    _guard: Option<TcpListener>,
}

impl Addresses {
    /// Takes the first block that nobody has.
    #[must_use]
    pub fn claim() -> Option<Self> {
        BLOCKS.step_by(2).find_map(|second| {
            let last = Ipv4Addr::new(127, second + 1, 255, 255);
            let guard = TcpListener::bind((last, GUARD)).ok()?;
            Some(Self {
                second,
                _guard: Some(guard),
            })
        })
    }

    /// The address that the node of a pod listens on; an address of nobody here is left as it is.
    #[must_use]
    pub fn of_node(&self, pod: Ipv4Addr) -> Ipv4Addr {
        match pod.octets() {
            [first, second, c, d] if first == PODS[0] && second & !1 == PODS[1] => {
                Ipv4Addr::new(127, self.second + (second & 1), c, d)
            }
            _ => pod,
        }
    }

    /// The address of the pod whose node listens here; an address of nobody here is left as it is.
    #[must_use]
    pub fn of_pod(&self, node: Ipv4Addr) -> Ipv4Addr {
        match node.octets() {
            [127, second, c, d] if second & !1 == self.second => {
                Ipv4Addr::new(PODS[0], PODS[1] + (second & 1), c, d)
            }
            _ => node,
        }
    }

    /// A text with the addresses of pods in the places of those of their nodes.
    #[must_use]
    pub fn as_pods_have_them(&self, text: &str) -> String {
        let mut mapped = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let is_part = |c: char| c.is_ascii_digit() || c == '.';
            let word = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            match rest[..word].parse::<Ipv4Addr>() {
                Ok(address) => mapped.push_str(&self.of_pod(address).to_string()),
                Err(_) => mapped.push_str(&rest[..word]),
            }
            rest = &rest[word..];
            let gap = rest.find(is_part).unwrap_or(rest.len());
            mapped.push_str(&rest[..gap]);
            rest = &rest[gap..];
        }
        mapped
    }

    #[cfg(test)]
    pub(crate) fn beginning_at(second: u8) -> Self {
        Self { second, _guard: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_and_its_node_find_each_other() {
        let addresses = Addresses::beginning_at(20);
        for (pod, node) in [
            ([198, 18, 0, 1], [127, 20, 0, 1]),
            ([198, 19, 7, 254], [127, 21, 7, 254]),
        ] {
            let (pod, node) = (Ipv4Addr::from(pod), Ipv4Addr::from(node));
            assert_eq!(addresses.of_node(pod), node);
            assert_eq!(addresses.of_pod(node), pod);
        }
        for other in [[10, 0, 0, 1], [198, 20, 0, 1], [127, 0, 0, 1]] {
            let other = Ipv4Addr::from(other);
            assert_eq!(
                (addresses.of_node(other), addresses.of_pod(other)),
                (other, other)
            );
        }
    }

    #[test]
    fn a_text_keeps_everything_but_the_addresses_of_nodes() {
        let addresses = Addresses::beginning_at(20);
        assert_eq!(
            addresses
                .as_pods_have_them("UN  127.20.0.3  1.5 KiB 5.0.6: [/127.21.1.2:7000, 127.0.0.1] 127.20.0."),
            "UN  198.18.0.3  1.5 KiB 5.0.6: [/198.19.1.2:7000, 127.0.0.1] 127.20.0."
        );
    }

    #[test]
    fn two_runs_have_two_blocks() {
        let (one, other) = (Addresses::claim().unwrap(), Addresses::claim().unwrap());
        assert_ne!(one.second, other.second);
    }
}
