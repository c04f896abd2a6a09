//! What goes wrong with real nodes: what users are told, that others go on, and that it heals.

mod join;
mod node;
mod password;

pub(in crate::stories) use join::join;
pub(in crate::stories) use node::node;
pub(in crate::stories) use password::password;

use anyhow::ensure;
use scylla::statement::Consistency;

use crate::world::{Node, NodeView};

/// That a text has all of these in it.
fn has_all(text: &str, parts: &[&str]) -> anyhow::Result<()> {
    for part in parts {
        ensure!(text.contains(part), "{part:?} is not in {text:?}");
    }
    Ok(())
}

/// The view of a datacenter's node in this rack, by the name of its pod.
fn view_of<'a>(views: &'a [NodeView], pod: &str) -> anyhow::Result<&'a NodeView> {
    let found = views.iter().find(|view| view.node.ends_with(pod));
    found.ok_or_else(|| anyhow::anyhow!("no view of {pod}"))
}

/// A row is written and read at this level.
async fn works(node: &Node, id: u32, level: Consistency) -> anyhow::Result<()> {
    let row = format!("INSERT INTO shop.orders (id, what) VALUES ({id}, 'order {id}')");
    node.run(level, &row).await?;
    has_row(node, id, level).await
}

async fn has_row(node: &Node, id: u32, level: Consistency) -> anyhow::Result<()> {
    let row = format!("SELECT what FROM shop.orders WHERE id = {id}");
    let found = node.text(level, &row).await?;
    ensure!(found == Some(format!("order {id}")), "row {id} is {found:?}");
    Ok(())
}
