//! A control plane and its data planes, started together.

use futures::future::{try_join, try_join_all};

use crate::{ApiServer, Options, Provider};

/// One control plane and any number of data planes.
pub struct Planes {
    /// Where K8ssandraClusters live.
    pub control: ApiServer,
    /// Where CassandraDatacenters live, by [`Planes::data_name`].
    pub data: Vec<ApiServer>,
}

impl Planes {
    /// Starts a control plane and `count` data planes at once.
    ///
    /// # Errors
    /// As [`ApiServer::start`], for the first that fails; the others are ended.
    pub async fn start(
        provider: &Provider,
        count: usize,
        control: &Options,
        data: &Options,
    ) -> anyhow::Result<Self> {
        let names: Vec<String> = (1..=count).map(Self::data_name).collect();
        let all = names.iter().map(|name| ApiServer::start(provider, name, data));
        let (control, data) = try_join(
            ApiServer::start(provider, "control-plane", control),
            try_join_all(all),
        )
        .await?;
        Ok(Self { control, data })
    }

    /// The name of the data plane with this number, from 1: `east`, `west`, `north`, `plane-4`, `plane-5` ...
    #[must_use]
    pub fn data_name(number: usize) -> String {
        match number {
            1 => "east".to_owned(),
            2 => "west".to_owned(),
            3 => "north".to_owned(),
            more => format!("plane-{more}"),
        }
    }

    /// The control plane first, then the data planes in order.
    pub fn all(&self) -> impl Iterator<Item = &ApiServer> {
        std::iter::once(&self.control).chain(&self.data)
    }

    /// The plane of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&ApiServer> {
        self.all().find(|plane| plane.name() == name)
    }
}
