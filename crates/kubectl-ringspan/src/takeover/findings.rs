//! What was found, as lines for people.

use std::fmt::Write as _;

use super::Verdict;

/// Lines so far, and how many of them stand in the way.
#[derive(Debug, Default)]
pub(super) struct Findings {
    text: String,
    things: usize,
}

impl Findings {
    /// What the next lines are about.
    pub fn about(&mut self, what: &str) {
        let _ = writeln!(self.text, "{what}");
    }

    /// As it shall be.
    pub fn fine(&mut self, sentence: &str) {
        self.line("ok", sentence);
    }

    /// Worth knowing.
    pub fn note(&mut self, sentence: &str) {
        self.line("note", sentence);
    }

    /// In the way: what, and the way out.
    pub fn in_the_way(&mut self, sentence: &str) {
        self.things += 1;
        self.line("TODO", sentence);
    }

    /// Lines that belong to the one before.
    pub fn more(&mut self, lines: &str) {
        for line in lines.lines() {
            let _ = writeln!(self.text, "       {}", line.trim_start());
        }
    }

    fn line(&mut self, word: &str, sentence: &str) {
        let _ = writeln!(self.text, "  {word:<4} {sentence}");
    }

    /// With the last line.
    pub fn verdict(mut self) -> Verdict {
        match self.things {
            0 => self.text.push_str("ready\n"),
            1 => self.text.push_str("not ready: 1 thing\n"),
            things => {
                let _ = writeln!(self.text, "not ready: {things} things");
            }
        }
        Verdict {
            text: self.text,
            things: self.things,
        }
    }
}
