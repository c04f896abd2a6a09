//! The monitors of one run: who is told of what.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fake_apiserver::Write;

use super::canaries::Canaries;
use super::disks::Disks;
use super::live::Live;
use super::logs::Logs;
use super::overheard::{Heard, Overheard};
use super::restart::Lists;
use super::sight::{Look, SECRETS, Sight};
use super::violations::Violations;
use super::{
    consent, disks, identity, marks, panics, progress, reads, restart, rings, rules, seeds, superuser,
    surprise, turns, writers,
};
use crate::world::World;

/// What is asked about every write, and needs to remember nothing.
const CHECKS: [fn(&Sight<'_>) -> Vec<String>; 12] = [
    consent::check,
    marks::check,
    disks::check,
    identity::check,
    rings::check,
    seeds::check,
    turns::check,
    superuser::check,
    progress::check,
    writers::check,
    rules::check,
    surprise::check,
];

/// Passes may take 20 s to finish after a stop; who still asks after this is a task that nobody stopped.
const LAST_WORDS: Duration = Duration::from_secs(30);

/// The monitors of one run. They let go of the API servers when this is dropped.
pub struct Watch {
    found: Violations,
    eyes: Arc<Mutex<Option<Eyes>>>,
    overheard: Arc<Overheard>,
    logs: Logs,
}

/// What the monitors look at, and what they remember.
struct Eyes {
    live: Live,
    canaries: Canaries,
    disks: Disks,
    lists: Lists,
}

/// Looks at every write of every API server from now on.
#[must_use]
pub fn watch(world: &World) -> Watch {
    let live = Live {
        servers: world.servers().clone(),
        rings: world.rings.clone(),
    };
    let mut canaries = Canaries::default();
    for plane in live.planes() {
        for secret in live.all(plane, SECRETS) {
            canaries.learn(plane, &secret);
        }
    }
    let watch = Watch {
        found: Violations::default(),
        eyes: Arc::new(Mutex::new(Some(Eyes {
            live,
            canaries,
            disks: Disks::default(),
            lists: Lists::default(),
        }))),
        overheard: Arc::clone(&world.overheard),
        logs: Logs::listen(),
    };
    panics::listen();
    let (found, eyes) = (watch.found.clone(), Arc::clone(&watch.eyes));
    world.overheard.listen(Some(Box::new(move |heard| {
        if let Some(eyes) = lock(&eyes).as_mut() {
            eyes.hear(heard, &found);
        }
    })));
    for (plane, server) in world.servers() {
        let (plane, found, eyes) = (*plane, watch.found.clone(), Arc::clone(&watch.eyes));
        server.on_write(Arc::new(move |write| {
            if write.changed()
                && let Some(eyes) = lock(&eyes).as_mut()
            {
                eyes.see(plane, write, &found);
            }
        }));
    }
    watch
}

fn lock(eyes: &Mutex<Option<Eyes>>) -> MutexGuard<'_, Option<Eyes>> {
    eyes.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Eyes {
    fn see(&mut self, plane: &str, write: &Write, found: &Violations) {
        let sight = Sight::of(plane, write, &self.live);
        self.disks.note(&sight);
        let broken = CHECKS.iter().flat_map(|check| check(&sight));
        for line in broken.chain(self.canaries.check(&sight)) {
            let Write {
                user_agent,
                verb,
                plural,
                name,
                ..
            } = write;
            found.add(format!("{line} ({user_agent} {verb} {plural}/{name} in {plane})"));
        }
    }
}

impl Eyes {
    fn hear(&mut self, heard: &Heard<'_>, found: &Violations) {
        self.lists.count(heard);
        if let Some(line) = reads::check(&self.live, heard) {
            found.add(line);
        }
        if heard.dead_for.is_some_and(|time| time > LAST_WORDS) {
            let Heard {
                program, plane, path, ..
            } = heard;
            found.add(format!(
                "P20: a task of {program} outlived it, and asks {plane} for {path}"
            ));
        }
    }
}

impl Watch {
    /// What was broken so far.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        self.found.all()
    }

    /// What was broken, and what does not hold in the end. A world that is done is restarted once more for that.
    pub async fn at_end(&self, world: &World, done: bool) -> Vec<String> {
        let restarted = if done {
            self.restart(world).await
        } else {
            Vec::new()
        };
        let mut all = self.found.all();
        all.extend(restarted);
        all.extend(self.standing());
        all
    }

    /// What does not hold now, apart from what was seen at a write.
    fn standing(&self) -> Vec<String> {
        let mut all = Vec::new();
        if let Some(Eyes {
            live,
            disks,
            canaries,
            ..
        }) = lock(&self.eyes).as_ref()
        {
            all.extend(
                rings::split(live)
                    .into_iter()
                    .map(|line| format!("{line} at the end")),
            );
            all.extend(seeds::standing(live));
            all.extend(superuser::differing(live));
            all.extend(disks.lost(live));
            all.extend(self.logs.look(|text| told(canaries, text)));
        }
        all.extend(self.overheard.endings());
        all.extend(panics::seen());
        all
    }
}

impl Watch {
    /// Restarts all programs in a world that is done, and tells what they should not have done.
    ///
    /// They must be started again by whoever started them.
    async fn restart(&self, world: &World) -> Vec<String> {
        let cursors: Vec<usize> = world
            .servers()
            .values()
            .map(|it| it.writes_since(0).len())
            .collect();
        if let Some(eyes) = lock(&self.eyes).as_mut() {
            eyes.lists = Lists::default();
        }
        let lives = self.overheard.lives();
        self.overheard.end_all();
        tokio::time::sleep(restart::LOOK_AFTER).await;
        let written: Vec<String> = world
            .servers()
            .iter()
            .zip(cursors)
            .flat_map(|((plane, server), cursor)| {
                let writes = server.writes_since(cursor).into_iter();
                let ours = writes.filter(|write| write.user_agent.starts_with("ringspan-"));
                ours.map(move |it| {
                    format!(
                        "{} {} {}/{} in {plane} {}",
                        it.user_agent,
                        it.verb,
                        it.plural,
                        it.name,
                        String::from_utf8_lossy(&it.body)
                    )
                })
            })
            .collect();
        let lives = self.overheard.lives() - lives;
        lock(&self.eyes)
            .as_ref()
            .map_or_else(Vec::new, |eyes| restart::judge(lives, &eyes.lists, &written))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // The servers hold the observers, which would hold the servers.
        lock(&self.eyes).take();
        self.overheard.listen(None);
        panics::stop();
    }
}

/// The first line of a log that quotes a Secret.
fn told(canaries: &Canaries, logs: &str) -> Option<String> {
    // All at once first: nearly always there is nothing to be found.
    canaries.quoted(logs)?;
    let mut quoted = logs
        .lines()
        .filter_map(|line| Some((canaries.quoted(line)?, line)));
    let (of, line) = quoted.next()?;
    Some(format!("P20: a log line quotes Secret {of}: {line}"))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use bytes::Bytes;
    use fake_apiserver::User;
    use http::Request;
    use serde_json::{Value, json};

    use super::*;
    use crate::plan::Plan;
    use crate::program::{Life, Name};
    use crate::scenario::Scenario;

    const SECRETS_OF_EAST: &str = "/api/v1/namespaces/db/secrets";

    fn world() -> World {
        World::start(Plan::without_fault(Scenario::One, 7)).unwrap()
    }

    fn ask(world: &World, program: &str, method: &str, path: &str, body: &Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .header("user-agent", program)
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let answer = world.server("east").answer(&User::admin(), &request);
        assert!(answer.status.is_success(), "{:?}", answer.status);
    }

    fn begins_with(lines: &[String], ids: &[&str]) {
        let found: Vec<_> = lines
            .iter()
            .filter_map(|line| line.split_once(':'))
            .map(|(id, _)| id)
            .collect();
        assert_eq!(found, ids, "{lines:#?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_done_in_a_world_is_seen() {
        let world = world();
        let watch = watch(&world);
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "mine", "namespace": "db"},
            "data": {"password": STANDARD.encode("a-rather-long-password")},
        });
        ask(&world, "somebody", "POST", SECRETS_OF_EAST, &secret);
        assert_eq!(watch.at_end(&world, false).await, [""; 0]);

        let path = format!("{SECRETS_OF_EAST}/mine");
        ask(&world, "ringspan-cluster-reconciler", "DELETE", &path, &json!({}));
        begins_with(&watch.all(), &["P1", "P2", "one writer", "R3"]);

        tracing::debug!("the password is a-rather-long-password");
        begins_with(&watch.standing(), &["P20"]);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_are_heard_those_of_the_dead_too() {
        let world = world();
        let watch = watch(&world);
        let life = Life::begin();
        let call = |path: &str| {
            let request = Request::get(path).body(()).unwrap();
            world.overheard.call(Name::StatusRollup, "east", &life, &request);
        };
        call("/api/v1/pods");
        assert_eq!(watch.all(), [""; 0]);
        call("/api/v1/secrets");
        begins_with(&watch.all(), &["P10"]);
        life.end();
        tokio::time::advance(LAST_WORDS).await;
        call("/api/v1/pods");
        assert_eq!(watch.all().len(), 1);
        tokio::time::advance(Duration::from_secs(1)).await;
        call("/api/v1/pods");
        begins_with(&watch.all(), &["P10", "P20"]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_servers_are_let_go_in_the_end() {
        let world = world();
        let watch = watch(&world);
        let (found, eyes) = (watch.found.clone(), Arc::clone(&watch.eyes));
        drop(watch);
        assert!(lock(&eyes).is_none());
        let map =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "db"}});
        ask(
            &world,
            "ringspan-status-rollup",
            "POST",
            "/api/v1/namespaces/db/configmaps",
            &map,
        );
        assert_eq!(found.all(), [""; 0]);
    }
}
