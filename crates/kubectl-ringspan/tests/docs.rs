//! Every `kubectl ringspan` in README.md and docs/ is a command that there is, with flags that it has.

use std::path::Path;

use clap::CommandFactory;
use kubectl_ringspan::Program;

/// What is wrong with the commands of a text; a command ends with its span of code, its line of a block, or at a pipe.
fn complaints(text: &str) -> Vec<String> {
    let known = Program::command();
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut wrong = Vec::new();
    for rest in flat.split("kubectl ringspan").skip(1) {
        let told = rest.split(['`', '|', '$', '#', ')']).next().unwrap_or_default();
        let mut command = &known;
        for word in told.split_whitespace() {
            let word = word.trim_matches(['[', ']', ',', '.', ':', ';']);
            if let Some(flag) = word.strip_prefix("--") {
                let has = command.get_arguments().any(|it| it.get_long() == Some(flag));
                if !has && flag != "help" {
                    wrong.push(format!("kubectl ringspan{told}: no flag --{flag}"));
                }
            } else if let Some(flag) = word.strip_prefix('-') {
                let has = command
                    .get_arguments()
                    .any(|it| it.get_short() == flag.chars().next());
                if !has {
                    wrong.push(format!("kubectl ringspan{told}: no flag -{flag}"));
                }
            } else if command.has_subcommands() {
                let Some(found) = command.find_subcommand(word) else {
                    wrong.push(format!("kubectl ringspan{told}: no command {word}"));
                    break;
                };
                command = found;
            }
        }
    }
    wrong
}

#[test]
fn a_command_that_does_not_exist_is_named() {
    let text = "`kubectl ringspan plan -f x`, `kubectl\nringspan takeover --remove-webhook`, `kubectl ringspan` is\n";
    assert_eq!(complaints(text), Vec::<String>::new());
    assert_eq!(
        complaints("`kubectl ringspan explain` `kubectl ringspan plan --force -x`"),
        [
            "kubectl ringspan explain: no command explain",
            "kubectl ringspan plan --force -x: no flag --force",
            "kubectl ringspan plan --force -x: no flag -x",
        ]
    );
}

#[test]
fn the_documents_tell_of_commands_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = vec![root.join("README.md")];
    let folder = std::fs::read_dir(root.join("docs")).expect("docs");
    files.extend(
        folder
            .map(|entry| entry.expect("an entry").path())
            .filter(|it| it.extension().is_some()),
    );
    let (mut wrong, mut found) = (Vec::new(), 0);
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a document");
        found += text.matches("kubectl ringspan").count();
        wrong.extend(complaints(&text));
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(found > 5, "{found} were found");
}
