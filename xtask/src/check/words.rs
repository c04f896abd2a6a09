//! Words that belong to one machine and not to the project.

use anyhow::{Result, bail};

use crate::workspace;

/// Folders of a developer's machine, and hosts that serve packages: cargo and Go know where those are. In two parts each,
/// so that this file does not find itself.
const WORDS: [(&str, &str); 9] = [
    ("/ho", "me/"),
    ("/ro", "ot/"),
    ("/Us", "ers/"),
    ("/wo", "rk/"),
    ("index.cra", "tes.io"),
    ("static.cra", "tes.io"),
    ("proxy.gol", "ang.org"),
    ("repo.maven.apa", "che.org"),
    ("repo1.ma", "ven.org"),
];

/// Names every line of the tree with such a word.
pub fn run() -> Result<()> {
    let words = WORDS.map(|(one, other)| format!("{one}{other}"));
    let mut found = vec![];
    for path in workspace::files()? {
        let Some(text) = workspace::text(&path)? else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            let hit = words.iter().find(|word| has(line, word));
            found.extend(hit.map(|word| format!("{}:{}: {word}", path.display(), number + 1)));
        }
    }
    if found.is_empty() {
        Ok(())
    } else {
        bail!("{}", found.join("\n"))
    }
}

/// Whether a line has a word; a folder counts only where a path begins.
fn has(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(place, _)| {
        let before = line[..place].chars().next_back();
        !word.starts_with('/')
            || before.is_none_or(|letter| !letter.is_alphanumeric() && !"-_.*}".contains(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_found_where_a_path_begins() {
        let word = ["/ho", "me/"].concat();
        assert!(has(&format!("kubeconfig: {word}me/.kube"), &word));
        assert!(has(&format!("{word}me"), &word));
        assert!(!has("https://example.org/home/page", &word));
    }

    #[test]
    fn this_tree_has_none() {
        run().unwrap();
    }
}
