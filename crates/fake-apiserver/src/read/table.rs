//! Objects as rows of a table: what kubectl asks for.
//!
//! Only those of definitions, which say themselves what their columns are; a client that is answered with plain objects makes a table
//! of its own.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::ask::Ask;
use crate::definitions::Column;
use crate::object::Object;
use crate::state::State;

/// Whether a table is asked for and can be given.
pub(super) fn is_wanted(ask: &Ask<'_>) -> bool {
    ask.accept.contains("as=Table") && !ask.kind.columns.is_empty()
}

/// The table of some objects.
pub(super) fn of<'o>(
    state: &State,
    ask: &Ask<'_>,
    mut metadata: Value,
    objects: impl Iterator<Item = &'o Arc<Object>>,
) -> Vec<u8> {
    let columns = &ask.kind.columns;
    let now = state.clock.seconds();
    let definitions: Vec<_> = columns.iter().map(Column::definition).collect();
    if let Some(fields) = metadata.as_object_mut()
        && fields.get("continue") == Some(&"".into())
    {
        fields.remove("continue");
    }
    let head = json!({"metadata": metadata, "columnDefinitions": definitions}).to_string();
    let mut text = format!(
        "{{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",{},\"rows\":[",
        &head[1..head.len() - 1]
    )
    .into_bytes();
    for (number, object) in objects.enumerate() {
        if number > 0 {
            text.push(b',');
        }
        let cells: Vec<_> = columns
            .iter()
            .map(|column| column.cell(&object.value, now))
            .collect();
        text.extend_from_slice(format!("{{\"cells\":{},\"object\":", Value::from(cells)).as_bytes());
        match ask.query.get("includeObject").as_deref() {
            Some("None") => text.extend_from_slice(b"null"),
            Some("Object") => object.write(&ask.kind, ask.shown, &mut text),
            _ => object.write_metadata(&mut text),
        }
        text.push(b'}');
    }
    text.extend_from_slice(b"]}");
    text
}
