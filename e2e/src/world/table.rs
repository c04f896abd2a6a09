//! Objects as kubectl prints them: the server makes the table, and here it is only laid out.

use anyhow::Context;
use http::header::ACCEPT;
use serde_json::Value;

use super::World;

const AS_TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";
/// Between columns.
const GAP: &str = "   ";

impl World {
    /// What `kubectl get` prints for a path of the control plane's API. `all`: with the namespace of each, as with `-A`.
    ///
    /// # Errors
    /// The API server does not answer with a table.
    pub async fn table(&self, path: &str, all: bool) -> anyhow::Result<String> {
        let request = http::Request::get(path)
            .header(ACCEPT, AS_TABLE)
            .body(Vec::new())?;
        let answer = self.planes.control.client().request::<Value>(request).await;
        laid_out(&answer.with_context(|| path.to_owned())?, all)
    }
}

fn laid_out(table: &Value, all: bool) -> anyhow::Result<String> {
    let columns = table["columnDefinitions"].as_array().context("no table")?;
    let shown: Vec<usize> = (0..columns.len())
        .filter(|place| columns[*place]["priority"] == 0)
        .collect();
    let namespace = |title: &str| all.then(|| title.to_owned());
    let titles = shown.iter().map(|place| {
        columns[*place]["name"]
            .as_str()
            .unwrap_or_default()
            .to_uppercase()
    });
    let mut lines: Vec<Vec<String>> = vec![namespace("NAMESPACE").into_iter().chain(titles).collect()];
    for row in table["rows"].as_array().into_iter().flatten() {
        let of = row["object"]["metadata"]["namespace"]
            .as_str()
            .unwrap_or_default();
        let cells = shown.iter().map(|place| cell(&row["cells"][*place]));
        lines.push(namespace(of).into_iter().chain(cells).collect());
    }
    Ok(lines.iter().fold(String::new(), |text, line| {
        text + line_of(line, &lines).trim_end() + "\n"
    }))
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A line with each of its cells as wide as the widest of that column.
fn line_of(line: &[String], all: &[Vec<String>]) -> String {
    let cells = line.iter().enumerate().map(|(place, cell)| {
        let width = all
            .iter()
            .filter_map(|line| line.get(place))
            .map(String::len)
            .max();
        format!("{cell:<width$}", width = width.unwrap_or_default())
    });
    cells.collect::<Vec<_>>().join(GAP)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_stand_below_each_other_and_details_are_left_out() {
        let column = |name: &str, priority: u8| json!({"name": name, "priority": priority});
        let row = |name: &str, ready: Value| json!({"cells": [name, ready, "long"], "object": {"metadata": {"namespace": "db"}}});
        let table = json!({
            "columnDefinitions": [column("Name", 0), column("Ready", 0), column("Why", 1)],
            "rows": [row("demo", json!(true)), row("longer-name", Value::Null)],
        });
        let expected =
            "NAMESPACE   NAME          READY\ndb          demo          true\ndb          longer-name\n";
        assert_eq!(laid_out(&table, true).unwrap(), expected);
        assert_eq!(
            laid_out(&table, false).unwrap().lines().next(),
            Some("NAME          READY")
        );
    }
}
