//! `docs/reliability.md`: what came of the sweep that every change has to pass, as the rig counted it.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::mutants::rig::{self, Killed};
use crate::workspace;

/// Where it is.
pub fn file() -> PathBuf {
    workspace::root().join("docs/reliability.md")
}

/// The page from the figures of a sweep, and from what became of the mutants when they were last tried. Nothing in it
/// depends on the machine: the same code gives the same page.
///
/// # Errors
/// The figures are not those of a sweep.
pub fn page(figures: &str) -> Result<String> {
    page_of(figures, &rig::killed()?, &rig::names()?)
}

fn page_of(figures: &str, killed: &[Killed], mutants: &[String]) -> Result<String> {
    let figures: Value = serde_json::from_str(figures).context("the figures of the sweep")?;
    let rows = figures.as_object().context("the figures are no object")?;
    let mut page = HEAD.to_owned();
    for property in list(&figures["properties"]) {
        writeln!(
            page,
            "| {} | {} |",
            text(&property["id"]),
            text(&property["what"])
        )?;
    }
    page.push_str(ROWS);
    for (name, row) in rows.iter().filter(|(name, _)| name.starts_with('F')) {
        let number = |field: &str| row[field].as_u64().unwrap_or_default();
        let cells = ["possible", "runs", "violations", "diverged"].map(|field| number(field).to_string());
        writeln!(page, "| {name} | {} |", cells.join(" | "))?;
    }
    page.push_str(WHOLE);
    for (name, whole) in figures["exhaustive"].as_object().into_iter().flatten() {
        writeln!(page, "| {name} | {} of {} |", whole["runs"], whole["of"])?;
    }
    let total = &figures["total"];
    writeln!(
        page,
        "\n{} runs in all, of which {} failed.",
        total["runs"], total["failed"]
    )?;
    open(&mut page, &figures["open"])?;
    page.push_str(MUTANTS);
    for mutant in mutants {
        match killed.iter().find(|it| it.mutant == *mutant) {
            Some(it) => writeln!(page, "| {mutant} | {} | {} |", it.runs, it.by)?,
            None => writeln!(page, "| {mutant} | not tried yet | |")?,
        }
    }
    Ok(page)
}

fn open(page: &mut String, open: &Value) -> Result<()> {
    page.push_str(OPEN);
    for it in list(open) {
        writeln!(page, "- `{}`: {}", text(&it["plan"]), text(&it["why"]))?;
    }
    if list(open).is_empty() {
        page.push_str("None.\n");
    }
    Ok(())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

const HEAD: &str = "\
# Reliability

`cargo xtask faults` wrote this page; `cargo xtask test --faults` sweeps again and fails where the page says something else.

The five programs, a control plane, three data planes, a stand-in for cass-operator in each and a model of the Cassandra ring
run in one thread and in virtual time (`crates/fault-rig`), with the roles that are shipped. A plan of one line says what goes
wrong and where; the same line gives the same run, write for write, so that each failure can be told again:

```console
$ cargo xtask faults replay 'scenario=S04 seed=7 fault=CrashAfter program=cluster-reconciler write=29'
```

After the last fault a run must come to the same end as the run without faults, write nothing any more, and stay quiet when
all five programs are started again. Plans that once failed stay as tests (`crates/fault-rig/tests/plans/kept.txt`).

## What is looked at

At every accepted write, every call and every line of the logs, by a monitor for each property (`crates/fault-rig/src/monitor/`):

| property | what holds |
| --- | --- |
";

const ROWS: &str = "
## What is done to the programs

*Possible*: plans that there are for all scenarios. *Runs*: those of them that are run, chosen evenly; a row
without a run fails. *Violations*: runs in which a property did not hold. *Other ends*: runs that ended otherwise than the one
without faults.

| row | possible | runs | violations | other ends |
| --- | --- | --- | --- | --- |
";

const WHOLE: &str = "
## Swept whole

Every write of every program, in the creation of three datacenters (S02) and the removal of one (S04).

| scenario and row | runs |
| --- | --- |
";

const OPEN: &str = "
## Open

Plans that fail still (`crates/fault-rig/tests/plans/open.txt`). They are run beside the others and counted apart; one that
passes fails the sweep, so that it is moved to the plans that are kept.

";

const MUTANTS: &str = "
## The rig itself is tested

Programs that were broken on purpose (`e2e/mutants/`, those that name what must notice in a line `# rig:`), and after how many
runs that was noticed, as `cargo xtask mutants --rig` last wrote it down. The order of the runs is the same for all: every
scenario without a fault, each of them again, then plans of all rows in turns.

| broken on purpose | runs | noticed by |
| --- | --- | --- |
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_a_line_for_each_row_and_none_for_what_depends_on_the_machine() {
        let figures = r#"{
            "F01.crash_before": {"possible": 57, "runs": 9, "violations": 1, "diverged": 2, "cost_seconds": 3},
            "exhaustive": {"S02 F01.crash_before": {"runs": 57, "of": 57}},
            "properties": [{"id": "P5", "what": "one ring"}],
            "open": [{"plan": "scenario=S01 seed=7", "why": "It is slow."}],
            "total": {"runs": 66, "failed": 3}
        }"#;
        let killed = [Killed {
            mutant: "two-founders".to_owned(),
            runs: 4,
            by: "P5".to_owned(),
        }];
        let page = page_of(figures, &killed, &["two-founders".to_owned(), "young".to_owned()]).unwrap();
        for line in [
            "| P5 | one ring |\n",
            "| F01.crash_before | 57 | 9 | 1 | 2 |\n",
            "| S02 F01.crash_before | 57 of 57 |\n",
            "\n66 runs in all, of which 3 failed.\n",
            "- `scenario=S01 seed=7`: It is slow.\n",
            "| two-founders | 4 | P5 |\n",
            "| young | not tried yet | |\n",
        ] {
            assert!(page.contains(line), "{page}");
        }
        assert!(page_of("[]", &killed, &[]).is_err());
    }
}
