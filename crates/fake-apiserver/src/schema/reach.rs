//! Which parts of a value rules can look at, so that only these are handed to CEL.

use std::collections::BTreeMap;

/// A part of what `self` and `oldSelf` are in a rule, by the names that CEL uses.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reach {
    /// All of it may be looked at.
    pub(super) whole: bool,
    pub(super) fields: BTreeMap<String, Reach>,
}

impl Reach {
    /// What the text of a rule reaches; rather too much than too little.
    pub(super) fn add(&mut self, rule: &str) {
        for (start, _) in rule.match_indices("elf") {
            // `self` and `oldSelf`, as words of their own.
            let before = &rule[..start];
            let before = before.strip_suffix("oldS").or_else(|| before.strip_suffix('s'));
            let Some(before) = before.filter(|before| !ends_in_name(before)) else {
                continue;
            };
            self.follow(before, &rule[start + "elf".len()..]);
        }
    }

    /// Follows the fields that are named after `self`.
    fn follow(&mut self, before: &str, mut after: &str) {
        if after.starts_with(is_name) {
            return;
        }
        let mut here = self;
        while let Some(rest) = after.strip_prefix('.') {
            let end = rest.find(|letter| !is_name(letter)).unwrap_or(rest.len());
            let (field, next) = rest.split_at(end);
            if field.is_empty() || next.starts_with('(') {
                // A function of what came before.
                here.whole = true;
                return;
            }
            here = here.fields.entry(field.to_owned()).or_default();
            after = next;
        }
        let only_asked_for = before.trim_end().ends_with("has(") && after.trim_start().starts_with(')');
        here.whole |= !only_asked_for;
    }
}

fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

fn ends_in_name(text: &str) -> bool {
    text.ends_with(|letter| is_name(letter) || letter == '.')
}

#[cfg(test)]
mod tests {
    use super::Reach;

    fn reached(rule: &str) -> Vec<String> {
        fn collect(reach: &Reach, path: &str, paths: &mut Vec<String>) {
            let end = if reach.whole { "*" } else { "" };
            if reach.whole || reach.fields.is_empty() {
                paths.push(format!("{path}{end}"));
            }
            for (name, below) in &reach.fields {
                collect(below, &format!("{path}.{name}"), paths);
            }
        }
        let mut reach = Reach::default();
        reach.add(rule);
        let mut paths = Vec::new();
        collect(&reach, "", &mut paths);
        paths
    }

    #[test]
    fn fields_that_are_named_are_reached_and_others_are_not() {
        assert_eq!(reached("self.a.b == oldSelf.a.c"), [".a.b*", ".a.c*"]);
        assert_eq!(
            reached("!has(self.a) || !has( self.a.b ) || self.a.b > 1"),
            [".a.b*"]
        );
        assert_eq!(reached("has(self.a)"), [".a"]);
    }

    #[test]
    fn what_is_used_as_a_whole_is_reached_as_a_whole() {
        assert_eq!(reached("self == oldSelf"), ["*"]);
        assert_eq!(
            reached("self.list.all(x, x.n > self.least)"),
            [".least*", ".list*"]
        );
        assert_eq!(reached("self.startsWith('a')"), ["*"]);
        assert_eq!(reached("'x' in self.map"), [".map*"]);
        assert_eq!(reached("self.list[0].a"), [".list*"]);
        assert_eq!(reached("self['a'] == 1"), ["*"]);
    }

    #[test]
    fn words_that_only_contain_self_are_none() {
        assert_eq!(reached("myself.a || selfish.b || x.self.c"), [""]);
    }
}
