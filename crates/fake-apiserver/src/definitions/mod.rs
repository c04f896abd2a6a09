//! Which kinds a server knows: built-in ones and those of CRDs, compiled once and shared.

mod built_in;
mod columns;
mod crd;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::identity::Identities;
use crate::object::{Object, metadata_mut};
use crate::schema::{At, NodeId, Schema};

pub(crate) use columns::Column;
pub(crate) use crd::{accepted, established, stored_versions};

/// One served version of one kind.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "a kind has a `kind`")]
pub(crate) struct Kind {
    /// Which objects these are, in whatever version: index of the table that holds them.
    pub(crate) table: usize,
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) list_kind: String,
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) short_names: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) verbs: Vec<String>,
    pub(crate) subresources: Vec<String>,
    pub(crate) namespaced: bool,
    pub(crate) built_in: bool,
    pub(crate) storage: bool,
    /// `group/version`, or the version alone.
    pub(crate) api_version: String,
    /// Where `scale` finds its figures.
    pub(crate) scale: Option<ScalePaths>,
    /// What people are shown of its objects; empty for built-in kinds.
    pub(crate) columns: Vec<Column>,
    schema: Arc<Schema>,
    root: NodeId,
}

/// JSON pointers of a kind's `scale`.
#[derive(Clone, Debug)]
pub(crate) struct ScalePaths {
    pub(crate) spec: String,
    pub(crate) status: String,
    pub(crate) selector: Option<String>,
}

impl Kind {
    pub(crate) fn at(&self) -> At<'_> {
        self.schema.at(self.root)
    }

    /// `plural`, or `plural.group`.
    pub(crate) fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.plural.clone()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    pub(crate) fn has(&self, subresource: &str) -> bool {
        self.subresources.iter().any(|name| name == subresource)
    }

    pub(crate) fn is(&self, group: &str, plural: &str) -> bool {
        self.group == group && self.plural == plural
    }

    /// Whether objects of this kind count their changes.
    pub(crate) fn counts_generations(&self) -> bool {
        if !self.built_in {
            return true;
        }
        matches!(
            (self.group.as_str(), self.plural.as_str()),
            ("", "pods")
                | (
                    "apps",
                    "statefulsets" | "deployments" | "replicasets" | "daemonsets"
                )
                | ("batch", "jobs" | "cronjobs")
                | ("discovery.k8s.io", "endpointslices")
                | ("policy", "poddisruptionbudgets")
                | ("apiextensions.k8s.io", "customresourcedefinitions")
                | ("networking.k8s.io", "networkpolicies")
        )
    }
}

/// A document is not a definition that this server can serve.
#[derive(Debug, thiserror::Error)]
#[error("definition {name}: {why}")]
pub struct DefinitionError {
    name: String,
    why: String,
}

/// The kinds that servers know. Cheap to clone; made once and shared by as many servers as are wanted.
#[derive(Clone, Debug)]
pub struct Definitions {
    served: Arc<Served>,
    /// The CRDs that were given, as every server stores them first: the objects are shared by all.
    crds: Arc<Vec<Arc<Object>>>,
}

impl Definitions {
    /// The built-in kinds of Kubernetes that controllers commonly use.
    #[must_use]
    pub fn built_in() -> Definitions {
        static BUILT_IN: OnceLock<Definitions> = OnceLock::new();
        let built_in = BUILT_IN.get_or_init(|| Definitions {
            served: Arc::new(Served::of(built_in::kinds())),
            crds: Arc::new(Vec::new()),
        });
        built_in.clone()
    }

    /// These and the kinds of CRDs. The CRDs are also there as objects when a server starts.
    ///
    /// # Errors
    /// A document is no CRD, or its schema cannot be compiled.
    pub fn with(self, crds: &[Value]) -> Result<Definitions, DefinitionError> {
        let (mut kinds, mut objects) = (self.served.kinds.clone(), self.crds.to_vec());
        for document in crds {
            let made = crd::kinds(document, next_table(&kinds)).map_err(|why| DefinitionError {
                name: name_of(document).to_owned(),
                why,
            })?;
            if let Some(taken) = made
                .iter()
                .find(|kind| kinds.iter().any(|other| other.is(&kind.group, &kind.plural)))
            {
                return Err(DefinitionError {
                    name: name_of(document).to_owned(),
                    why: format!("{} is defined already", taken.qualified()),
                });
            }
            kinds.extend(made);
            objects.push(Arc::new(first_object(document, objects.len() as u64 + 1)));
        }
        Ok(Definitions {
            served: Arc::new(Served::of(kinds)),
            crds: Arc::new(objects),
        })
    }

    pub(crate) fn served(&self) -> Arc<Served> {
        Arc::clone(&self.served)
    }

    pub(crate) fn crds(&self) -> &[Arc<Object>] {
        &self.crds
    }
}

/// A definition as a server has it when it starts; its uid is the same on all.
fn first_object(document: &Value, version: u64) -> Object {
    let begun = crate::clock::beginning();
    let mut crd = document.clone();
    crd["status"] = established(&crd, &begun);
    let metadata = metadata_mut(&mut crd);
    let uid = Identities::new(u64::MAX - version).uid();
    metadata.insert("uid".into(), uid.into());
    metadata.insert("creationTimestamp".into(), begun.into());
    metadata.insert("generation".into(), 1.into());
    metadata.insert("resourceVersion".into(), version.to_string().into());
    Object::new(crd, version)
}

fn name_of(document: &Value) -> &str {
    document
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or("without a name")
}

fn next_table(kinds: &[Arc<Kind>]) -> usize {
    kinds.iter().map(|kind| kind.table + 1).max().unwrap_or_default()
}

/// The kinds that one server serves at the moment.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    kinds: Vec<Arc<Kind>>,
    by_name: HashMap<String, Arc<Kind>>,
    /// By table, the kind that objects are stored as.
    stored: Vec<Option<Arc<Kind>>>,
    /// By group and plural, also of what is served no more: a definition that comes back has its objects.
    defined: HashMap<(String, String), usize>,
    tables: usize,
}

impl Served {
    fn of(kinds: Vec<Arc<Kind>>) -> Served {
        let mut served = Served {
            kinds: Vec::new(),
            by_name: HashMap::new(),
            stored: Vec::new(),
            defined: HashMap::new(),
            tables: next_table(&kinds),
        };
        for kind in kinds {
            served.add(kind);
        }
        served
    }

    fn add(&mut self, kind: Arc<Kind>) {
        let name = format!("{}/{}", kind.api_version, kind.plural);
        self.by_name.insert(name, Arc::clone(&kind));
        if !kind.built_in {
            self.defined
                .insert((kind.group.clone(), kind.plural.clone()), kind.table);
        }
        if kind.storage {
            if self.stored.len() <= kind.table {
                self.stored.resize(kind.table + 1, None);
            }
            self.stored[kind.table] = Some(Arc::clone(&kind));
        }
        self.kinds.push(kind);
    }

    pub(crate) fn tables(&self) -> usize {
        self.tables
    }

    pub(crate) fn all(&self) -> &[Arc<Kind>] {
        &self.kinds
    }

    /// Whether built-in kinds are of this group and version.
    pub(crate) fn builds_in(&self, api_version: &str) -> bool {
        let mut kinds = self.all().iter();
        kinds.any(|kind| kind.built_in && kind.api_version == api_version)
    }

    pub(crate) fn find(&self, api_version: &str, plural: &str) -> Option<&Arc<Kind>> {
        // One small string per request instead of a map of maps.
        self.by_name.get(&format!("{api_version}/{plural}"))
    }

    /// The kind that objects of a table are stored as.
    pub(crate) fn stored(&self, table: usize) -> Option<&Arc<Kind>> {
        self.stored.get(table)?.as_ref()
    }

    pub(crate) fn of_kind(&self, api_version: &str, kind: &str) -> Option<&Arc<Kind>> {
        self.kinds
            .iter()
            .find(|known| known.api_version == api_version && known.kind == kind)
    }

    /// Follows a CRD that was created or changed. Objects keep their table.
    ///
    /// # Errors
    /// What is wrong with the definition.
    pub(crate) fn define(&mut self, crd: &Value) -> Result<usize, String> {
        let text = |pointer: &str| crd.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (group, plural) = (text("/spec/group"), text("/spec/names/plural"));
        let known = self.defined.get(&(group.to_owned(), plural.to_owned()));
        let table = known.copied().unwrap_or(self.tables);
        let kinds = crd::kinds(crd, table)?;
        self.forget(group, plural);
        self.tables = self.tables.max(table + 1);
        for kind in kinds {
            self.add(kind);
        }
        Ok(table)
    }

    pub(crate) fn forget(&mut self, group: &str, plural: &str) {
        let stays = |kind: &Arc<Kind>| kind.built_in || !kind.is(group, plural);
        self.kinds.retain(stays);
        self.by_name.retain(|_, kind| stays(kind));
        for stored in &mut self.stored {
            stored.take_if(|kind| !stays(kind));
        }
    }
}
