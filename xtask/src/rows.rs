//! The rows of the specification that the datacenters' part is built from: each has a test whose name begins with its id
//! (`cc07_...`, `en1_en2_...`), or a reason in `docs/compatibility.md` why it has none. Not both, and not neither.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::workspace;

/// Heading above the table of reasons.
const HEADING: &str = "## Rows without a test";
/// What is searched for tests.
const SOURCES: [&str; 3] = ["crates", "e2e/src", "e2e/tests"];
/// Family, and its rows from and to.
const ROWS: [(&str, u32, u32); 19] = [
    ("cc", 1, 65),
    ("c", 40, 48),
    ("c", 50, 58),
    ("c", 60, 73),
    ("c", 80, 85),
    ("c", 90, 114),
    ("c", 120, 120),
    ("c", 140, 145),
    ("c", 150, 152),
    ("en", 1, 7),
    ("te", 4, 5),
    ("te", 9, 15),
    ("pn", 1, 7),
    ("cd", 1, 4),
    ("im", 1, 3),
    ("me", 1, 24),
    ("re", 3, 4),
    ("re", 7, 7),
    // Take-over.
    ("c", 227, 227),
];

/// A row: `("cc", 7)`.
type Row = (String, u32);

/// Holds tests and reasons against the rows.
///
/// # Errors
/// Names every row that has neither, or both, and every reason for a row that there is not.
pub fn run() -> Result<()> {
    let root = workspace::root();
    let page = root.join("docs/compatibility.md");
    let page = fs::read_to_string(&page).with_context(|| page.display().to_string())?;
    let mut tests = BTreeMap::new();
    for folder in SOURCES {
        search(&root.join(folder), &mut tests)?;
    }
    let wrong = wrong(&tests, &reasons(&page));
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// What is wrong, one line each.
fn wrong(tests: &BTreeMap<Row, String>, reasons: &BTreeMap<Row, String>) -> Vec<String> {
    let rows: BTreeSet<Row> = ROWS
        .iter()
        .flat_map(|(family, from, to)| (*from..=*to).map(|number| ((*family).to_owned(), number)))
        .collect();
    let mut wrong = Vec::new();
    for row in &rows {
        match (tests.get(row), reasons.get(row)) {
            (None, None) => wrong.push(format!(
                "{} has neither a test nor a reason in docs/compatibility.md",
                shown(row)
            )),
            (Some(test), Some(_)) => wrong.push(format!(
                "{} has a reason why it has no test, and test {test}",
                shown(row)
            )),
            (None, Some(reason)) if reason.len() < 20 => {
                wrong.push(format!("the reason of {} says nothing", shown(row)));
            }
            _ => {}
        }
    }
    let strange = reasons.keys().filter(|row| !rows.contains(*row));
    wrong.extend(strange.map(|row| format!("{} has a reason, and there is no such row", shown(row))));
    wrong
}

fn shown((family, number): &Row) -> String {
    match family.as_str() {
        "cc" => format!("CC{number:02}"),
        "c" => format!("C{number:03}"),
        other => format!("{}-{number}", other.to_uppercase()),
    }
}

/// Reads `CC07`, `cc07`, `EN-1` or `en1`.
fn row(id: &str) -> Option<Row> {
    let id = id.trim().to_lowercase();
    let end = id.find(|it: char| !it.is_ascii_lowercase())?;
    let (family, number) = id.split_at(end);
    let number = number.strip_prefix('-').unwrap_or(number);
    let known = ROWS.iter().any(|(known, _, _)| *known == family);
    let digits = !number.is_empty() && number.len() <= 3 && number.bytes().all(|it| it.is_ascii_digit());
    if known && digits {
        Some((family.to_owned(), number.parse().ok()?))
    } else {
        None
    }
}

/// The rows that the name of a test begins with.
fn named(test: &str) -> Vec<Row> {
    test.split('_').map_while(row).collect()
}

/// The reasons below the heading: tables whose first column is one id or several, with commas between them.
fn reasons(page: &str) -> BTreeMap<Row, String> {
    let section = page.split_once(HEADING).map_or("", |(_, after)| after);
    let section = section.split_once("\n## ").map_or(section, |(of_it, _)| of_it);
    let mut reasons = BTreeMap::new();
    for line in section.lines() {
        let Some((ids, reason)) = line.strip_prefix('|').and_then(|line| line.split_once('|')) else {
            continue;
        };
        let reason = reason.trim_end_matches('|').trim().to_owned();
        for row in ids.split(',').filter_map(row) {
            reasons.insert(row, reason.clone());
        }
    }
    reasons
}

fn search(folder: &Path, tests: &mut BTreeMap<Row, String>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            search(&path, tests)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            for test in tests_in(&text) {
                tests.extend(named(&test).into_iter().map(|row| (row, test.clone())));
            }
        }
    }
    Ok(())
}

/// Names of the tests of a file: functions below an attribute that makes them one.
fn tests_in(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some(rest) = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ") {
            if is_test {
                names.extend(rest.split('(').next().map(str::to_owned));
            }
            is_test = false;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_test_or_a_reason() {
        run().unwrap();
    }

    #[test]
    fn a_name_claims_the_rows_that_it_begins_with() {
        let row = |family: &str, number| (family.to_owned(), number);
        assert_eq!(
            named("cc07_cc08_en1_a_plane"),
            [row("cc", 7), row("cc", 8), row("en", 1)]
        );
        assert_eq!(named("a_plane_of_cc07"), []);
        assert_eq!(named("c_60_x"), []);
    }

    #[test]
    fn only_tests_count() {
        let text = "fn cc01_no() {}\n#[test]\nfn cc02_yes() {\n#[tokio::test(start_paused = true)]\nasync fn cc03_yes() {\n";
        assert_eq!(tests_in(text), ["cc02_yes", "cc03_yes"]);
    }

    #[test]
    fn neither_both_and_nonsense_are_found() {
        let page = "x\n## Rows without a test\n\n| row | why |\n| --- | --- |\n\
            | CC01, cc02 | There is only one version of this kind. |\n| CC99 | Nobody knows why that is so. |\n\
            ## Next\n| CC03 | Not in this section, so it does not count. |\n";
        let reasons = reasons(page);
        assert_eq!(reasons.len(), 3);
        let mut tests: BTreeMap<Row, String> = ROWS
            .iter()
            .flat_map(|(family, from, to)| (*from..=*to).map(|number| ((*family).to_owned(), number)))
            .map(|row| (row, "some_test".to_owned()))
            .collect();
        for number in [1, 3] {
            tests.remove(&("cc".to_owned(), number));
        }
        assert_eq!(
            wrong(&tests, &reasons),
            [
                "CC02 has a reason why it has no test, and test some_test",
                "CC03 has neither a test nor a reason in docs/compatibility.md",
                "CC99 has a reason, and there is no such row",
            ]
        );
    }
}
