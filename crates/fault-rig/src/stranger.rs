//! F25, F26: somebody deletes an object that the programs made, or puts one of his own into its place.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use fake_apiserver::Write;
use serde_json::{Value, json};

use crate::normal;
use crate::plan::{Fault, Place, Plan, What};
use crate::run::Report;
use crate::world::{CONTROL_PLANE, DATABASES, World, ask};

/// Reasons of a cluster that may stay as it is after somebody took away what it needs: each names the way out.
const NAMED: [&str; 3] = ["DatacenterVanished", "NotOwned", "SecretsPending"];

/// Where an object is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct At {
    plane: &'static str,
    path: String,
    name: String,
    api: String,
    plural: String,
    namespace: String,
}

/// What the programs made, and how much they wrote.
#[derive(Default)]
struct Made {
    writes: u32,
    /// After how many writes the first was made.
    first: Option<u32>,
    objects: BTreeSet<At>,
}

/// What somebody did.
#[derive(Clone, Debug)]
pub struct Deed {
    at: At,
    /// What he put there, as it was then.
    his: Option<Arc<Value>>,
}

/// Somebody, who does what a plan says after a number of writes.
#[derive(Clone)]
pub struct Stranger {
    made: Arc<Mutex<Made>>,
    deeds: Arc<Mutex<Vec<Deed>>>,
}

impl Stranger {
    /// Looks at every write from now on.
    #[must_use]
    pub fn watch(world: &Arc<World>) -> Self {
        let stranger = Self {
            made: Arc::default(),
            deeds: Arc::default(),
        };
        let faults = world
            .plan
            .faults
            .iter()
            .filter(|fault| matches!(fault.place, Place::After { .. }));
        let faults: Vec<Fault> = faults.copied().collect();
        for (plane, server) in world.servers() {
            let (plane, this, faults) = (*plane, stranger.clone(), faults.clone());
            let world = Arc::downgrade(world);
            server.on_write(Arc::new(move |write| {
                let due = this.note(plane, write, &faults);
                let Some(world) = world.upgrade() else { return };
                for (number, fault) in due {
                    let this = this.clone();
                    let world = Arc::clone(&world);
                    tokio::spawn(async move { this.strike(&world, fault.what, number) });
                }
            }));
        }
        stranger
    }

    /// The faults that are due after this write, each with its object.
    fn note(&self, plane: &'static str, write: &Write, faults: &[Fault]) -> Vec<(u32, Fault)> {
        if !write.user_agent.starts_with("ringspan-") || write.plural == "events" || !write.changed() {
            return Vec::new();
        }
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.writes += 1;
        if write.verb == "create" {
            let writes = made.writes;
            made.first.get_or_insert(writes);
            made.objects.insert(At::of(plane, write));
        }
        let writes = made.writes;
        let due = faults.iter().filter_map(|fault| match fault.place {
            Place::After { write, object } if write == writes => Some((object, *fault)),
            _ => None,
        });
        due.collect()
    }

    fn strike(&self, world: &World, what: What, number: u32) {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let there: Vec<At> = made
            .objects
            .iter()
            .filter(|at| at.find(world).is_some())
            .cloned()
            .collect();
        drop(made);
        let Some(at) = there.get(number as usize % there.len().max(1)) else {
            return;
        };
        let Some(object) = at.find(world) else { return };
        let his = match what {
            What::Recreate => at.take_over(world, &object),
            _ => at.delete(world).map(|()| None),
        };
        // Where it fails nothing was done, and the fault has not struck.
        if let Ok(his) = his {
            let mut deeds = self.deeds.lock().unwrap_or_else(PoisonError::into_inner);
            deeds.push(Deed { at: at.clone(), his });
        }
    }

    /// After which writes somebody could interfere.
    #[must_use]
    pub fn chances(&self) -> std::ops::RangeInclusive<u32> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.first.unwrap_or(u32::MAX)..=made.writes
    }

    /// What was done, a line each.
    #[must_use]
    pub fn deeds(&self) -> Vec<String> {
        let deeds = self.deeds.lock().unwrap_or_else(PoisonError::into_inner);
        let line = |deed: &Deed| {
            let act = if deed.his.is_some() {
                "put his own in place of"
            } else {
                "deleted"
            };
            format!("somebody {act} {} in {}", deed.at.path, deed.at.plane)
        };
        deeds.iter().map(line).collect()
    }

    /// P2: what he put there is as he put it there.
    #[must_use]
    pub fn wronged(&self, world: &World) -> Vec<String> {
        let deeds = self.deeds.lock().unwrap_or_else(PoisonError::into_inner);
        let wronged = deeds.iter().filter_map(|deed| {
            let his = deed.his.as_ref()?;
            let now = deed.at.find(world);
            let same = now.is_some_and(|now| {
                now["metadata"]["uid"] == his["metadata"]["uid"]
                    && ["spec", "data", "type", "endpoints", "ports"]
                        .iter()
                        .all(|key| now.get(key) == his.get(key))
            });
            (!same).then(|| {
                format!(
                    "P2: what somebody put at {} in {} was changed",
                    deed.at.path, deed.at.plane
                )
            })
        });
        wronged.collect()
    }
}

impl At {
    fn of(plane: &'static str, write: &Write) -> Self {
        let (root, api) = match write.group.as_str() {
            "" => ("/api", write.api.clone()),
            group => ("/apis", format!("{group}/{}", write.api)),
        };
        let name = write
            .after
            .as_ref()
            .and_then(|after| after["metadata"]["name"].as_str());
        let name = name.unwrap_or(&write.name).to_owned();
        Self {
            path: format!(
                "{root}/{api}/namespaces/{}/{}/{name}",
                write.namespace, write.plural
            ),
            plane,
            name,
            api,
            plural: write.plural.clone(),
            namespace: write.namespace.clone(),
        }
    }

    fn find(&self, world: &World) -> Option<Arc<Value>> {
        world
            .server(self.plane)
            .get(&self.api, &self.plural, &self.namespace, &self.name)
    }

    fn delete(&self, world: &World) -> anyhow::Result<()> {
        ask(
            world.server(self.plane),
            "DELETE",
            &self.path,
            "application/json",
            &json!({}),
        )
    }

    /// Deletes it by force and makes another one of its name, with its content and none of its marks.
    fn take_over(&self, world: &World, object: &Value) -> anyhow::Result<Option<Arc<Value>>> {
        let server = world.server(self.plane);
        if object["metadata"]["finalizers"].is_array() {
            let patch = json!({"metadata": {"finalizers": null}});
            ask(
                server,
                "PATCH",
                &self.path,
                "application/merge-patch+json",
                &patch,
            )?;
        }
        self.delete(world)?;
        let mut his = object.clone();
        his["metadata"] =
            json!({"name": self.name, "namespace": self.namespace, "labels": {"owner": "somebody"}});
        if let Value::Object(fields) = &mut his {
            fields.remove("status");
        }
        let collection = self
            .path
            .rsplit_once('/')
            .map_or("", |(collection, _)| collection);
        ask(server, "POST", collection, "application/json", &his)?;
        Ok(self.find(world))
    }
}

/// F25: after each write, one object that the seed chooses.
#[must_use]
pub fn deletes(reference: &Report) -> Vec<Plan> {
    plans(reference, What::DeleteAny)
}

/// F26: the same, with another object in its place.
#[must_use]
pub fn recreates(reference: &Report) -> Vec<Plan> {
    plans(reference, What::Recreate)
}

fn plans(reference: &Report, what: What) -> Vec<Plan> {
    let plan = |write: u32| {
        let drawn = fake_datacenter::pace::fnv(format!("{}/{what}/{write}", reference.plan.seed).as_bytes());
        let object = u32::try_from(drawn % 97).unwrap_or_default();
        reference
            .plan
            .with([Fault::once(what, Place::After { write, object })])
    };
    reference.chances.clone().map(plan).collect()
}

/// Whether a plan has somebody in it.
#[must_use]
pub fn is_in(plan: &Plan) -> bool {
    plan.faults
        .iter()
        .any(|fault| matches!(fault.place, Place::After { .. }))
}

/// What is wrong with a run in which somebody interfered: violations, and an end that is neither that of the run without
/// him nor one that says what is missing.
#[must_use]
pub fn wrong(reference: &Report, report: &Report) -> Vec<String> {
    let named = report
        .reason
        .as_deref()
        .is_some_and(|reason| NAMED.contains(&reason));
    let not_its_end = |line: &&String| !(named && line.starts_with("P14: step"));
    let his_doing = |line: &&String| {
        let mut deeds = report.deeds.iter();
        !deeds.any(|deed| took_the_secret(line, deed) || took_the_nodes(line, deed))
    };
    let violations = report.violations.iter().filter(not_its_end).filter(his_doing);
    let mut lines: Vec<String> = violations.cloned().collect();
    if !named {
        let differences = normal::differences(&reference.state, &report.state);
        let his = |line: &&String| {
            let mut deeds = report.deeds.iter();
            !deeds.any(|deed| is_about(line, deed) || is_reported(line, deed)) && !may_differ(line)
        };
        lines.extend(differences.iter().filter(his).map(|line| format!("P14: {line}")));
    }
    if !lines.is_empty() {
        let deeds = report.deeds.iter().cloned();
        lines = deeds.chain(lines).collect();
    }
    lines
}

/// P8 where he deleted the very Secret between the look at it and the datacenter's creation: what counts is that the
/// datacenter does not wait for it for ever.
fn took_the_secret(line: &str, deed: &str) -> bool {
    let taken = deed
        .strip_prefix("somebody deleted ")
        .and_then(|what| what.split_once(" in "));
    taken.is_some_and(|(path, plane)| {
        let (kind, name) = path.rsplit_once('/').unwrap_or_default();
        kind.ends_with("/secrets")
            && line.starts_with(&format!("P8: it is made before its superuser Secret {name} "))
            && line.ends_with(&format!(" in {plane})"))
    })
}

/// P6 where he took over the datacenter between the look at it and the write of its addresses: what counts is that they
/// do not stand there when all is done.
fn took_the_nodes(line: &str, deed: &str) -> bool {
    let taken = deed
        .split_once(" in place of ")
        .and_then(|(_, what)| what.split_once(" in "));
    taken.is_some_and(|(path, plane)| {
        path.contains("/cassandradatacenters/")
            && line.starts_with("P6: ")
            && line.contains(&format!(" is a node's of another cluster, None in {plane} ("))
    })
}

/// What is not made again, and needs not be.
fn may_differ(line: &str) -> bool {
    let object = |kind: &str| line.split('/').nth(1) == Some(kind);
    // A rebuild that is done is in the record; its task is history.
    let history = object("CassandraTask") && line.ends_with(" is missing");
    // It ends when the datacenters that need its copies are gone, and says so in its status.
    let ending = object("ReplicatedSecret");
    // cass-operator marks the Secrets that it watches when it makes a datacenter, and never again.
    let mark = object("Secret") && line.contains("cassandra.datastax.com/watched");
    // So are its own conditions, which tell of Secrets that came again.
    let told = (object("CassandraDatacenter") && line.contains(".status.conditions:"))
        || line.contains(".cassandra.conditions:");
    // A datacenter that was given up for its Secret is woken by a mark, which cass-operator copies to a Service.
    let woken = line.contains("ringspan.io/secrets-seen")
        || (object("Service") && line.contains("cassandra.datastax.com/resource-hash"));
    history || ending || mark || told || woken
}

/// The report says of what he put there that it is not ours, also where the cluster has more to say than that.
fn is_reported(line: &str, deed: &str) -> bool {
    let Some((path, plane)) = deed
        .split_once("in place of ")
        .and_then(|(_, what)| what.split_once(" in "))
    else {
        return false;
    };
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    let Some((_, change)) = line.split_once("/K8ssandraCluster/") else {
        return false;
    };
    let Some((_, holds)) = change
        .split_once(".holds: ")
        .and_then(|(_, holds)| holds.split_once(" became "))
    else {
        return false;
    };
    let (before, _) = change.split_once(" became ").unwrap_or_default();
    let holds: Vec<Value> = serde_json::from_str(holds).unwrap_or_default();
    let new = holds.iter().filter(|hold| !before.contains(&hold.to_string()));
    let is_his = |hold: &Value| {
        let message = hold["message"].as_str().unwrap_or_default();
        let at = if plane == CONTROL_PLANE { "" } else { plane };
        hold["reason"] == "NotOwned"
            && message.contains(&format!("/{name} "))
            && hold["context"].as_str().unwrap_or_default() == at
    };
    let mut new = new.peekable();
    new.peek().is_some() && new.all(is_his)
}

/// What he put there differs from what was there, of course.
fn is_about(line: &str, deed: &str) -> bool {
    let Some((_, what)) = deed.split_once("in place of ") else {
        return false;
    };
    let Some((path, plane)) = what.split_once(" in ") else {
        return false;
    };
    let (kind, name) = path.rsplit_once('/').unwrap_or_default();
    // Labels and marks of a source are those of its copies, also the mark that says that they stay.
    let is_copied = kind.ends_with("/secrets") && plane == CONTROL_PLANE;
    let copy = format!("/Secret/{DATABASES}/{name}");
    let of_a_copy =
        || line.contains(&format!("{copy}.metadata.")) || line.ends_with(&format!("{copy} is there too"));
    line.starts_with(plane) && line.contains(name) || is_copied && of_a_copy()
}

#[cfg(test)]
mod tests {
    use super::is_reported;

    #[test]
    fn a_hold_that_names_what_he_put_there_is_his() {
        let hold = |reason: &str, name: &str| {
            format!(
                r#"{{"context":"north","datacenter":"dc3","message":"EndpointSlice db/{name} in plane north is not ours","reason":"{reason}"}}"#
            )
        };
        let line = |before: &str, after: &str| {
            format!(
                "control-plane/K8ssandraCluster/db/demo.status.reports.topology.holds: {before} became {after}"
            )
        };
        let deed = "somebody put his own in place of /apis/x/v1/namespaces/db/endpointslices/s in north";
        let (his, other) = (hold("NotOwned", "s"), hold("RingSplit", "s"));
        assert!(is_reported(&line("null", &format!("[{his}]")), deed));
        assert!(is_reported(
            &line(&format!("[{other}]"), &format!("[{other},{his}]")),
            deed
        ));
        for after in [
            format!("[{his},{other}]"),
            format!("[{other}]"),
            format!("[{}]", hold("NotOwned", "other-s")),
            "[]".to_owned(),
            "null".to_owned(),
        ] {
            assert!(!is_reported(&line("null", &after), deed), "{after}");
        }
        assert!(!is_reported(
            &line("null", &format!("[{his}]")),
            "somebody deleted /apis/s in north"
        ));
    }
}
