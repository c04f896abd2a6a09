//! A Kubernetes API server in memory, for tests.
//!
//! | module | idea |
//! | --- | --- |
//! | [`conformance`] | what a real server answered, and how an answer is held against it |

pub mod conformance;
