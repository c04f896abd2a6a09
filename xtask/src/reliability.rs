//! `docs/reliability.md`: what came of the sweep that every change has to pass, as the rig counted it.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::workspace;

/// Where it is.
pub fn file() -> PathBuf {
    workspace::root().join("docs/reliability.md")
}

/// The page from the figures of a sweep. Nothing in it depends on the machine: the same code gives the same page.
///
/// # Errors
/// The figures are not those of a sweep.
pub fn page(figures: &str) -> Result<String> {
    let figures: Value = serde_json::from_str(figures).context("the figures of the sweep")?;
    let rows = figures.as_object().context("the figures are no object")?;
    let mut page = HEAD.to_owned();
    for (name, row) in rows.iter().filter(|(name, _)| name.starts_with('F')) {
        let number = |field: &str| row[field].as_u64().unwrap_or_default();
        writeln!(
            page,
            "| {name} | {} | {} | {} | {} |",
            number("possible"),
            number("runs"),
            number("violations"),
            number("diverged")
        )?;
    }
    page.push_str(WHOLE);
    for (name, whole) in figures["exhaustive"].as_object().into_iter().flatten() {
        writeln!(page, "| {name} | {} of {} |", whole["runs"], whole["of"])?;
    }
    let total = &figures["total"];
    write!(
        page,
        "\n{} runs in all, of which {} failed.\n",
        total["runs"], total["failed"]
    )?;
    Ok(page)
}

const HEAD: &str = "\
# Reliability

`cargo xtask faults` wrote this page; `cargo xtask test` sweeps again and fails where the page says something else.

The five programs, a control plane, three data planes, a stand-in for cass-operator in each and a model of the Cassandra ring
run in one thread and in virtual time (`crates/fault-rig`), with the roles that are shipped. A plan of one line says what goes
wrong and where; the same line gives the same run, write for write, so that each failure can be told again:

```console
$ cargo xtask faults replay 'scenario=S04 seed=7 fault=CrashAfter program=cluster-reconciler write=29'
```

Plans that once failed stay as tests (`crates/fault-rig/tests/plans/kept.txt`). While a run goes on, monitors look at every
accepted write, every call and every line of the logs (`crates/fault-rig/src/monitor/`, a file for each property): nothing is
deleted without consent, nobody else's objects are written, disks, identities and seeds stay, there is one ring, one disruption
at a time, no password where it does not belong, every field has one writer. After the last fault the run must come to the same
end as the run without faults, write nothing any more, and stay quiet when all five programs are started again.

## What is done to the programs

*Possible*: plans that there are for all scenarios. *Runs*: those of them that are run for every change, chosen evenly; a row
without a run fails. *Violations*: runs in which a property did not hold. *Other ends*: runs that ended otherwise than the one without faults.

| row | possible | runs | violations | other ends |
| --- | --- | --- | --- | --- |
";

const WHOLE: &str = "
## Swept whole

Every write of every program, in the creation of three datacenters (S02) and the removal of one (S04).

| scenario and row | runs |
| --- | --- |
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_a_line_for_each_row_and_none_for_what_depends_on_the_machine() {
        let figures = r#"{
            "F01.crash_before": {"possible": 57, "runs": 9, "violations": 1, "diverged": 2, "cost_seconds": 3},
            "exhaustive": {"S02 F01.crash_before": {"runs": 57, "of": 57}},
            "total": {"runs": 66, "failed": 3}
        }"#;
        let page = page(figures).unwrap();
        for line in [
            "| F01.crash_before | 57 | 9 | 1 | 2 |\n",
            "| S02 F01.crash_before | 57 of 57 |\n",
            "\n66 runs in all, of which 3 failed.\n",
        ] {
            assert!(page.contains(line), "{page}");
        }
        assert!(super::page("[]").is_err());
    }
}
