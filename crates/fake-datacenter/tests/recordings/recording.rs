//! What was recorded of one scenario.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// One scenario's folder, read.
pub struct Recording {
    /// The folder's name.
    pub name: String,
    /// Objects that the driver created, in order.
    pub input: Vec<Value>,
    /// The driver's steps, what it reached and what not.
    pub steps: Vec<Value>,
    /// Writes of the operator and of the driver.
    pub trace: Vec<Value>,
    /// Every new status.
    pub status: Vec<Value>,
    /// Calls to management APIs.
    pub calls: Vec<Value>,
    /// What the recorder's nodes did.
    pub nodes: Vec<Value>,
    /// All objects at certain moments: label and objects, in order.
    pub states: Vec<(String, Vec<Value>)>,
}

/// The folder with the recordings, if there is one.
pub fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("RINGSPAN_REFERENCE")?).join("cass-operator");
    folder.is_dir().then_some(folder)
}

/// The scenarios in the folder, in order of name.
pub fn scenarios(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

impl Recording {
    /// Reads a scenario.
    pub fn read(folder: &Path, name: &str) -> Self {
        let own = folder.join(name);
        let mut states: Vec<_> = std::fs::read_dir(&own)
            .unwrap_or_else(|error| panic!("{}: {error}", own.display()))
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|file| file.starts_with("state-"))
            .collect();
        states.sort();
        let label = |file: &str| {
            let text = file.trim_end_matches(".yaml").splitn(3, '-').nth(2);
            text.unwrap_or_default().to_owned()
        };
        Self {
            name: name.to_owned(),
            input: documents(&own.join("input.yaml")),
            steps: lines(&own.join("steps.jsonl")),
            trace: lines(&own.join("trace.jsonl")),
            status: lines(&own.join("status.jsonl")),
            calls: lines(&own.join("mgmt.jsonl")),
            nodes: lines(&own.join("nodes.jsonl")),
            states: states
                .iter()
                .map(|file| (label(file), documents(&own.join(file))))
                .collect(),
        }
    }

    /// The namespaces that it is about.
    pub fn namespaces(&self) -> Vec<String> {
        let all = self
            .trace
            .iter()
            .chain(&self.nodes)
            .filter_map(|line| line["ns"].as_str());
        let mut all: Vec<_> = all.map(str::to_owned).collect();
        all.sort();
        all.dedup();
        all
    }

    /// Quiet periods that the recorded operator did not keep, for it read its cache before its own write had come there:
    /// namespace, datacenter, and which one, counted from 1.
    pub fn forgotten_quiet_periods(&self) -> Vec<(String, String, usize)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let datacenters = self
            .trace
            .iter()
            .filter(|line| line["resource"] == "cassandradatacenters");
        let named = datacenters.map(|line| (text(&line["ns"]), text(&line["name"])));
        let all: std::collections::BTreeSet<_> = named.collect();
        let mut found = Vec::new();
        for (ns, name) in all {
            for number in self.forgotten_of(&ns, &name) {
                found.push((ns.clone(), name.clone(), number));
            }
        }
        found
    }

    fn forgotten_of(&self, ns: &str, name: &str) -> Vec<usize> {
        let own = |line: &&Value| {
            line["user"] == "cass-operator"
                && line["resource"] == "cassandradatacenters"
                && line["sub"] == "status"
                && line["ns"] == ns
                && line["name"] == name
        };
        let writes: Vec<_> = self.trace.iter().filter(own).collect();
        let is_quiet = |line: &Value| line["patch"]["status"]["quietPeriod"].is_string();
        let (mut number, mut found) = (0, Vec::new());
        for (place, line) in writes.iter().enumerate().filter(|(_, line)| is_quiet(line)) {
            number += 1;
            let soon: Vec<_> = writes[place + 1..]
                .iter()
                .take_while(|next| time(next) - time(line) < 1.0)
                .collect();
            if !soon.is_empty() {
                found.push(number);
                // Written again within the second, it is an empty patch.
                number += usize::from(!soon.iter().any(|next| is_quiet(next)));
            }
        }
        found
    }

    /// What the recorder's nodes said of their management API.
    pub fn features(&self) -> Option<Value> {
        let asked = |line: &&Value| {
            line["path"]
                .as_str()
                .is_some_and(|path| path.ends_with("/features"))
        };
        let answer = self.calls.iter().find(asked)?["resp"].as_str()?;
        serde_json::from_str(answer).ok()
    }

    /// When the last thing was recorded.
    pub fn end(&self) -> f64 {
        let all = [&self.steps, &self.trace, &self.status, &self.calls, &self.nodes];
        all.into_iter().flatten().map(time).fold(0.0, f64::max)
    }
}

/// The moment of a line, in seconds since the scenario began.
pub fn time(line: &Value) -> f64 {
    line["t"].as_f64().unwrap_or_default()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn lines(path: &Path) -> Vec<Value> {
    let parse = |line: &str| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}: {line}", path.display()))
    };
    read(path)
        .lines()
        .filter(|line| !line.is_empty())
        .map(parse)
        .collect()
}

fn documents(path: &Path) -> Vec<Value> {
    let all: Vec<Value> = serde_saphyr::from_multiple(&read(path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    all.into_iter().filter(|document| !document.is_null()).collect()
}
