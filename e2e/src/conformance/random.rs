//! Scripts that nobody wrote: what three programs might do to three objects, drawn from a seed.

use fake_apiserver::conformance::{Exchange, Script, layout};
use serde_json::{Map, Value, json};

const NAMES: [&str; 3] = ["a", "b", "c"];
const MANAGERS: [&str; 3] = ["one", "two", "three"];
const API: &str = "conformance.ringspan.io/v1";

/// Draws values; the same seed draws the same.
struct Dice(u64);

impl Dice {
    /// Less than `sides`, by a step of splitmix64.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap_or_default() % sides.max(1)
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())].clone()
    }

    fn some<T: Clone>(&mut self, of: &[T]) -> Vec<T> {
        of.iter().filter(|_| self.one_in(2)).cloned().collect()
    }
}

/// A script of `length` exchanges in a namespace of its own, and at its end all that was to be seen by a watch.
pub(super) fn script(seed: u64, length: usize) -> Script {
    let mut draft = Draft {
        dice: Dice(seed),
        base: format!("/apis/{API}/namespaces/c-random-{seed}/probes"),
        last: [0; NAMES.len()],
        exchanges: vec![],
    };
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": format!("c-random-{seed}")}});
    draft.ask("POST /api/v1/namespaces".to_owned(), "", Some(namespace));
    for _ in 0..length {
        draft.exchange();
    }
    let since = "{{x1/metadata/resourceVersion}}";
    draft.ask(
        format!(
            "GET {}?watch=true&timeoutSeconds=1&resourceVersion={since}",
            draft.base
        ),
        "",
        None,
    );
    if let Some(watch) = draft.exchanges.last_mut() {
        // All, until the server closes it.
        watch.events = Some(usize::MAX);
    }
    Script {
        about: format!("Seed {seed}."),
        controllers: false,
        exchanges: draft.exchanges,
    }
}

struct Draft {
    dice: Dice,
    base: String,
    /// The exchange that was last about each name.
    last: [usize; NAMES.len()],
    exchanges: Vec<Exchange>,
}

impl Draft {
    fn ask(&mut self, ask: String, content_type: &str, body: Option<Value>) {
        self.exchanges.push(Exchange {
            shows: body.as_ref().map(layout::compact).unwrap_or_default(),
            id: Some(format!("x{}", self.exchanges.len() + 1)),
            user: None,
            ask,
            content_type: Some(content_type.to_owned()).filter(|kind| !kind.is_empty()),
            accept: None,
            body,
            edit: Map::new(),
            raw: None,
            events: None,
            until: Map::new(),
            only: vec![],
            answer: None,
        });
    }

    fn exchange(&mut self) {
        let which = self.dice.roll(NAMES.len());
        let (name, base) = (NAMES[which], self.base.clone());
        let manager = self.dice.pick(&MANAGERS);
        let by = format!("fieldManager={manager}");
        match self.dice.roll(12) {
            0 | 1 => {
                let object = self.object(name);
                self.ask(format!("POST {base}?{by}"), "", Some(object));
            }
            2 => {
                let mut object = self.object(name);
                object["metadata"]["resourceVersion"] = self.quoted(which, "resourceVersion");
                self.ask(format!("PUT {base}/{name}?{by}"), "", Some(object));
            }
            3 | 4 => {
                let patch = self.merge();
                self.ask(
                    format!("PATCH {base}/{name}?{by}"),
                    "application/merge-patch+json",
                    Some(patch),
                );
            }
            5 => {
                let patch = self.operations(which);
                self.ask(
                    format!("PATCH {base}/{name}?{by}"),
                    "application/json-patch+json",
                    Some(patch),
                );
            }
            6..=8 => {
                let object = self.applied(name, which);
                let force = if self.dice.one_in(3) { "&force=true" } else { "" };
                self.ask(
                    format!("PATCH {base}/{name}?{by}{force}"),
                    "application/apply-patch+yaml",
                    Some(object),
                );
            }
            9 => {
                let status = json!({"apiVersion": API, "kind": "Probe", "metadata": {"name": name}, "status": self.status()});
                let kind = self
                    .dice
                    .pick(&["application/merge-patch+json", "application/apply-patch+yaml"]);
                self.ask(format!("PATCH {base}/{name}/status?{by}"), kind, Some(status));
            }
            10 => {
                let options = self.delete_options(which);
                self.ask(format!("DELETE {base}/{name}"), "", Some(options));
            }
            // Its version is not that of an object, so nothing quotes it.
            _ => {
                let query = self.dice.pick(&[
                    "",
                    "?labelSelector=l%3D1",
                    "?labelSelector=!l",
                    "?fieldSelector=metadata.name%3Da",
                ]);
                self.ask(format!("GET {base}{query}"), "", None);
                return;
            }
        }
        self.last[which] = self.exchanges.len();
    }

    /// What the last answer about a name said of its metadata.
    fn quoted(&self, which: usize, field: &str) -> Value {
        format!("{{{{x{}/metadata/{field}}}}}", self.last[which]).into()
    }

    fn object(&mut self, name: &str) -> Value {
        let mut metadata = self.metadata();
        metadata.insert("name".to_owned(), name.into());
        json!({"apiVersion": API, "kind": "Probe", "metadata": metadata, "spec": self.spec(false)})
    }

    fn applied(&mut self, name: &str, which: usize) -> Value {
        let mut object = self.object(name);
        if self.dice.one_in(5) {
            object["metadata"]["uid"] = self.quoted(which, "uid");
        }
        object
    }

    fn metadata(&mut self) -> Map<String, Value> {
        let mut metadata = Map::new();
        for field in ["labels", "annotations"] {
            if self.dice.one_in(3) {
                let keys = self.dice.some(&["l", "m", "ringspan.io/n"]);
                let values = keys
                    .into_iter()
                    .map(|key| (key.to_owned(), self.dice.pick(&["1", "2"]).into()));
                metadata.insert(field.to_owned(), Value::Object(values.collect()));
            }
        }
        if self.dice.one_in(6) {
            let finalizers = self.dice.some(&["ringspan.io/x", "ringspan.io/y"]);
            metadata.insert("finalizers".to_owned(), finalizers.into());
        }
        metadata
    }

    fn merge(&mut self) -> Value {
        let mut patch = json!({"spec": self.spec(true)});
        if self.dice.one_in(3) {
            let key = self.dice.pick(&["l", "m"]);
            let value = self.dice.pick(&[Value::Null, "1".into(), "2".into()]);
            patch["metadata"] = json!({"labels": {key: value}});
        }
        if self.dice.one_in(6) {
            patch["metadata"]["finalizers"] =
                self.dice
                    .pick(&[Value::Null, json!(["ringspan.io/x"]), json!([])]);
        }
        patch
    }

    fn operations(&mut self, which: usize) -> Value {
        const PATHS: [&str; 7] = [
            "/spec/size",
            "/spec/mode",
            "/spec/granular/k",
            "/spec/set/0",
            "/spec/set/-",
            "/spec/ports/0/port",
            "/spec/nested",
        ];
        let mut operations = vec![];
        if self.dice.one_in(2) {
            operations
                .push(json!({"op": "test", "path": "/metadata/uid", "value": self.quoted(which, "uid")}));
        }
        for _ in 0..=self.dice.roll(3) {
            let path = self.dice.pick(&PATHS);
            let value = self.dice.pick(&[
                json!(2),
                json!("x"),
                json!("fast"),
                Value::Null,
                json!({}),
                json!(["a"]),
            ]);
            operations.push(match self.dice.roll(4) {
                0 => json!({"op": "remove", "path": path}),
                1 => json!({"op": "replace", "path": path, "value": value}),
                2 => json!({"op": "test", "path": path, "value": value}),
                _ => json!({"op": "add", "path": path, "value": value}),
            });
        }
        operations.into()
    }

    fn delete_options(&mut self, which: usize) -> Value {
        let mut options = json!({"apiVersion": "v1", "kind": "DeleteOptions"});
        if self.dice.one_in(2) {
            options["preconditions"]["uid"] = self.quoted(which, "uid");
        }
        if self.dice.one_in(3) {
            options["preconditions"]["resourceVersion"] = self.quoted(which, "resourceVersion");
        }
        if self.dice.one_in(4) {
            options["propagationPolicy"] = self.dice.pick(&["Background", "Foreground", "Orphan"]).into();
        }
        options
    }

    fn status(&mut self) -> Value {
        let mut status = json!({});
        if self.dice.one_in(2) {
            status["phase"] = self.dice.pick(&["up", "down"]).into();
        }
        if self.dice.one_in(2) {
            let kinds = self.dice.some(&["Ready", "Healthy"]);
            let conditions = kinds
                .into_iter()
                .map(|kind| json!({"type": kind, "status": self.dice.pick(&["True", "False"])}));
            status["conditions"] = conditions.collect();
        }
        if self.dice.one_in(4) {
            status["nodes"] = self.dice.pick(&[json!(1), json!(-1), Value::Null]);
        }
        status
    }

    /// Some fields of a spec, each mostly right. `nulls`: some of them go.
    fn spec(&mut self, nulls: bool) -> Value {
        const FIELDS: [&str; 13] = [
            "size", "mode", "code", "set", "atomic", "plain", "ports", "granular", "whole", "nested", "free",
            "maybe", "frozen",
        ];
        let mut spec = Map::new();
        for field in FIELDS {
            if self.dice.one_in(4) {
                let null = nulls && self.dice.one_in(4);
                let value = if null { Value::Null } else { self.value(field) };
                spec.insert(field.to_owned(), value);
            }
        }
        Value::Object(spec)
    }

    fn value(&mut self, field: &str) -> Value {
        match field {
            "size" => self.dice.pick(&[json!(0), json!(3), json!(7), json!(11)]),
            "mode" => self
                .dice
                .pick(&["fast", "slow", "fast", "slow", "sideways"])
                .into(),
            "code" => self.dice.pick(&["ab", "abc", "ABC"]).into(),
            "set" | "plain" => self.dice.some(&["x", "y", "z"]).into(),
            "atomic" => self.dice.some(&[1, 2, 3]).into(),
            "ports" => self.ports(),
            "granular" => {
                let keys = self.dice.some(&["k", "l", "m"]);
                let values = keys
                    .into_iter()
                    .map(|key| (key.to_owned(), self.dice.pick(&["1", "2"]).into()));
                Value::Object(values.collect())
            }
            "whole" => self.dice.pick(&[json!({"a": "1"}), json!({"b": "2"}), json!({})]),
            "nested" => self.dice.pick(&[
                json!({}),
                json!({"label": "x"}),
                json!({"depth": 4}),
                json!({"none": 1}),
            ]),
            "free" => self
                .dice
                .pick(&[json!({"any": [1, null, {"thing": null}]}), json!({"other": {}})]),
            "maybe" => self.dice.pick(&[Value::Null, json!("so")]),
            _ => self.dice.pick(&["ice", "snow"]).into(),
        }
    }

    fn ports(&mut self) -> Value {
        let names = self.dice.some(&["n", "m"]);
        let mut ports = vec![];
        for name in names {
            let mut port = json!({"name": name});
            if self.dice.one_in(2) {
                port["protocol"] = self.dice.pick(&["TCP", "UDP"]).into();
            }
            if self.dice.one_in(2) {
                port["port"] = self.dice.pick(&[1, 2]).into();
            }
            ports.push(port);
        }
        ports.into()
    }
}
