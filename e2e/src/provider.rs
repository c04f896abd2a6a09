//! Who provides the clusters that demo and stories run on.

use std::fmt;
use std::path::Path;

use crate::Binaries;

/// A way to have clusters, as it is named on a command line.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum Way {
    /// etcd, kube-apiserver and kube-controller-manager as processes
    Apiserver,
    /// API servers in the memory of this process
    Embedded,
}

impl fmt::Display for Way {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Apiserver => "apiserver",
            Self::Embedded => "embedded",
        })
    }
}

/// What clusters are made with.
#[derive(Clone, Debug)]
pub enum Provider {
    /// Each a real API, as processes of these programs.
    Apiserver(Binaries),
    /// Each an API server in the memory of this process.
    Embedded,
}

/// A provider, and why it is that one: a sentence without its end.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What was chosen.
    pub provider: Provider,
    /// Why.
    pub why: String,
}

impl Provider {
    /// The provider that was asked for, else the real one where it can be had, else that in memory. Blocks: Kubernetes may have
    /// to be built first.
    ///
    /// # Errors
    /// The real one is asked for or can be had, and cannot be found or built: nobody is given less in silence.
    pub fn choose(asked: Option<Way>) -> anyhow::Result<Choice> {
        let real = |why: String| {
            let provider = Self::Apiserver(Binaries::find()?);
            anyhow::Ok(Choice { provider, why })
        };
        match asked {
            Some(Way::Apiserver) => real("asked for".to_owned()),
            Some(Way::Embedded) => Ok(Choice {
                provider: Self::Embedded,
                why: "asked for".to_owned(),
            }),
            None => match Binaries::source() {
                Some(source) => real(source.to_string()),
                None => Ok(Choice {
                    provider: Self::Embedded,
                    why: "there is neither KUBEBUILDER_ASSETS, nor an earlier build, nor Go for real ones"
                        .to_owned(),
                }),
            },
        }
    }

    /// How it is named on a command line.
    #[must_use]
    pub fn way(&self) -> Way {
        match self {
            Self::Apiserver(_) => Way::Apiserver,
            Self::Embedded => Way::Embedded,
        }
    }

    /// What one of its clusters is, for whoever reads what a command says.
    #[must_use]
    pub fn cluster(&self) -> &'static str {
        match self {
            Self::Apiserver(_) => "a real kube-apiserver with its own etcd",
            Self::Embedded => "an API server in memory",
        }
    }

    /// The kubectl that comes with it.
    #[must_use]
    pub fn kubectl(&self) -> Option<&Path> {
        match self {
            Self::Apiserver(binaries) => Some(&binaries.kubectl),
            Self::Embedded => None,
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "provider: {} ({})", self.provider.way(), self.why)
    }
}
