//! Whether a datacenter that left the spec may be deleted: when no keyspace of the user has replicas there, from a
//! live and complete answer. What is not known holds the removal.

use api::names::reason;

use super::acts::Ask;
use super::draft::Draft;
use super::replication::{Answered, answered, ask_through, replicas_in};
use super::sites::{Datacenter, Site};

/// So many keyspaces are named at most.
const NAMED: usize = 5;

pub(super) fn plan(draft: &mut Draft<'_>) {
    let input = draft.input;
    let leaving = input.sites.iter().filter(|site| site.spec.is_none());
    for (site, own) in leaving.filter_map(|site| Some((site, site.own(&input.cluster)?))) {
        if draft.must_not_shrink() || draft.record().is_none() {
            continue;
        }
        if !input.cluster.removal.covers(&own.uid) {
            // A verdict stays while the generation does, and the consent may take days: keyspaces change meanwhile.
            continue;
        }
        if let Some(verdict) = verdict(draft, site, own) {
            draft.may_be_deleted.insert(site.name.clone(), verdict);
        }
    }
}

fn verdict(draft: &mut Draft<'_>, site: &Site, own: &Datacenter) -> Option<bool> {
    let generation = draft.input.cluster.generation;
    let reported = draft
        .reported()
        .filter(|report| report.observed_generation == generation);
    let before = reported
        .and_then(|report| report.datacenters.get(&site.name))
        .filter(|entry| entry.uid == own.uid)
        .and_then(|entry| entry.may_be_deleted);
    if site.is_leaving() || before == Some(true) {
        // The consent is given, or the verdict: what follows is not ours.
        return Some(true);
    }
    let Some(via) = ask_through(draft) else {
        let message = format!(
            "datacenter {} is not deleted before it is known that no keyspace has replicas there, and no other \
             datacenter is Ready to be asked: start one",
            site.name
        );
        draft.hold_quietly(site, reason::REPLICATION_UNKNOWN, message);
        return None;
    };
    let answer = match answered(draft, via, |answers| answers.keyspaces.get(&via.name)) {
        Answered::Missing => {
            draft.ask(Ask::Keyspaces(via.name.clone()));
            return before;
        }
        Answered::Failed => {
            let message = format!(
                "datacenter {} is not deleted before it is known that no keyspace has replicas there, and the nodes \
                 of datacenter {} did not tell",
                site.name, via.name
            );
            draft.hold(site, reason::REPLICATION_UNKNOWN, message);
            return None;
        }
        Answered::Known(answer) => answer,
    };
    let left: Vec<&str> = replicas_in(&draft.input.cluster, answer, &own.ring_name).collect();
    if left.is_empty() {
        return Some(true);
    }
    let named = left.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = left.len().saturating_sub(NAMED);
    let more = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    let message = format!(
        "datacenter {} is not deleted while keyspaces have replicas there: {named}{more}. Alter them so that they name \
         {} no more",
        site.name, own.ring_name
    );
    draft.hold(site, reason::REPLICAS_LEFT, message);
    Some(false)
}

#[cfg(test)]
mod tests {
    use api::record::{Leaving, RecordState};
    use api::seen::Seen;

    use super::super::fixture::*;
    use super::super::{Ask, Keyspaces, TopologyInput};

    /// The user took dc2 out of the spec.
    fn leaving() -> TopologyInput {
        let mut input = two_datacenters();
        input.cluster.generation = 2;
        input.cluster.datacenters.truncate(1);
        input.sites[1].spec = None;
        let system = input.cluster.report.as_ref().unwrap().system_replication.clone();
        let answer: Keyspaces = ["system_traces", "system_distributed", "system_auth"]
            .map(|name| (name.to_owned(), replicas(&system)))
            .into();
        input.answers.system.insert("dc1".to_owned(), Ok(answer));
        input
    }

    fn answer(input: &mut TopologyInput, keyspaces: &[(&str, &str, u32)]) {
        let keyspace = |(name, datacenter, factor): &(&str, &str, u32)| {
            (
                (*name).to_owned(),
                replicas(&[((*datacenter).to_owned(), *factor)].into()),
            )
        };
        input
            .answers
            .keyspaces
            .insert("dc1".to_owned(), Ok(keyspaces.iter().map(keyspace).collect()));
    }

    fn verdict(input: &TopologyInput) -> Option<bool> {
        report(input).datacenters["dc2"].may_be_deleted
    }

    #[test]
    fn a_datacenter_that_left_the_spec_is_asked_about_through_another_one() {
        let input = leaving();
        assert_eq!(planned(&input).asks, [Ask::Keyspaces("dc1".to_owned())]);
        assert_eq!(verdict(&input), None);
    }

    #[test]
    fn without_replicas_of_user_keyspaces_it_may_be_deleted() {
        let mut input = leaving();
        answer(
            &mut input,
            &[("system_auth", "dc2", 3), ("shop", "dc1", 3), ("logs", "dc2", 0)],
        );
        assert_eq!(verdict(&input), Some(true));
        assert_eq!(holds(&input), Vec::<String>::new());
    }

    #[test]
    fn c141_keyspaces_with_replicas_there_are_named_and_asked_about_again() {
        let mut input = leaving();
        answer(&mut input, &[("shop", "dc2", 3), ("logs", "dc2", 1)]);
        assert_eq!(verdict(&input), Some(false));
        let plan = planned(&input);
        assert!(plan.next_check.is_some());
        let hold = &plan.report.unwrap().holds[0];
        assert_eq!(hold.reason, "ReplicasLeft");
        assert_eq!(
            hold.message,
            "datacenter dc2 is not deleted while keyspaces have replicas there: logs, shop. Alter them so that they \
             name dc2 no more"
        );
    }

    #[test]
    fn c145_replicas_are_looked_for_by_cassandra_s_name_of_the_datacenter() {
        let mut input = leaving();
        let Seen::Present(dc2) = &mut input.sites[1].seen else {
            panic!()
        };
        dc2.ring_name = "Real DC".to_owned();
        answer(&mut input, &[("shop", "dc2", 3)]);
        assert_eq!(verdict(&input), Some(true));
        answer(&mut input, &[("shop", "Real DC", 3)]);
        assert_eq!(verdict(&input), Some(false));
    }

    #[test]
    fn what_is_not_known_holds_the_removal() {
        let mut input = leaving();
        input
            .answers
            .keyspaces
            .insert("dc1".to_owned(), Err("no node answers".to_owned()));
        assert_eq!(verdict(&input), None);
        assert_eq!(holds(&input), ["ManagementApiUnreachable", "ReplicationUnknown"]);

        let mut input = leaving();
        let Seen::Present(dc1) = &mut input.sites[0].seen else {
            panic!()
        };
        dc1.ready = false;
        assert_eq!(verdict(&input), None);
        assert_eq!(holds(&input), ["ReplicationUnknown"]);
    }

    #[test]
    fn a_verdict_stays_for_its_generation_and_no_longer() {
        let mut input = leaving();
        answer(&mut input, &[]);
        input.cluster.report = planned(&input).report;
        input.answers.keyspaces.clear();
        assert_eq!(planned(&input).asks, []);
        assert_eq!(verdict(&input), Some(true));
        input.cluster.generation = 3;
        assert_eq!(verdict(&input), None);
        assert!(planned(&input).asks.contains(&Ask::Keyspaces("dc1".to_owned())));
    }

    #[test]
    fn a_verdict_is_not_one_about_another_datacenter_of_that_name() {
        let mut input = leaving();
        answer(&mut input, &[]);
        input.cluster.report = planned(&input).report;
        input.answers.keyspaces.clear();
        let Seen::Present(dc2) = &mut input.sites[1].seen else {
            panic!()
        };
        dc2.uid = "another".to_owned();
        input.sites[1].record.as_mut().unwrap().uid = Some("another".to_owned());
        assert_eq!(verdict(&input), None);
    }

    #[test]
    fn there_is_no_verdict_before_the_second_consent_that_the_cluster_asks_for() {
        let mut input = leaving();
        answer(&mut input, &[]);
        input.cluster.removal.asked = true;
        assert_eq!(verdict(&input), None);
        input.cluster.removal.given = ["uid-dc2".to_owned()].into();
        assert_eq!(verdict(&input), Some(true));
    }

    #[test]
    fn nothing_is_asked_once_the_deletion_is_consented_to() {
        let mut input = leaving();
        let leaving = Leaving {
            uid: "uid-dc2".to_owned(),
            generation: 2,
        };
        input.sites[1].record.as_mut().unwrap().leaving = Some(leaving);
        assert_eq!(planned(&input).asks, []);
        assert_eq!(verdict(&input), Some(true));
    }

    #[test]
    fn without_a_readable_record_or_with_a_rewound_history_there_is_no_verdict() {
        let mut input = leaving();
        answer(&mut input, &[]);
        input.cluster.record = RecordState::Unreadable("later format".to_owned());
        assert_eq!(verdict(&input), None);

        let mut input = leaving();
        answer(&mut input, &[]);
        let Seen::Present(dc1) = &mut input.sites[0].seen else {
            panic!()
        };
        dc1.cluster_generation = Some(9);
        assert_eq!(verdict(&input), None);
    }
}
