//! P19: a restart of everything, when all is done, writes nothing and lists every kind once.

use std::collections::BTreeMap;
use std::time::Duration;

use super::overheard::Heard;
use crate::program::Name;

/// How long after it is looked at what the restart did.
pub(super) const LOOK_AFTER: Duration = Duration::from_secs(90);

/// What is listed twice, and why.
const TWICE: [(&str, &str); 1] = [(
    "client-registry in control-plane: /apis/config.k8ssandra.io/v1beta1/clientconfigs",
    "its fleet looks for planes there, and it looks for what to judge",
)];

/// Lists, by program, plane, path and what is selected.
#[derive(Debug, Default)]
pub(super) struct Lists(BTreeMap<String, u32>);

impl Lists {
    /// Counts a list; its further pages are a part of it.
    pub fn count(&mut self, heard: &Heard<'_>) {
        let is_list = *heard.method == http::Method::GET && heard.object().2.is_empty();
        let is_watch = heard.parameter("watch") == Some("true");
        if !is_list || is_watch || heard.parameter("continue").is_some() || heard.dead_for.is_some() {
            return;
        }
        let selected = ["labelSelector", "fieldSelector"].map(|key| heard.parameter(key).unwrap_or_default());
        let key = format!(
            "{} in {}: {} {}",
            heard.program,
            heard.plane,
            heard.path,
            selected.join(" ")
        );
        *self.0.entry(key).or_default() += 1;
    }

    /// Those that were made more than once.
    fn repeated(&self) -> impl Iterator<Item = String> {
        let allowed = |list: &str| {
            let found = TWICE.iter().find(|(allowed, _)| list.trim_end() == *allowed);
            found.map_or(1, |_| 2)
        };
        let repeated = self.0.iter().filter(move |(list, times)| **times > allowed(list));
        repeated
            .map(|(list, times)| format!("P19: listed {times} times after a restart: {}", list.trim_end()))
    }
}

/// What is wrong with a restart, given how many lives began, what was listed and what was written.
pub(super) fn judge(lives: u32, lists: &Lists, written: &[String]) -> Vec<String> {
    let programs = u32::try_from(Name::ALL.len()).unwrap_or(u32::MAX);
    if lives != programs {
        // A fault of the plan came late, and this was no restart of a world in order.
        return Vec::new();
    }
    let written = written
        .iter()
        .map(|write| format!("P19: written after a restart: {write}"));
    written.chain(lists.repeated()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::heard;
    use super::*;

    const PATH: &str = "/apis/apps/v1/deployments";

    fn listed(queries: &[&str]) -> Lists {
        let mut lists = Lists::default();
        for query in queries {
            lists.count(&heard("client-registry", "east", PATH, query));
        }
        lists
    }

    #[test]
    fn a_kind_is_listed_once_in_each_plane() {
        assert_eq!(
            judge(5, &listed(&["limit=5", "limit=5&continue=x", "watch=true"]), &[]),
            [""; 0]
        );
        assert_eq!(
            judge(5, &listed(&["labelSelector=a", "labelSelector=b"]), &[]),
            [""; 0]
        );
        assert_eq!(
            judge(5, &listed(&["limit=5", "limit=5"]), &[]),
            ["P19: listed 2 times after a restart: client-registry in east: /apis/apps/v1/deployments"]
        );
    }

    #[test]
    fn nothing_is_written() {
        assert_eq!(judge(5, &listed(&[]), &["a line".to_owned()]).len(), 1);
    }

    #[test]
    fn a_restart_that_a_fault_disturbs_is_not_judged() {
        assert_eq!(judge(6, &listed(&["", ""]), &["a line".to_owned()]), [""; 0]);
    }
}
