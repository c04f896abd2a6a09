//! What the documents tell people to run exists.

use anyhow::{Result, bail, ensure};
use clap::CommandFactory;

use crate::{Xtask, workspace};

/// Every `cargo xtask` in README.md and docs/ is a command that there is, with flags that it has.
pub fn run() -> Result<()> {
    ensure!(
        workspace::root().join("README.md").is_file(),
        "there is no README.md"
    );
    let known = Xtask::command();
    let mut wrong = vec![];
    for path in workspace::files()? {
        let document = path.extension().is_some_and(|is| is == "md");
        let ours = path.starts_with("docs") || path.as_os_str() == "README.md";
        let Some(text) = workspace::text(&path)?.filter(|_| document && ours) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            let complaints = complaints(&known, line);
            wrong.extend(complaints.map(|said| format!("{}:{}: {said}", path.display(), number + 1)));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        bail!("{}", wrong.join("\n"))
    }
}

/// What is wrong with the commands in a line.
fn complaints<'a>(known: &'a clap::Command, line: &'a str) -> impl Iterator<Item = String> + 'a {
    let told = line.split("cargo xtask").skip(1);
    told.filter_map(|rest| complaint(known, rest))
}

fn complaint(known: &clap::Command, rest: &str) -> Option<String> {
    // The end of a span of code, a cell or a pipe ends the command; brackets only say that a flag may be left out.
    let rest = rest.split(['`', '|', '#', ';', '&', ')']).next()?;
    let words = rest
        .split_whitespace()
        .map(|word| word.trim_matches(['[', ']', '.', ',', ':']));
    let (mut command, mut told) = (known, "cargo xtask".to_owned());
    for word in words.filter(|word| !word.is_empty()) {
        if let Some(flag) = word.strip_prefix("--") {
            let flag = flag.split('=').next().unwrap_or(flag);
            let has = command.get_arguments().any(|arg| arg.get_long() == Some(flag));
            if !has && flag != "help" {
                return Some(format!("`{told}` has no --{flag}"));
            }
        } else if command.has_subcommands() {
            told = format!("{told} {word}");
            let Some(found) = command.find_subcommand(word) else {
                return Some(format!("there is no `{told}`"));
            };
            command = found;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Vec<String> {
        complaints(&Xtask::command(), line).collect()
    }

    #[test]
    fn a_command_that_does_not_exist_is_named() {
        assert_eq!(
            said("run `cargo xtask dance` now"),
            ["there is no `cargo xtask dance`"]
        );
        assert_eq!(
            said("`cargo xtask check --fast`"),
            ["`cargo xtask check` has no --fast"]
        );
        assert_eq!(
            said("`cargo xtask bench speed`"),
            ["there is no `cargo xtask bench speed`"]
        );
    }

    #[test]
    fn real_ones_are_let_through() {
        assert_eq!(
            said("| `cargo xtask e2e [--only x]` | `cargo xtask crds --check` |"),
            Vec::<String>::new()
        );
        assert_eq!(
            said("cargo xtask bench size  # prints --numbers"),
            Vec::<String>::new()
        );
        assert_eq!(
            said("`cargo xtask` is the only entry point"),
            Vec::<String>::new()
        );
    }
}
