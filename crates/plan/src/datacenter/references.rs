//! What a datacenter refers to outside of the cluster's object.

use std::collections::BTreeMap;

/// What a datacenter refers to, as it was read. What is not here was not read: whoever needs it refuses or waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// Content of the ConfigMap with configuration per node, as read from the datacenter's plane: the user's, or the
    /// generated one where it is there already. Without it a datacenter that refers to the user's is refused.
    pub per_node_config: Option<BTreeMap<String, String>>,
}
