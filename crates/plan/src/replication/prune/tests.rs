use super::super::fixtures::{copy as copied, dead, done, facts, plane, strings, target};
use super::*;

fn names(pruning: &Pruning) -> Vec<String> {
    pruning.now.iter().map(Prune::sentence).collect()
}

#[test]
fn a_copy_that_a_target_means_stays() {
    let mut facts = facts();
    facts.planes.insert("east".into(), plane("id-east", &[copied()]));
    assert_eq!(prune(&facts, false), Pruning::default());
}

#[test]
fn a_copy_whose_target_left_is_deleted_as_it_was_seen() {
    let mut facts = facts();
    facts.planes.insert("east".into(), plane("id-east", &[copied()]));
    facts.targets.remove(0);
    let pruning = prune(&facts, false);
    assert_eq!(names(&pruning), ["Delete copy db/superuser in plane east"]);
    assert_eq!(
        (
            pruning.now[0].uid.as_str(),
            pruning.now[0].resource_version.as_str()
        ),
        ("c-1", "77")
    );
}

#[test]
fn a_plane_under_a_new_context_name_keeps_its_copies() {
    let mut facts = facts();
    facts.planes.insert("east".into(), Err(dead("east")));
    facts
        .planes
        .insert("orient".into(), plane("id-east", &[copied()]));
    facts.former = vec![done("east", "id-east")];
    assert_eq!(
        prune(&facts, false),
        Pruning::default(),
        "the status knows that east was this plane"
    );
    facts.former.clear();
    assert_eq!(prune(&facts, false), Pruning::default(), "east may be any plane");
}

#[test]
fn the_copy_of_a_source_that_is_gone_is_kept_and_one_under_a_former_prefix_is_not() {
    let mut facts = facts();
    let mut gone = copied();
    gone.name = "other".into();
    gone.annotations
        .insert(annotation::CONTENT_MARK.into(), "s-0/3".into());
    let renamed = SecretView {
        name: "old-superuser".into(),
        ..copied()
    };
    facts
        .planes
        .insert("east".into(), plane("id-east", &[gone, renamed]));
    assert_eq!(
        names(&prune(&facts, false)),
        ["Delete copy db/old-superuser in plane east"]
    );
}

#[test]
fn c152_copies_that_upstream_made_and_orphans_outlive_their_target() {
    let mut facts = facts();
    let upstream = SecretView {
        annotations: strings(&[]),
        ..copied()
    };
    let mut orphan = copied();
    orphan
        .annotations
        .insert(annotation::ORPHAN.into(), "true".into());
    facts.targets.clear();
    facts.planes.insert("east".into(), plane("id-east", &[upstream]));
    facts.planes.insert("west".into(), plane("id-west", &[orphan]));
    assert_eq!(prune(&facts, false), Pruning::default());
}

#[test]
fn with_the_replicated_secret_go_all_copies_but_orphans_and_foreign_ones() {
    let mut facts = facts();
    let upstream = SecretView {
        annotations: strings(&[]),
        ..copied()
    };
    let mut orphan = copied();
    orphan.name = "orphan".into();
    orphan
        .annotations
        .insert(annotation::ORPHAN.into(), "true".into());
    let mut foreign = copied();
    foreign.name = "foreign".into();
    foreign
        .annotations
        .insert(annotation::CLUSTER_UID.into(), "kc-0".into());
    facts
        .planes
        .insert("east".into(), plane("id-east", &[upstream, orphan, foreign]));
    assert_eq!(
        names(&prune(&facts, true)),
        ["Delete copy db/superuser in plane east"]
    );
}

#[test]
fn copies_stay_while_a_datacenter_of_the_cluster_is_in_their_namespace() {
    let mut facts = facts();
    facts.planes.insert("east".into(), plane("id-east", &[copied()]));
    if let Some(Ok(east)) = facts.planes.get_mut("east") {
        east.datacenters.insert("db".into());
    }
    let pruning = prune(&facts, true);
    assert_eq!(pruning.now, []);
    assert_eq!(pruning.waits.len(), 1);
    let wait = &pruning.waits[0];
    assert_eq!(wait.reason.as_deref(), Some("PendingRemoval"));
    assert!(
        wait.message
            .as_deref()
            .unwrap()
            .contains("once the datacenters of this cluster"),
        "{wait:?}"
    );
}

#[test]
fn a_plane_that_is_away_is_remembered_until_it_is_back() {
    let mut facts = facts();
    facts.planes.insert("east".into(), Err(dead("east")));
    facts.former = vec![done("east", "id-east"), done("west", "id-west")];
    facts.targets = vec![target("west")];
    let pruning = prune(&facts, false);
    assert_eq!((pruning.now.len(), pruning.waits.len()), (0, 1));
    assert_eq!(
        (
            pruning.waits[0].cluster.as_str(),
            pruning.waits[0].status.as_str()
        ),
        ("east", "Unknown")
    );
    assert_eq!(pruning.waits[0].plane_id.as_deref(), Some("id-east"));
    facts.former = pruning.waits;
    facts.planes.insert("east".into(), plane("id-east", &[copied()]));
    let pruning = prune(&facts, false);
    assert_eq!(
        (names(&pruning), pruning.waits.len()),
        (vec!["Delete copy db/superuser in plane east".into()], 0)
    );
}

#[test]
fn deletion_does_not_wait_for_a_context_that_never_had_a_copy() {
    let mut facts = facts();
    facts.planes.insert("east".into(), Err(dead("east")));
    assert_eq!(prune(&facts, true), Pruning::default());
    facts.former = vec![done("east", "id-east")];
    let waits = prune(&facts, true).waits;
    assert!(
        waits[0]
            .message
            .as_deref()
            .unwrap()
            .contains("remove the finalizer"),
        "{waits:?}"
    );
}

#[test]
fn copies_are_needed_as_long_as_a_datacenter_is_seen_anywhere() {
    let mut facts = facts();
    assert!(!facts.serves_a_datacenter());
    let mut east = plane("id-east", &[]).unwrap();
    east.datacenters.insert("db".into());
    facts.planes.insert("east".into(), Ok(east));
    facts.planes.insert("west".into(), Err(dead("west")));
    assert!(facts.serves_a_datacenter());
}
