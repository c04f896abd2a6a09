//! The API types of Ringspan and every name that goes over the wire.
