use super::super::fixtures::{content, copy as copied, dead, done, facts, plane, source, target};
use super::super::selector::Selector;
use super::*;

fn first(facts: &ReplicationFacts) -> TargetPlan {
    plan(facts).remove(0)
}

fn only(facts: &ReplicationFacts) -> CopyAct {
    let mut steps = first(facts).steps.unwrap();
    assert_eq!(steps.len(), 1);
    steps.remove(0).act
}

#[test]
fn each_target_gets_a_copy_of_each_source() {
    let plans = plan(&facts());
    let sentences: Vec<_> = plans
        .iter()
        .flat_map(|plan| plan.steps.iter().flatten().filter_map(|step| step.sentence(plan)))
        .collect();
    assert_eq!(
        sentences,
        [
            "Copy Secret superuser to db/superuser in plane east",
            "Copy Secret superuser to db/superuser in plane west"
        ]
    );
}

#[test]
fn a_dead_plane_stops_only_its_own_target() {
    let mut facts = facts();
    facts.planes.insert("east".into(), Err(dead("east")));
    let plans = plan(&facts);
    let held = plans[0].steps.clone().unwrap_err();
    assert_eq!((held.holds, held.reason.as_str()), (None, "PlaneUnreachable"));
    assert!(
        held.message.starts_with("plane east gives no usable answer."),
        "{}",
        held.message
    );
    assert!(
        !held.message.contains("refused"),
        "what it said differs from time to time: {}",
        held.message
    );
    assert_eq!(
        plans[1].steps.clone().unwrap()[0].act,
        CopyAct::Create { look_first: false }
    );
}

#[test]
fn a_refusal_of_the_credentials_is_told_as_it_is() {
    let mut facts = facts();
    let refused = Unknown {
        context: "east".into(),
        reason: "ExecForbidden".into(),
        message: "no exec".into(),
    };
    facts.planes.insert("east".into(), Err(refused));
    let held = first(&facts).steps.unwrap_err();
    assert_eq!(
        (held.reason.as_str(), held.message.as_str()),
        ("ExecForbidden", "no exec")
    );
}

#[test]
fn no_secret_is_sent_to_a_plane_that_has_not_said_who_it_is() {
    let mut facts = facts();
    if let Some(Ok(plane)) = facts.planes.get_mut("east") {
        plane.id = None;
    }
    assert_eq!(first(&facts).steps.unwrap_err().holds, None);
}

#[test]
fn no_secret_is_sent_where_another_cluster_answers_than_before() {
    let mut facts = facts();
    facts.former = vec![done("east", "id-old")];
    let held = first(&facts).steps.unwrap_err();
    assert_eq!(
        (held.holds, held.reason.as_str()),
        (Some(false), "PlacementChanged")
    );
    facts.former = vec![done("east", "cm:db:1")];
    assert_eq!(
        first(&facts).steps.unwrap_err().holds,
        None,
        "ids of two forms say nothing"
    );
}

#[test]
fn what_was_foreign_is_looked_at_before_it_is_written_to() {
    let mut facts = facts();
    let mut satisfied = done("east", "id-east");
    satisfied.content_mark = Some("s-1/=5".into());
    facts.former = vec![satisfied];
    assert_eq!(only(&facts), CopyAct::Create { look_first: true });
    facts.former = vec![done("east", "id-east")];
    assert_eq!(
        only(&facts),
        CopyAct::Create { look_first: false },
        "a copy of ours was deleted"
    );
}

#[test]
fn a_copy_that_differs_is_written_as_it_was_seen() {
    let mut facts = facts();
    let edited = SecretView {
        content: content(9),
        ..copied()
    };
    facts.planes.insert("east".into(), plane("id-east", &[edited]));
    assert_eq!(
        only(&facts),
        CopyAct::Write {
            uid: "c-1".into(),
            resource_version: "77".into()
        }
    );
}

#[test]
fn without_a_source_nothing_counts_as_copied() {
    let mut facts = facts();
    facts.sources.clear();
    facts.planes.insert("east".into(), plane("id-east", &[copied()]));
    let held = first(&facts).steps.unwrap_err();
    assert_eq!((held.holds, held.reason.as_str()), (Some(false), "SourceMissing"));
    assert!(
        held.message.contains("1 copies in namespace db are kept"),
        "{}",
        held.message
    );
    facts.selector = Ok(None);
    assert!(
        first(&facts)
            .steps
            .unwrap_err()
            .message
            .starts_with("spec.selector is not given")
    );
}

#[test]
fn a_source_is_not_copied_onto_itself_under_whatever_context() {
    let mut facts = facts();
    facts.targets = vec![target(""), target("east")];
    facts.planes.insert("east".into(), plane("id-home", &[]));
    for plan in plan(&facts) {
        assert_eq!(plan.steps, Ok(vec![]), "{}", plan.context);
    }
}

#[test]
fn a_copy_that_would_be_a_source_again_is_not_made() {
    let mut facts = facts();
    facts.targets = vec![ReplicationTarget {
        target_prefix: Some("copy-".into()),
        ..target("")
    }];
    assert_eq!(first(&facts).steps, Ok(vec![]));
    facts.targets[0].drop_labels = Some(vec![api::names::label::REPLICATED_BY.into()]);
    assert_eq!(only(&facts), CopyAct::Create { look_first: false });
}

#[test]
fn two_sources_for_one_place_are_told_and_only_the_first_is_copied() {
    let mut facts = facts();
    let second = SecretView {
        name: "a-superuser".into(),
        uid: "s-2".into(),
        ..source()
    };
    facts.sources = vec![second, source()];
    facts.targets = vec![
        target("east"),
        ReplicationTarget {
            target_prefix: Some("a-".into()),
            ..target("east")
        },
    ];
    let plans = plan(&facts);
    let acts: Vec<_> = plans[1]
        .steps
        .as_ref()
        .unwrap()
        .iter()
        .map(|step| step.act.clone())
        .collect();
    assert_eq!(acts[0], CopyAct::Create { look_first: false });
    let CopyAct::Refuse(held) = &acts[1] else {
        panic!("{acts:?}")
    };
    assert_eq!(held.reason, "TargetCollision");
}

#[test]
fn a_forbidden_source_leaves_the_others_alone() {
    let mut facts = facts();
    facts.sources.push(SecretView {
        name: "token".into(),
        type_: "helm.sh/release.v1".into(),
        ..source()
    });
    let steps = first(&facts).steps.unwrap();
    assert_eq!(steps[0].act, CopyAct::Create { look_first: false });
    assert!(matches!(&steps[1].act, CopyAct::Refuse(held) if held.reason == "ForbiddenSource"));
}

#[test]
fn a_selector_that_cannot_be_read_holds_every_target() {
    let mut facts = facts();
    facts.selector = Selector::parse(&serde_json::json!({"matchExpressions": [{}]})).map(Some);
    assert_eq!(first(&facts).steps.unwrap_err().reason, "InvalidSpec");
}

#[test]
fn x30_x31_no_secret_goes_where_the_namespace_has_no_grant_and_what_is_there_stays() {
    let mut facts = facts();
    facts.planes.insert("east".into(), plane("id-east", &[copied()]));
    let annotation = Some(r#"{"other": ["db"]}"#);
    facts
        .grants
        .insert("east".into(), api::grants::Grants::read(annotation, false));
    let plans = plan(&facts);
    let held = plans[0].steps.clone().unwrap_err();
    assert_eq!((held.holds, held.reason.as_str()), (Some(false), "NotGranted"));
    assert!(held.message.contains("ringspan.io/grants"), "{}", held.message);
    let pruning = crate::replication::prune(&facts, false);
    assert!(
        pruning.now.is_empty() && pruning.waits.is_empty(),
        "the copy stays: {pruning:?}"
    );
    assert_eq!(
        plans[1].steps.clone().unwrap()[0].act,
        CopyAct::Create { look_first: false }
    );
}
