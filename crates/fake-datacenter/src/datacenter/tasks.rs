//! CassandraTasks of this datacenter: one at a time, one pod at a time, looked at every ten seconds.

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{Actor, View, secs};
use crate::apiserver::{ApiError, kinds};
use crate::json::{self, label, list, text};
use crate::names::{self, node_state};
use crate::objects::Dc;
use crate::ring::{JobKind, JobState};

impl Actor {
    pub(super) async fn tasks_pass(&mut self, view: &View) -> Result<(), ApiError> {
        self.memory.task_due = None;
        let Some(dc) = view.dc.as_ref().filter(|dc| !json::is_deleting(&dc.0)) else {
            return Ok(());
        };
        let mut tasks = self.plane.api.list(kinds::TASKS, &self.key.0, "").await?;
        tasks.retain(|task| {
            text(task, "/spec/datacenter/name") == dc.name()
                && text(task, "/status/completionTime").is_empty()
                && !json::is_deleting(task)
        });
        let age = |task: &Value| {
            (
                text(task, "/metadata/creationTimestamp").to_owned(),
                json::name(task).to_owned(),
            )
        };
        tasks.sort_by_key(age);
        // A task that runs comes first.
        let running = tasks
            .iter()
            .position(|task| !text(task, "/status/startTime").is_empty())
            .unwrap_or(0);
        if running >= tasks.len() {
            return Ok(());
        }
        let mut task = tasks.swap_remove(running);
        let poll = Instant::now() + self.plane.pace.wait(secs(10));
        self.memory.task_due = Some(poll);
        if text(&task, "/status/startTime").is_empty() {
            self.begin_task(dc, &mut task).await?;
        }
        let is_over = match text(&task, "/spec/jobs/0/command") {
            "restart" => self.restart_step(view, dc, &mut task).await?,
            "replacenode" => self.replace_step(view, dc, &mut task).await?,
            "refresh" => self.refresh_step(dc, &mut task).await?,
            _ => self.pods_step(view, &mut task).await?,
        };
        if is_over {
            self.end_task(&mut task).await?;
            // The next task begins at once.
            self.memory.task_due = Some(Instant::now());
        }
        Ok(())
    }

    async fn begin_task(&self, dc: &Dc, task: &mut Value) -> Result<(), ApiError> {
        for (key, value) in dc.labels() {
            task["metadata"]["labels"][key] = value;
        }
        if list(task, "/metadata/ownerReferences").is_empty() {
            task["metadata"]["ownerReferences"] = json!([dc.owner()]);
        }
        task["metadata"]["labels"][names::TASK_STATUS] = "active".into();
        for (key, default) in [("concurrencyPolicy", "Forbid"), ("restartPolicy", "OnFailure")] {
            if text(task, &format!("/spec/{key}")).is_empty() {
                task["spec"][key] = default.into();
            }
        }
        if task.pointer("/spec/jobs/0/args").is_none() {
            task["spec"]["jobs"][0]["args"] = json!({});
        }
        *task = self.plane.api.replace(kinds::TASKS, &self.key.0, task).await?;
        let now = self.plane.clock.now();
        self.patch_task(task, json!({"active": 1, "startTime": now}))
            .await?;
        // Recorded: these do not show here that they run.
        if matches!(
            text(task, "/spec/jobs/0/command"),
            "restart" | "refresh" | "replacenode"
        ) {
            return Ok(());
        }
        self.show_running(task).await
    }

    pub(super) async fn show_running(&self, task: &mut Value) -> Result<(), ApiError> {
        let running = json!([task_condition("Running", "True", &self.plane.clock.now())]);
        self.patch_task(task, json!({"conditions": running})).await
    }

    /// The datacenter is asked to rewrite its StatefulSets once; it is done when the datacenter has taken that back.
    async fn refresh_step(&self, dc: &Dc, task: &mut Value) -> Result<bool, ApiError> {
        if !json::condition(task, "DatacenterUpdated").is_empty() {
            return Ok(json::annotation(&dc.0, names::AUTO_UPDATE).is_none());
        }
        let patch =
            json!({"metadata": {"uid": json::uid(&dc.0), "annotations": {names::AUTO_UPDATE: "once"}}});
        self.plane
            .api
            .merge(kinds::DATACENTERS, &self.key.0, dc.name(), &patch)
            .await?;
        let mut asked = task_condition("DatacenterUpdated", "True", &self.plane.clock.now());
        asked["message"] = "Datacenter updated to update spec once".into();
        self.patch_task(task, json!({"conditions": [asked]})).await?;
        Ok(false)
    }

    pub(super) async fn patch_task(&self, task: &mut Value, status: Value) -> Result<(), ApiError> {
        let version = text(task, "/metadata/resourceVersion").to_owned();
        let patch = json!({"metadata": {"resourceVersion": version}, "status": status});
        let name = json::name(task).to_owned();
        *task = self
            .plane
            .api
            .merge_status(kinds::TASKS, &self.key.0, &name, &patch)
            .await?;
        Ok(())
    }

    /// The next step over the pods; true when the last one is done.
    async fn pods_step(&self, view: &View, task: &mut Value) -> Result<bool, ApiError> {
        let wanted = text(task, "/spec/jobs/0/args/pod_name").to_owned();
        let rack = text(task, "/spec/jobs/0/args/rack").to_owned();
        let tokens = task.pointer("/spec/jobs/0/args/new_tokens").cloned();
        let started = |pod: &&Value| {
            label(pod, names::NODE_STATE) == node_state::STARTED
                && (wanted.is_empty() || json::name(pod) == wanted)
                && (rack.is_empty() || label(pod, names::RACK) == rack)
                && tokens
                    .as_ref()
                    .is_none_or(|tokens| tokens.get(json::name(pod)).is_some())
        };
        let pods: Vec<_> = view.pods.iter().filter(started).collect();
        for pod in pods {
            let entry = task
                .pointer("/status/podStatuses")
                .and_then(|all| all.get(json::name(pod)))
                .cloned();
            let status = entry.as_ref().map_or("", |entry| text(entry, "/status"));
            if matches!(status, "COMPLETED" | "ERROR") {
                continue;
            }
            let job = entry
                .as_ref()
                .map_or("", |entry| text(entry, "/jobId"))
                .to_owned();
            let outcome = self.plane.cassandra.job(&job).map(|job| job.state);
            match outcome {
                Some(JobState::Waiting) => return Ok(false),
                Some(state) => {
                    if !self.end_pod_job(task, pod, &state).await? {
                        return Ok(false);
                    }
                }
                None => {
                    self.begin_pod_job(task, pod).await?;
                    return Ok(false);
                }
            }
        }
        Ok(task.pointer("/status/podStatuses").is_some())
    }

    async fn begin_pod_job(&self, task: &mut Value, pod: &Value) -> Result<(), ApiError> {
        let kind = match text(task, "/spec/jobs/0/command") {
            "rebuild" => JobKind::Rebuild {
                source: text(task, "/spec/jobs/0/args/source_datacenter").to_owned(),
            },
            other => JobKind::Other(other.to_owned()),
        };
        let luck = format!(
            "job/{}/{}",
            text(task, "/metadata/resourceVersion"),
            json::uid(pod)
        );
        let id = self.plane.pace.uuid(&luck);
        self.plane
            .rings
            .lock()
            .called(&self.node(pod), call_of(task, json::name(pod)));
        let due = Instant::now() + self.plane.pace.step(secs(3), &luck);
        if self
            .plane
            .cassandra
            .submit(&id, &self.node(pod), kind, due)
            .is_err()
        {
            // The node does not answer: the start is tried again at the next look.
            return Ok(());
        }
        let entry = json!({"jobId": id, "startTime": self.plane.clock.now(), "status": "RUNNING"});
        self.patch_task(task, json!({"podStatuses": {json::name(pod): entry}}))
            .await?;
        let (succeeded, _) = counts(task);
        if succeeded > 0 {
            self.patch_task(task, json!({"succeeded": succeeded})).await?;
        }
        Ok(())
    }

    /// Notes how a pod's job ended. The first failure is tried once more: then the pod is not done (false).
    async fn end_pod_job(&self, task: &mut Value, pod: &Value, state: &JobState) -> Result<bool, ApiError> {
        let known = task
            .pointer("/status/podStatuses")
            .and_then(|all| all.get(json::name(pod)))
            .cloned();
        let retried = known.is_some_and(|entry| json::number(&entry, "/retries") > 0);
        let entry = match state {
            JobState::Failed(why) => {
                tracing::warn!(task = json::name(task), pod = json::name(pod), why, "job failed");
                if retried || text(task, "/spec/restartPolicy") == "Never" {
                    json!({"completionTime": self.plane.clock.now(), "status": "ERROR"})
                } else {
                    json!({"retries": 1, "status": "RUNNING", "jobId": "again"})
                }
            }
            _ => json!({"completionTime": self.plane.clock.now(), "status": "COMPLETED"}),
        };
        let done = text(&entry, "/status") != "RUNNING";
        self.patch_task(task, json!({"podStatuses": {json::name(pod): entry}}))
            .await?;
        Ok(done)
    }

    async fn end_task(&self, task: &mut Value) -> Result<(), ApiError> {
        let (succeeded, failed) = counts(task);
        task["metadata"]["labels"][names::TASK_STATUS] = "completed".into();
        *task = self.plane.api.replace(kinds::TASKS, &self.key.0, task).await?;
        let now = self.plane.clock.now();
        // A failed task is Complete as well.
        let mut conditions = vec![
            task_condition("Running", "False", &now),
            task_condition("Complete", "True", &now),
        ];
        let others = list(task, "/status/conditions").iter();
        conditions.extend(others.filter(|one| text(one, "/type") != "Running").cloned());
        if failed > 0 {
            conditions.push(task_condition("Failed", "True", &now));
        }
        let mut status = json!({"active": null, "completionTime": now, "conditions": conditions});
        for (key, count) in [("succeeded", succeeded), ("failed", failed)] {
            if count > 0 {
                status[key] = count.into();
            }
        }
        self.patch_task(task, status).await
    }

    /// After more nodes have come, the old ones give away what is no longer theirs.
    pub(super) async fn create_cleanup(&self, dc: &Dc) -> Result<(), ApiError> {
        let task = json!({
            "apiVersion": "control.k8ssandra.io/v1alpha1",
            "kind": "CassandraTask",
            "metadata": {
                "name": format!("cleanup-{}", self.plane.clock.unix_seconds()),
                "namespace": self.key.0,
                "labels": dc.labels(),
                "ownerReferences": [dc.owner()],
            },
            "spec": {
                "datacenter": {"name": dc.name(), "namespace": self.key.0},
                "jobs": [{"name": format!("cleanup-{}", dc.name()), "command": "cleanup"}],
            },
        });
        self.create_if_absent(kinds::TASKS, &task).await
    }
}

/// The call that begins a task's job on a node.
fn call_of(task: &Value, pod: &str) -> String {
    let argument = |key: &str| task.pointer(&format!("/spec/jobs/0/args/{key}"));
    let mut body = Map::new();
    for key in ["keyspace_name", "tables"] {
        if let Some(value) = argument(key) {
            body.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(jobs) = argument("jobs") {
        body.insert("jobs".to_owned(), jobs.to_string().into());
    }
    let path = match text(task, "/spec/jobs/0/command") {
        "rebuild" => {
            let source = text(task, "/spec/jobs/0/args/source_datacenter");
            return format!("POST /api/v1/ops/node/rebuild?src_dc={source}");
        }
        "move" => {
            let token = text(task, &format!("/spec/jobs/0/args/new_tokens/{pod}"));
            return format!("POST /api/v0/ops/node/move?newToken={token}");
        }
        "tsreload" => return "POST /api/v0/ops/node/encryption/internode/truststore/reload".to_owned(),
        "cleanup" => "keyspace/cleanup",
        "upgradesstables" => "tables/sstables/upgrade",
        "compaction" | "compact" => "tables/compact",
        other => &format!("tables/{other}"),
    };
    if body.is_empty() {
        return format!("POST /api/v1/ops/{path}");
    }
    format!("POST /api/v1/ops/{path} {}", Value::Object(body))
}

/// One condition of a task; the reason repeats its kind.
fn task_condition(kind: &str, status: &str, now: &str) -> Value {
    json!({"type": kind, "status": status, "reason": kind, "message": "", "lastTransitionTime": now})
}

/// How many pods succeeded and failed; a task without pods has counted itself.
fn counts(task: &Value) -> (usize, usize) {
    if task.pointer("/status/podStatuses").is_none() {
        let own = |key: &str| usize::try_from(json::number(task, &format!("/status/{key}"))).unwrap_or(0);
        return (own("succeeded"), own("failed"));
    }
    let entries = task.pointer("/status/podStatuses").and_then(Value::as_object);
    let with = |status: &str| {
        let values = entries.into_iter().flat_map(serde_json::Map::values);
        values.filter(|entry| text(entry, "/status") == status).count()
    };
    (with("COMPLETED"), with("ERROR"))
}
