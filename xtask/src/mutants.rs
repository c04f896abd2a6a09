//! `cargo xtask mutants`: each story fails when what it is about is switched off.
//!
//! A patch in `e2e/mutants/` names the story that it must break, `# row: <id>` in its first line, or what must notice it
//! in memory, `# rig: P5, P14`, or both; `# in: S04` names scenarios where not all are tried. It is applied to a copy of
//! the tree, never to the tree itself.

mod copy;
pub mod rig;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};
use e2e::Binaries;

use crate::workspace;

/// Which mutants.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The mutant of this name, or those of the story with this id
    #[arg(long, value_name = "ID")]
    only: Option<String>,
    /// Those that are noticed in memory: run the five programs there until that is so, and write down after how many runs
    #[arg(long)]
    rig: bool,
}

/// One patch.
#[derive(Debug, PartialEq, Eq)]
struct Mutant {
    name: String,
    /// The story that must fail, if any.
    row: Option<String>,
    /// What must notice in memory, any of them: the words before the colon of a failure's line.
    rig: Vec<String>,
    /// The only scenarios in which that is tried, separated by commas; none = all.
    scenarios: Option<String>,
    patch: PathBuf,
}

/// What became of it.
enum Fate {
    /// What the story said.
    Killed(String),
    Survived,
    /// The patch says nothing of the story: it does not apply, does not build, or nothing could be told.
    Invalid(String),
}

/// Applies each, tells its story, and prints whether that failed.
///
/// # Errors
/// When a mutant survived or could not be tried.
pub fn run(args: &Args) -> Result<()> {
    let chosen = |mutant: &Mutant| match &args.only {
        None => true,
        Some(only) => mutant.name == *only || mutant.row.as_ref() == Some(only),
    };
    let mut mutants = all(&folder())?;
    mutants.retain(chosen);
    if args.rig {
        return rig::run(&mutants, args.only.is_none());
    }
    let mutants: Vec<(&Mutant, &str)> = mutants
        .iter()
        .filter_map(|mutant| Some((mutant, mutant.row.as_deref()?)))
        .collect();
    ensure!(!mutants.is_empty(), "no such mutant in e2e/mutants");
    let place = Place::new()?;
    let mut alive = vec![];
    for (mutant, row) in &mutants {
        match place.fate(mutant, row)? {
            Fate::Killed(said) => println!("mutant {} killed by row {row}\n  {said}", mutant.name),
            Fate::Survived => {
                println!("mutant {} SURVIVED row {row}", mutant.name);
                alive.push(mutant.name.as_str());
            }
            Fate::Invalid(why) => {
                println!("mutant {} INVALID: {why}", mutant.name);
                alive.push(mutant.name.as_str());
            }
        }
    }
    let killed = mutants.len() - alive.len();
    println!("mutants: {killed} of {} killed", mutants.len());
    if !alive.is_empty() {
        bail!("not killed: {}", alive.join(", "));
    }
    Ok(())
}

fn folder() -> PathBuf {
    workspace::root().join("e2e/mutants")
}

/// Every patch of a folder, in order.
fn all(folder: &Path) -> Result<Vec<Mutant>> {
    let mut mutants = vec![];
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let patch = entry?.path();
        if patch.extension().is_none_or(|is| is != "patch") {
            continue;
        }
        let text = fs::read_to_string(&patch).with_context(|| format!("reading {}", patch.display()))?;
        let head = |key: &str| {
            let mut head = text.lines().take_while(|line| line.starts_with('#'));
            head.find_map(|line| Some(line.strip_prefix(key)?.trim().to_owned()))
        };
        let (row, rig, scenarios) = (head("# row: "), head("# rig: "), head("# in: "));
        ensure!(
            row.is_some() || rig.is_some(),
            "{} does not begin with `# row: <id>` or `# rig: <property>`",
            patch.display()
        );
        let rig = rig.as_deref().unwrap_or_default().split(',').map(str::trim);
        let name = patch
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        mutants.push(Mutant {
            name,
            row,
            rig: rig.filter(|by| !by.is_empty()).map(str::to_owned).collect(),
            scenarios,
            patch,
        });
    }
    mutants.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(mutants)
}

/// A copy of the tree, and where it is built.
struct Copied {
    tree: PathBuf,
    target: PathBuf,
}

impl Copied {
    fn new() -> Result<Copied> {
        let place = workspace::target().join("mutants");
        fs::create_dir_all(&place)?;
        let place = place.canonicalize()?;
        Ok(Copied {
            tree: place.join("tree"),
            target: place.join("target"),
        })
    }

    /// Makes the copy anew, with this patch; says why that cannot be.
    fn with(&self, mutant: &Mutant) -> Result<Option<String>> {
        copy::tree(&workspace::root(), &workspace::files()?, &self.tree)?;
        let mut apply = Command::new("git");
        // The copy lies inside the tree that it is a copy of: without this, git would look at that one.
        apply.env(
            "GIT_CEILING_DIRECTORIES",
            self.tree.parent().unwrap_or(&self.tree),
        );
        apply.current_dir(&self.tree).arg("apply").arg(&mutant.patch);
        let applied = output(&mut apply)?;
        Ok((!applied.status.success()).then(|| format!("does not apply: {}", last_line(&applied.stderr))))
    }

    fn cargo(&self) -> Command {
        let mut cargo = workspace::cargo();
        cargo
            .current_dir(&self.tree)
            .env("CARGO_TARGET_DIR", &self.target);
        cargo
    }
}

/// Where mutants live.
struct Place {
    copy: Copied,
    /// The folder of etcd and the others, so that no copy builds them again.
    assets: PathBuf,
}

impl Place {
    fn new() -> Result<Place> {
        let assets = Binaries::find()?.apiserver;
        let assets = assets
            .parent()
            .context("kube-apiserver is in no folder")?
            .canonicalize()?;
        Ok(Place {
            copy: Copied::new()?,
            assets,
        })
    }

    fn fate(&self, mutant: &Mutant, row: &str) -> Result<Fate> {
        if let Some(why) = self.copy.with(mutant)? {
            return Ok(Fate::Invalid(why));
        }
        let built = output(self.cargo().args([
            "build",
            "--locked",
            "--quiet",
            "-p",
            "xtask",
            "-p",
            "ringspan",
            "-p",
            "ringspan-fake-datacenter",
        ]))?;
        if !built.status.success() {
            let said = String::from_utf8_lossy(&built.stderr).into_owned();
            return Ok(Fate::Invalid(format!("does not build:\n{said}")));
        }
        let mut tell = self.cargo();
        tell.args(["xtask", "e2e", "--only", row]);
        if e2e::stories::ALL
            .iter()
            .any(|story| story.id == row && story.real)
        {
            tell.args(["--cassandra", "real"]);
        }
        let told = output(&mut tell)?;
        Ok(fate(row, told.status.success(), &told))
    }

    fn cargo(&self) -> Command {
        let mut cargo = self.copy.cargo();
        cargo.env("KUBEBUILDER_ASSETS", &self.assets);
        cargo
    }
}

/// Only the story's own red row counts: a harness that breaks kills nothing.
fn fate(row: &str, succeeded: bool, told: &Output) -> Fate {
    let said = String::from_utf8_lossy(&told.stdout);
    let begins = |what: &str| {
        said.lines()
            .find(|line| line.starts_with(&format!("row {row} {what}")))
    };
    match (begins("fail"), begins("ok"), succeeded) {
        (Some(line), None, false) => Fate::Killed(line.to_owned()),
        (None, Some(_), true) => Fate::Survived,
        _ => Fate::Invalid(format!("story {row} was not told: {}", last_line(&told.stderr))),
    }
}

fn output(command: &mut Command) -> Result<Output> {
    command
        .output()
        .with_context(|| format!("{} cannot be run", command.get_program().display()))
}

fn last_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.lines()
        .rfind(|line| !line.trim().is_empty())
        .unwrap_or("nothing was said")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn said(stdout: &str, code: i32) -> Fate {
        let status = ExitStatus::from_raw(code << 8);
        let told = Output {
            status,
            stdout: stdout.into(),
            stderr: b"no API server\n".to_vec(),
        };
        fate("add", status.success(), &told)
    }

    #[test]
    fn only_the_red_row_of_its_own_story_kills_a_mutant() {
        assert!(matches!(said("row add fail nothing came\n", 1), Fate::Killed(_)));
        assert!(matches!(said("row add ok (3.0 s)\n", 0), Fate::Survived));
        assert!(matches!(
            said("row size fail nothing came\n", 1),
            Fate::Invalid(_)
        ));
        let Fate::Invalid(why) = said("", 1) else {
            panic!("nothing was told")
        };
        assert_eq!(why, "story add was not told: no API server");
    }

    #[test]
    fn a_patch_says_in_its_first_lines_what_must_fail() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("b.patch"),
            "# row: size\n# rig: P5, P14\n--- a/x\n",
        )
        .unwrap();
        fs::write(folder.path().join("a.patch"), "# row: add\n--- a/x\n").unwrap();
        fs::write(
            folder.path().join("d.patch"),
            "# rig: rule 3\n--- a/x\n# row: no\n",
        )
        .unwrap();
        fs::write(folder.path().join("README.md"), "").unwrap();
        let found = all(folder.path()).unwrap();
        let heads: Vec<_> = found
            .iter()
            .map(|it| (it.name.as_str(), it.row.as_deref(), it.rig.join(" or ")))
            .collect();
        let none = String::new();
        assert_eq!(
            heads,
            [
                ("a", Some("add"), none),
                ("b", Some("size"), "P5 or P14".to_owned()),
                ("d", None, "rule 3".to_owned()),
            ]
        );
        fs::write(folder.path().join("c.patch"), "--- a/x\n").unwrap();
        let said = all(folder.path()).unwrap_err().to_string();
        assert!(
            said.contains("c.patch does not begin with `# row: <id>`"),
            "{said}"
        );
    }

    #[test]
    fn every_patch_applies_to_the_tree_as_it_is() {
        for mutant in all(&folder()).unwrap() {
            let mut check = Command::new("git");
            check.current_dir(workspace::root()).args(["apply", "--check"]);
            let checked = output(check.arg(&mutant.patch)).unwrap();
            assert!(
                checked.status.success(),
                "{}: {}",
                mutant.name,
                String::from_utf8_lossy(&checked.stderr)
            );
        }
    }
}
