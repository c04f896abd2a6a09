//! One source against one Secret of the copy's name.

use api::names::{annotation, label, reason};

use super::acts::Held;
use super::copy;
use super::facts::{Identity, Owner, SecretView};

/// What follows for the copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is as it should be.
    Equal {
        /// Which version of the source it has: see [`copy::mark`].
        mark: String,
    },
    /// It is a copy of ours and has to be written.
    Write,
    /// It cannot be written.
    Refused(Held),
}

/// Compares. Labels and annotations alone never make a write, except those by which a copy is known.
#[must_use]
pub fn judge(identity: &Identity, source: &SecretView, found: &SecretView) -> Verdict {
    let owner = identity.owner_of(found);
    let equal = source.content == found.content && source.type_ == found.type_;
    if owner == Owner::Foreign {
        return if equal {
            Verdict::Equal {
                mark: copy::mark_of_equal(source, found),
            }
        } else {
            refused(reason::NOT_OWNED, foreign(identity, found))
        };
    }
    let place = format!("Secret {}/{}", found.namespace, found.name);
    if found.deleting {
        return refused(
            reason::PROGRESSING,
            format!("{place} is being deleted and is made again after that."),
        );
    }
    if source.type_ != found.type_ {
        let message = format!(
            "{place} has type {}, and the source has type {}: a type cannot be changed. Delete the copy, and it is \
             made again.",
            found.type_, source.type_
        );
        return refused(reason::TYPE_MISMATCH, message);
    }
    if found.immutable && !equal {
        let message =
            format!("{place} is immutable and has another content. Delete it, and it is made again.");
        return refused(reason::COPY_IMMUTABLE, message);
    }
    let of_this_source = |mark: &String| mark.split_once('/').is_some_and(|(uid, _)| uid == source.uid);
    let written = found.annotations.get(annotation::CONTENT_MARK);
    let stale = written.is_some_and(|mark| !of_this_source(mark));
    let freezes = source.immutable && !found.immutable;
    let unlabelled = found.labels.get(label::REPLICATED_SECRET_NAME) != Some(&identity.label());
    if !equal || stale || freezes || unlabelled {
        return Verdict::Write;
    }
    Verdict::Equal {
        mark: written
            .cloned()
            .unwrap_or_else(|| copy::mark_of_equal(source, found)),
    }
}

fn foreign(identity: &Identity, found: &SecretView) -> String {
    let place = format!("{}/{}", found.namespace, found.name);
    match found.annotations.get(annotation::CLUSTER_UID) {
        Some(uid) if found.labels.get(label::REPLICATED_SECRET_NAME) == Some(&identity.label()) => format!(
            "Secret {place} is the copy of a cluster with UID {uid} and has another content: it is left as it is. \
             Delete it, or take its annotation {} away.",
            annotation::CLUSTER_UID
        ),
        _ => format!(
            "Secret {place} is not a copy of ours and has another content: it is left as it is. Delete it, or give the \
             target another targetPrefix."
        ),
    }
}

fn refused(reason: &str, message: String) -> Verdict {
    Verdict::Refused(Held {
        holds: Some(false),
        reason: reason.to_owned(),
        message,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{content, copy as copied, facts, source, strings};
    use super::*;

    fn judged(found: &SecretView) -> Verdict {
        judge(&facts().identity, &source(), found)
    }

    fn reason_of(verdict: Verdict) -> String {
        match verdict {
            Verdict::Refused(held) => held.reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_copy_with_the_content_of_its_source_is_left_alone() {
        assert_eq!(
            judged(&copied()),
            Verdict::Equal {
                mark: "s-1/10".into()
            }
        );
    }

    #[test]
    fn a_touch_of_the_sources_labels_writes_nothing() {
        let mut touched = source();
        touched.resource_version = "11".into();
        touched.labels.insert("team".into(), "b".into());
        let verdict = judge(&facts().identity, &touched, &copied());
        assert_eq!(
            verdict,
            Verdict::Equal {
                mark: "s-1/10".into()
            }
        );
    }

    #[test]
    fn an_edited_copy_is_written_again() {
        assert_eq!(
            judged(&SecretView {
                content: content(9),
                ..copied()
            }),
            Verdict::Write
        );
        let more = SecretView {
            content: copied()
                .content
                .into_iter()
                .chain([("extra".into(), super::super::Mark([3; 32]))])
                .collect(),
            ..copied()
        };
        assert_eq!(judged(&more), Verdict::Write);
    }

    #[test]
    fn a_source_that_was_made_anew_is_followed_once() {
        let anew = SecretView {
            uid: "s-2".into(),
            resource_version: "40".into(),
            ..source()
        };
        assert_eq!(judge(&facts().identity, &anew, &copied()), Verdict::Write);
    }

    #[test]
    fn a_copy_that_upstream_made_is_adopted_and_written_when_its_content_differs() {
        let mut upstream = copied();
        upstream.annotations = strings(&[(annotation::RESOURCE_HASH, "h")]);
        assert_eq!(
            judged(&upstream),
            Verdict::Equal {
                mark: "s-1/=77".into()
            }
        );
        assert_eq!(
            judged(&SecretView {
                content: content(9),
                ..upstream
            }),
            Verdict::Write
        );
    }

    #[test]
    fn a_foreign_secret_with_equal_content_satisfies_and_with_another_is_refused_by_name() {
        let foreign = SecretView {
            labels: strings(&[]),
            annotations: strings(&[]),
            ..copied()
        };
        assert_eq!(
            judged(&foreign),
            Verdict::Equal {
                mark: "s-1/=77".into()
            }
        );
        let Verdict::Refused(held) = judged(&SecretView {
            content: content(9),
            ..foreign
        }) else {
            panic!()
        };
        assert_eq!((held.holds, held.reason.as_str()), (Some(false), "NotOwned"));
        assert!(
            held.message.contains("Secret db/superuser is not a copy of ours"),
            "{}",
            held.message
        );
    }

    #[test]
    fn a_copy_of_another_cluster_of_the_same_name_is_foreign() {
        let mut other = copied();
        other
            .annotations
            .insert(annotation::CLUSTER_UID.into(), "kc-0".into());
        other.content = content(9);
        let Verdict::Refused(held) = judged(&other) else {
            panic!()
        };
        assert_eq!(held.reason, "NotOwned");
        assert!(
            held.message
                .contains("take its annotation ringspan.io/cluster-uid away"),
            "{}",
            held.message
        );
    }

    #[test]
    fn our_uid_on_a_secret_that_we_did_not_copy_is_no_permission() {
        let mut marked = copied();
        marked.annotations = strings(&[(annotation::CLUSTER_UID, "kc-1")]);
        marked.content = content(9);
        assert_eq!(reason_of(judged(&marked)), "NotOwned");
    }

    #[test]
    fn a_copy_that_lost_its_label_gets_it_back() {
        assert_eq!(
            judged(&SecretView {
                labels: strings(&[]),
                ..copied()
            }),
            Verdict::Write
        );
    }

    #[test]
    fn what_cannot_be_changed_is_refused() {
        let frozen = SecretView {
            immutable: true,
            content: content(9),
            ..copied()
        };
        assert_eq!(reason_of(judged(&frozen)), "CopyImmutable");
        let typed = SecretView {
            type_: "kubernetes.io/tls".into(),
            ..copied()
        };
        assert_eq!(reason_of(judged(&typed)), "TypeMismatch");
        assert_eq!(
            reason_of(judged(&SecretView {
                deleting: true,
                ..copied()
            })),
            "Progressing"
        );
    }

    #[test]
    fn a_source_that_becomes_immutable_freezes_its_copy() {
        let frozen = SecretView {
            immutable: true,
            ..source()
        };
        assert_eq!(judge(&facts().identity, &frozen, &copied()), Verdict::Write);
        let both = SecretView {
            immutable: true,
            ..copied()
        };
        assert_eq!(
            judge(&facts().identity, &frozen, &both),
            Verdict::Equal {
                mark: "s-1/10".into()
            }
        );
        assert_eq!(
            judged(&both),
            Verdict::Equal {
                mark: "s-1/10".into()
            }
        );
    }
}
