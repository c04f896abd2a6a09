//! What a ring should be: from a K8ssandraCluster, or from the words of a command line.

use std::collections::BTreeMap;
use std::str::FromStr;

use api::k8ssandra_cluster::K8ssandraCluster;
use api::reports::Refusal;
use plan::datacenter::Facts;
use plan::naming::DEFAULT_RACK;
use serde_json::Value;

/// Label of workers that names their zone.
pub(crate) const ZONE: &str = "topology.kubernetes.io/zone";

/// The datacenters that a ring should have.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Expected {
    /// By Cassandra's name of the datacenter.
    pub datacenters: BTreeMap<String, Datacenter>,
    /// Datacenters that belong to the ring and that the spec says nothing more of (`externalDatacenters`).
    pub external: Vec<String>,
}

/// One datacenter.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Datacenter {
    /// Name of the CassandraDatacenter.
    pub object: String,
    /// How many nodes.
    pub size: usize,
    /// Its racks, in the order of the spec.
    pub racks: Vec<Rack>,
}

/// One rack.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Rack {
    /// Cassandra's name of it.
    pub name: String,
    /// Zone of the workers that its pods must run on, if the spec names one.
    pub zone: Option<String>,
}

/// The most copies of the system keyspaces that Ringspan, as K8ssandra, keeps in one datacenter.
const MOST_COPIES: usize = 3;

impl Datacenter {
    /// How many copies of `system_auth` it should have.
    #[must_use]
    pub fn copies(&self) -> usize {
        self.size.min(MOST_COPIES)
    }

    pub(crate) fn has_rack(&self, name: &str) -> bool {
        self.racks.iter().any(|rack| rack.name == name)
    }
}

impl Expected {
    /// What a K8ssandraCluster asks for.
    ///
    /// # Errors
    /// Its spec cannot be read as one.
    pub fn of_cluster(kc: &K8ssandraCluster) -> Result<Self, Refusal> {
        let mut datacenters = BTreeMap::new();
        for facts in Facts::of_all(kc)? {
            let datacenter = Datacenter {
                object: facts.name.to_owned(),
                size: usize::try_from(facts.template.size).unwrap_or_default(),
                racks: racks(&facts.merged),
            };
            datacenters.insert(facts.template.cassandra_name().to_owned(), datacenter);
        }
        Ok(Expected {
            datacenters,
            external: kc.spec.external_datacenters.clone().unwrap_or_default(),
        })
    }

    /// Datacenters as the words of a command line name them.
    pub(crate) fn of_words(words: &[Words]) -> Self {
        let each = words.iter().map(|it| (it.name.clone(), it.datacenter.clone()));
        Expected {
            datacenters: each.collect(),
            external: Vec::new(),
        }
    }
}

fn racks(merged: &Value) -> Vec<Rack> {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let rack = |rack: &Value| {
        let zone = text(&rack["nodeAffinityLabels"][ZONE]).or_else(|| text(&rack["zone"]));
        Some(Rack {
            name: text(&rack["name"])?,
            zone,
        })
    };
    let named: Vec<Rack> = merged["racks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(rack)
        .collect();
    if named.is_empty() {
        vec![default_rack()]
    } else {
        named
    }
}

fn default_rack() -> Rack {
    Rack {
        name: DEFAULT_RACK.to_owned(),
        zone: None,
    }
}

/// `dc1=3:r1,r2,r3`: Cassandra's name of a datacenter, its size, and its racks, without which it has the one called `default`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Words {
    name: String,
    datacenter: Datacenter,
}

impl FromStr for Words {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, rest) = text.split_once('=').ok_or("write it as dc1=3:r1,r2,r3")?;
        let (size, racks) = rest.split_once(':').unwrap_or((rest, ""));
        let size = size.parse().ok().filter(|size| *size > 0);
        let size = size.ok_or("a number of nodes goes between = and :, as in dc1=3:r1,r2,r3")?;
        let rack = |name: &str| Rack {
            name: name.to_owned(),
            zone: None,
        };
        let mut racks: Vec<Rack> = racks
            .split(',')
            .filter(|name| !name.is_empty())
            .map(rack)
            .collect();
        if racks.is_empty() {
            racks.push(default_rack());
        }
        Ok(Words {
            name: name.to_owned(),
            datacenter: Datacenter {
                object: name.to_owned(),
                size,
                racks,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn cluster(spec: &Value) -> K8ssandraCluster {
        let kc = json!({"metadata": {"name": "demo", "namespace": "db"}, "spec": spec});
        serde_json::from_value(kc).unwrap()
    }

    #[test]
    fn racks_and_zones_are_merged_as_for_the_datacenters_themselves() {
        let kc = cluster(
            &json!({"externalDatacenters": ["old"], "cassandra": {"serverVersion": "5.0.6",
            "racks": [{"name": "r1", "nodeAffinityLabels": {ZONE: "a"}}, {"name": "r2"}],
            "datacenters": [
                {"metadata": {"name": "dc1"}, "size": 4, "datacenterName": "In Ring"},
                {"metadata": {"name": "dc2"}, "size": 2, "racks": [{"name": "r2", "zone": "b"}]},
            ]}}),
        );
        let expected = Expected::of_cluster(&kc).unwrap();
        let rack = |name: &str, zone: Option<&str>| Rack {
            name: name.to_owned(),
            zone: zone.map(str::to_owned),
        };
        let dc1 = Datacenter {
            object: "dc1".to_owned(),
            size: 4,
            racks: vec![rack("r1", Some("a")), rack("r2", None)],
        };
        let dc2 = Datacenter {
            object: "dc2".to_owned(),
            size: 2,
            racks: vec![rack("r1", Some("a")), rack("r2", Some("b"))],
        };
        assert_eq!((dc1.copies(), dc2.copies()), (3, 2));
        let both = BTreeMap::from([("In Ring".to_owned(), dc1), ("dc2".to_owned(), dc2)]);
        assert_eq!(
            expected,
            Expected {
                datacenters: both,
                external: vec!["old".to_owned()]
            }
        );
    }

    #[test]
    fn a_datacenter_without_racks_has_the_one_that_it_gets() {
        let spec = json!({"cassandra": {"serverVersion": "5.0.6", "datacenters": [{"metadata": {"name": "dc1"}, "size": 1}]}});
        let expected = Expected::of_cluster(&cluster(&spec)).unwrap();
        assert_eq!(expected.datacenters["dc1"].racks, [default_rack()]);
        assert_eq!(expected, Expected::of_words(&["dc1=1".parse().unwrap()]));
    }

    #[test]
    fn words_that_name_no_datacenter_are_refused() {
        for words in ["dc1", "dc1=", "dc1=0:r1", "dc1=many"] {
            assert!(words.parse::<Words>().is_err(), "{words}");
        }
        let words: Words = "dc1=3:r1,r2,r3".parse().unwrap();
        assert_eq!((words.datacenter.size, words.datacenter.racks.len()), (3, 3));
    }
}
