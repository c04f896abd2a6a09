//! Kinds that others define: read, written and passed on, but never installed by us.

/// Makes a type with metadata one of that kind, in namespaces.
macro_rules! custom_resource {
    ($kind:ident, $plural:literal, $group:literal, $version:literal) => {
        impl kube::Resource for $kind {
            type DynamicType = ();
            type Scope = kube::core::NamespaceResourceScope;

            fn kind((): &()) -> std::borrow::Cow<'_, str> {
                stringify!($kind).into()
            }

            fn group((): &()) -> std::borrow::Cow<'_, str> {
                $group.into()
            }

            fn version((): &()) -> std::borrow::Cow<'_, str> {
                $version.into()
            }

            fn plural((): &()) -> std::borrow::Cow<'_, str> {
                $plural.into()
            }

            fn meta(&self) -> &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
                &self.metadata
            }

            fn meta_mut(&mut self) -> &mut k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
                &mut self.metadata
            }
        }
    };
}

/// Declares a custom object with spec and status, and no definition to install.
///
/// It reads objects with and without `apiVersion` and `kind` (items of a list have none) and writes them with both.
macro_rules! custom_object {
    ($(#[$outer:meta])* $kind:ident, $plural:literal, $group:literal, $version:literal, $spec:ident, $status:ident) => {
        $(#[$outer])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
        pub struct $kind {
            /// Name, namespace, labels and so on.
            #[serde(default)]
            pub metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
            /// What is wanted.
            #[serde(default)]
            pub spec: $spec,
            /// What was observed.
            #[serde(default)]
            pub status: Option<$status>,
        }

        impl serde::Serialize for $kind {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeStruct;

                let mut object = serializer.serialize_struct(stringify!($kind), 4 + usize::from(self.status.is_some()))?;
                object.serialize_field("apiVersion", concat!($group, "/", $version))?;
                object.serialize_field("kind", stringify!($kind))?;
                object.serialize_field("metadata", &self.metadata)?;
                object.serialize_field("spec", &self.spec)?;
                if let Some(status) = &self.status {
                    object.serialize_field("status", status)?;
                }
                object.end()
            }
        }

        crate::custom_object::custom_resource!($kind, $plural, $group, $version);
    };
}

pub(crate) use custom_object;
pub(crate) use custom_resource;
