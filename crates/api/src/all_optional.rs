//! A struct of the wire in which every field may be absent, and what was absent stays absent.

/// Declares wire structs whose fields are all `Option`s, so that the attribute which keeps an absent field absent is
/// written once instead of 250 times. Names go out in camelCase unless the struct says otherwise.
macro_rules! all_optional {
    ($(
        $(#[$outer:meta])*
        pub struct $name:ident {
            $($(#[$inner:meta])* pub $field:ident: $kind:ty,)*
        }
    )*) => {$(
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        $(#[$outer])*
        pub struct $name {
            $(
                $(#[$inner])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $field: $kind,
            )*
        }
    )*};
}

pub(crate) use all_optional;
