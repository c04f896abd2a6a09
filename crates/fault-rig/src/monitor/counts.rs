//! P15: each object is made and deleted as often as in the run without faults.

use std::collections::BTreeMap;

/// What may be made or deleted more or less often than without faults, and why.
const ALLOWED: [(&str, &str); 0] = [];

/// Objects that were made or deleted more or less often, given the journals of both runs.
#[must_use]
pub fn differing(reference: &[String], journal: &[String]) -> Vec<String> {
    let (expected, found) = (count(reference), count(journal));
    let acts: std::collections::BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    acts.into_iter()
        .filter(|act| !ALLOWED.iter().any(|(part, _)| act.contains(part)))
        .filter_map(|act| {
            let (was, is) = (expected.get(act).unwrap_or(&0), found.get(act).unwrap_or(&0));
            (was != is).then(|| format!("P15: {act} {is} times instead of {was}"))
        })
        .collect()
}

/// Creates and deletes by what and where: a line is time, plane, program, verb, object, body.
fn count(journal: &[String]) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for line in journal {
        let mut words = line.splitn(6, ' ').skip(1);
        let (Some(plane), _, Some(verb), Some(object)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        if matches!(verb, "create" | "delete") {
            *counts.entry(format!("{verb} {object} in {plane}")).or_default() += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_once_more_or_not_at_all_is_told() {
        let line = |verb: &str, name: &str| format!("17 east ringspan-x {verb} secrets/db/{name}/ {{}} {{}}");
        let reference = [line("create", "a"), line("delete", "a"), line("apply", "a")];
        assert_eq!(differing(&reference, &reference), [""; 0]);
        let again = [
            line("create", "a"),
            line("create", "a"),
            line("apply", "a"),
            line("apply", "a"),
        ];
        assert_eq!(
            differing(&reference, &again),
            [
                "P15: create secrets/db/a/ in east 2 times instead of 1",
                "P15: delete secrets/db/a/ in east 0 times instead of 1",
            ]
        );
    }
}
