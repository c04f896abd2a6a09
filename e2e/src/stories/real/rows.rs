//! Rows of a user: written through one node, and looked for one by one on another.

use anyhow::ensure;
use scylla::statement::Consistency;

use super::ring::one_schema;
use crate::world::{Node, NodeView, World};

/// How many rows are written before anything happens.
pub(super) const ROWS: u32 = 100;

/// A keyspace with so many copies in each datacenter, a table, and [`ROWS`] rows. A node that has not heard of a table takes
/// no row of it, and a session with one node cannot see that the others have.
pub(super) async fn written(
    world: &World,
    views: &[NodeView],
    node: &Node,
    copies: &[(&str, u8)],
) -> anyhow::Result<()> {
    node.run(Consistency::Quorum, &keyspace("CREATE", copies)).await?;
    one_schema(world, views).await?;
    let table = "CREATE TABLE shop.orders (id int PRIMARY KEY, what text)";
    node.run(Consistency::Quorum, table).await?;
    one_schema(world, views).await?;
    for id in 0..ROWS {
        write(node, id, Consistency::EachQuorum).await?;
    }
    has_every_row(node).await
}

/// The statement that makes the keyspace of the rows, or alters where its copies are.
pub(super) fn keyspace(verb: &str, copies: &[(&str, u8)]) -> String {
    let copies: Vec<_> = copies
        .iter()
        .map(|(datacenter, number)| format!(", '{datacenter}': {number}"))
        .collect();
    let copies = copies.concat();
    format!("{verb} KEYSPACE shop WITH replication = {{'class': 'NetworkTopologyStrategy'{copies}}}")
}

pub(super) async fn write(node: &Node, id: u32, consistency: Consistency) -> anyhow::Result<()> {
    let row = format!("INSERT INTO shop.orders (id, what) VALUES ({id}, 'order {id}')");
    node.run(consistency, &row).await.map(|_| ())
}

/// Each of those that were written first: a node that has none would answer all the same.
pub(super) async fn has_every_row(node: &Node) -> anyhow::Result<()> {
    for id in 0..ROWS {
        has_row(node, id).await?;
    }
    Ok(())
}

/// The row, from the copies in the node's own datacenter.
pub(super) async fn has_row(node: &Node, id: u32) -> anyhow::Result<()> {
    let row = format!("SELECT what FROM shop.orders WHERE id = {id}");
    let found = node.text(Consistency::LocalQuorum, &row).await?;
    ensure!(found == Some(format!("order {id}")), "row {id} is {found:?}");
    Ok(())
}

/// How many rows the copies in the node's own datacenter have.
pub(super) async fn count(node: &Node) -> anyhow::Result<usize> {
    node.run(Consistency::LocalQuorum, "SELECT id FROM shop.orders")
        .await
}
