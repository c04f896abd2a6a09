//! Mutants that are noticed in memory: `fault-rig hunt` runs plan after plan until one fails as it should.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use super::{Copied, Mutant, all, folder, last_line, output};

/// A mutant, and how it was noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Killed {
    /// Its name.
    pub mutant: String,
    /// After how many runs.
    pub runs: u32,
    /// By which property.
    pub by: String,
}

/// What was written down when all were last tried.
fn list() -> PathBuf {
    folder().join("killed.txt")
}

/// Tries each, prints after how many runs of which plan it was noticed, and writes that down if all were tried.
///
/// # Errors
/// When a mutant survived or could not be tried.
pub(super) fn run(mutants: &[Mutant], every: bool) -> Result<()> {
    let mutants: Vec<_> = mutants.iter().filter(|mutant| !mutant.rig.is_empty()).collect();
    ensure!(!mutants.is_empty(), "no such mutant in e2e/mutants");
    let copy = Copied::new()?;
    let (mut killed, mut alive) = (vec![], vec![]);
    for mutant in mutants {
        let said = hunted(&copy, mutant)?;
        println!("mutant {} {said}", mutant.name);
        match read(&mutant.name, &said) {
            Some(it) => killed.push(it),
            None => alive.push(mutant.name.as_str()),
        }
    }
    println!(
        "mutants: {} of {} killed",
        killed.len(),
        killed.len() + alive.len()
    );
    if !alive.is_empty() {
        bail!("not killed: {}", alive.join(", "));
    }
    if every {
        let line = |it: &Killed| format!("{} {} {}\n", it.mutant, it.runs, it.by);
        fs::write(list(), killed.iter().map(line).collect::<String>())?;
    }
    Ok(())
}

/// The last line of the hunt, or why there was none.
fn hunted(copy: &Copied, mutant: &Mutant) -> Result<String> {
    if let Some(why) = copy.with(mutant)? {
        return Ok(format!("INVALID: {why}"));
    }
    let rig = ["--locked", "--quiet", "-p", "ringspan-fault-rig"];
    let built = output(copy.cargo().arg("build").args(rig))?;
    if !built.status.success() {
        let said = String::from_utf8_lossy(&built.stderr);
        return Ok(format!("INVALID: does not build:\n{said}"));
    }
    let by = mutant.rig.join(",");
    let mut hunt = copy.cargo();
    hunt.arg("run").args(rig).args(["--", "hunt", "--by", &by]);
    if let Some(scenarios) = &mutant.scenarios {
        hunt.args(["--scenarios", scenarios]);
    }
    let told = output(&mut hunt)?;
    if !told.status.success() {
        return Ok(format!("INVALID: {}", last_line(&told.stderr)));
    }
    Ok(last_line(&told.stdout))
}

/// From `killed after 3 runs by <plan>: P5: ...`.
fn read(mutant: &str, said: &str) -> Option<Killed> {
    let (runs, what) = said.strip_prefix("killed after ")?.split_once(" runs by ")?;
    let mut parts = what.split(": ");
    Some(Killed {
        mutant: mutant.to_owned(),
        runs: runs.parse().ok()?,
        by: parts.nth(1)?.to_owned(),
    })
}

/// What became of the mutants when they were last tried.
///
/// # Errors
/// When the list cannot be read, or tells of mutants that there are no more.
pub fn killed() -> Result<Vec<Killed>> {
    let text =
        fs::read_to_string(list()).context("e2e/mutants/killed.txt: cargo xtask mutants --rig writes it")?;
    let line = |line: &str| {
        let mut words = line.splitn(3, ' ');
        Some(Killed {
            mutant: words.next()?.to_owned(),
            runs: words.next()?.parse().ok()?,
            by: words.next()?.to_owned(),
        })
    };
    let killed: Vec<Killed> = text.lines().filter_map(line).collect();
    let names = names()?;
    ensure!(
        killed.iter().all(|it| names.contains(&it.mutant)),
        "e2e/mutants/killed.txt tells of mutants that there are no more: cargo xtask mutants --rig"
    );
    Ok(killed)
}

/// The mutants that have to be noticed in memory.
///
/// # Errors
/// When they cannot be read.
pub fn names() -> Result<Vec<String>> {
    let mutants = all(&folder())?
        .into_iter()
        .filter(|mutant| !mutant.rig.is_empty());
    Ok(mutants.map(|mutant| mutant.name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hunt_that_ended_well_kills() {
        let said = "killed after 21 runs by scenario=S01 seed=7 fault=Partition:Silent plane=east from=0 until=9: P12: west was late";
        let killed = read("deaf", said).unwrap();
        assert_eq!((killed.runs, killed.by.as_str()), (21, "P12"));
        for said in [
            "alive after 400 runs",
            "INVALID: does not build:\nkilled after",
            "",
        ] {
            assert_eq!(read("deaf", said), None, "{said}");
        }
    }

    #[test]
    fn what_is_written_down_is_about_the_mutants_that_there_are() {
        assert!(!killed().unwrap().is_empty());
    }
}
