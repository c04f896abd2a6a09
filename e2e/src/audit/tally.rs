//! Requests counted per program, verb and kind.

use std::collections::BTreeMap;
use std::fmt;

use super::Entry;

/// How fine a [`Tally`] is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Detail {
    /// One row per program, verb and kind, over all planes.
    Kind,
    /// One row per plane and object too.
    Object,
}

/// What is counted together. Its order is the order of the table.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Row {
    /// See [`Entry::program`].
    pub program: String,
    /// Plural of the resource, with `/status` and the like.
    pub kind: String,
    /// As in [`Entry::verb`].
    pub verb: String,
    /// Name of the API server; empty with [`Detail::Kind`].
    pub plane: String,
    /// `namespace/name`; empty with [`Detail::Kind`].
    pub object: String,
}

/// How often.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Count {
    /// All of them.
    pub all: usize,
    /// Those answered with 409.
    pub conflicts: usize,
    /// Those answered with another code from 400 on.
    pub refused: usize,
}

/// A table of requests: the same requests always give the same table.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Everything but Events.
    pub rows: BTreeMap<Row, Count>,
    /// Events apart, as they are not counted against a budget of writes.
    pub events: BTreeMap<Row, Count>,
}

impl Tally {
    /// Counts whatever is given: filter by [`Entry::is_write`] or [`Entry::is_read`], and by whose they are, before.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>, detail: Detail) -> Self {
        let mut tally = Self::default();
        for entry in entries {
            let rows = if entry.is_event() {
                &mut tally.events
            } else {
                &mut tally.rows
            };
            rows.entry(row(entry, detail)).or_default().add(entry);
        }
        tally
    }

    /// All but Events.
    #[must_use]
    pub fn total(&self) -> usize {
        self.rows.values().map(|count| count.all).sum()
    }

    /// All but Events, by one program.
    #[must_use]
    pub fn total_by(&self, program: &str) -> usize {
        self.rows
            .iter()
            .filter(|(row, _)| row.program == program)
            .map(|(_, count)| count.all)
            .sum()
    }

    /// Answers 409, Events included.
    #[must_use]
    pub fn conflicts(&self) -> usize {
        self.rows
            .values()
            .chain(self.events.values())
            .map(|count| count.conflicts)
            .sum()
    }
}

fn row(entry: &Entry, detail: Detail) -> Row {
    let slash = if entry.subresource.is_empty() { "" } else { "/" };
    let mut row = Row {
        program: entry.program().to_owned(),
        kind: format!("{}{slash}{}", entry.resource, entry.subresource),
        verb: entry.verb.clone(),
        ..Row::default()
    };
    if detail == Detail::Object {
        row.plane.clone_from(&entry.plane);
        let slash = if entry.namespace.is_empty() { "" } else { "/" };
        row.object = format!("{}{slash}{}", entry.namespace, entry.name);
    }
    row
}

impl Count {
    fn add(&mut self, entry: &Entry) {
        self.all += 1;
        if entry.is_conflict() {
            self.conflicts += 1;
        } else if entry.code >= 400 {
            self.refused += 1;
        }
    }
}

/// Aligned columns without a header: program, kind, verb, count, then plane and object where there are any, then what went
/// wrong. Events come last, and a line with the totals.
impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = || self.rows.iter().chain(&self.events);
        let width = |of: fn(&Row) -> &str| rows().map(|(row, _)| of(row).len()).max().unwrap_or_default();
        let (programs, kinds) = (width(|row| &row.program), width(|row| &row.kind));
        let (verbs, planes) = (width(|row| &row.verb), width(|row| &row.plane));
        for (row, count) in rows() {
            let Row {
                program,
                kind,
                verb,
                plane,
                object,
            } = row;
            let wrong = match (count.conflicts, count.refused) {
                (0, 0) => String::new(),
                (conflicts, refused) => format!("  ({conflicts} conflicts, {refused} refused)"),
            };
            let line = format!(
                "{program:programs$}  {kind:kinds$}  {verb:verbs$}  {:4}  {plane:planes$}  {object}",
                count.all
            );
            writeln!(formatter, "{}{wrong}", line.trim_end())?;
        }
        let events: usize = self.events.values().map(|count| count.all).sum();
        write!(
            formatter,
            "total {}, events {events}, conflicts {}",
            self.total(),
            self.conflicts()
        )
    }
}
