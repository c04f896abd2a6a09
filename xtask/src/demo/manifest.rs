//! What is applied: a sample, or one like it with other numbers.

use std::path::Path;

use anyhow::Context;
use e2e::Planes;
use serde_json::{Value, json};

use super::Args;

const TWO_DATACENTERS: &str = "docs/samples/two-datacenters.yaml";
const TWO_REGIONS: &str = "docs/samples/two-regions.yaml";

/// The cluster that the demo makes.
pub(super) struct Manifest {
    /// The document.
    pub text: String,
    /// Where it is in the tree, if it is.
    pub file: Option<&'static str>,
    /// Name of the cluster.
    pub name: String,
    /// Its datacenters, in order.
    pub datacenters: Vec<Datacenter>,
}

/// One of them.
pub(super) struct Datacenter {
    pub name: String,
    pub plane: String,
    pub nodes: usize,
}

impl Manifest {
    /// The one that the arguments mean.
    pub fn of(args: &Args, root: &Path) -> anyhow::Result<Self> {
        let file = if args.regions {
            TWO_REGIONS
        } else {
            TWO_DATACENTERS
        };
        let path = root.join(file);
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let sample: Value = serde_saphyr::from_str(&text)?;
        if args.regions || args.datacenters == 2 && args.nodes == 3 {
            return Self::read(text, &sample, Some(file));
        }
        let other = like(sample, args);
        Self::read(other.to_string(), &other, None)
    }

    fn read(text: String, document: &Value, file: Option<&'static str>) -> anyhow::Result<Self> {
        let word = |value: &Value| {
            value
                .as_str()
                .map(str::to_owned)
                .context("a word is missing in the sample")
        };
        let datacenters = document["spec"]["cassandra"]["datacenters"].as_array();
        let datacenters = datacenters.into_iter().flatten().map(|it| {
            anyhow::Ok(Datacenter {
                name: word(&it["metadata"]["name"])?,
                plane: word(&it["k8sContext"])?,
                nodes: usize::try_from(it["size"].as_u64().unwrap_or_default())?,
            })
        });
        Ok(Self {
            name: word(&document["metadata"]["name"])?,
            datacenters: datacenters.collect::<anyhow::Result<_>>()?,
            text,
            file,
        })
    }
}

fn like(mut sample: Value, args: &Args) -> Value {
    let datacenter = |number: u8| {
        json!({
            "metadata": {"name": format!("dc{number}")},
            "k8sContext": Planes::data_name(usize::from(number)),
            "size": args.nodes,
        })
    };
    sample["spec"]["cassandra"]["datacenters"] = (1..=args.datacenters).map(datacenter).collect();
    // A rack without a node is refused.
    if let Some(racks) = sample["spec"]["cassandra"]["racks"].as_array_mut() {
        racks.truncate(usize::from(args.nodes));
    }
    sample
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(datacenters: u8, nodes: u8, regions: bool) -> Manifest {
        let args = Args {
            datacenters,
            nodes,
            regions,
            pace: 0.05,
            keep: false,
            provider: None,
            cassandra: None,
        };
        Manifest::of(&args, &crate::workspace::root()).unwrap()
    }

    #[test]
    fn there_are_no_more_racks_than_nodes() {
        for (nodes, racks) in [(1, 1), (2, 2), (4, 3)] {
            let manifest: Value = serde_json::from_str(&of(1, nodes, false).text).unwrap();
            let given = manifest["spec"]["cassandra"]["racks"].as_array().unwrap();
            assert_eq!(given.len(), racks, "{nodes} nodes");
        }
    }

    #[test]
    fn samples_name_the_planes_that_the_demo_has() {
        for regions in [false, true] {
            let manifest = of(2, 3, regions);
            let planes: Vec<&str> = manifest.datacenters.iter().map(|it| it.plane.as_str()).collect();
            assert_eq!(planes, [Planes::data_name(1), Planes::data_name(2)]);
            assert!(manifest.datacenters.iter().all(|it| it.nodes == 3) && manifest.file.is_some());
        }
    }
}
