//! Which images count: k8ssandra-operator reads them where it runs, and Ringspan where it does.

use api::names::label;
use fleet::Plane;
use k8s_openapi::api::core::v1::ConfigMap;

use super::findings::Findings;
use crate::live::said;

/// Tells of a ConfigMap that k8ssandra-operator read and Ringspan will not. What differs shows as a change that is held, so
/// it is not in the way.
pub(super) async fn look(control: &Plane<()>, installed_in: &str, found: &mut Findings) {
    let selector = format!("{}={}", label::CONFIG, label::IMAGE_CONFIG);
    let maps = match control.list_live::<ConfigMap>(None, &selector, None).await {
        Ok(maps) => maps,
        Err(unknown) => {
            found.note(&format!(
                "whether images are configured is not known: {}",
                said(&unknown)
            ));
            return;
        }
    };
    let namespace = |map: &ConfigMap| map.metadata.namespace.clone().unwrap_or_default();
    if maps.iter().any(|map| namespace(map) == installed_in) {
        return;
    }
    for map in maps {
        found.note(&format!(
            "ConfigMap {}/{} names images; Ringspan reads that of namespace {installed_in}, where there is none. If these are your own, copy it there with its label",
            namespace(&map),
            map.metadata.name.as_deref().unwrap_or_default()
        ));
    }
}
