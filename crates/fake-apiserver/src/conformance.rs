//! What a real API server answered, and how an answer is held against it.
//!
//! A *script* is a sequence of exchanges: a request, and the answer that kube-apiserver gave, with what differs from run
//! to run replaced. The same code plays a script on a real server, to record it, and on the one in memory, to compare.
//!
//! | module | idea |
//! | --- | --- |
//! | [`script`] | the files: requests, and the answers recorded |
//! | [`mod@play`] | a script on any server, exchange by exchange |
//! | [`placeholders`] | uids, versions and times of one run become names that are the same in every run |
//! | [`references`] | a request quotes what an earlier answer said |
//! | [`layout`] | JSON as people read it in a review |
//! | [`memory`] | the server in memory, as scripts see it |
//! | [`difference`] | where an answer is another one |

pub mod difference;
pub mod layout;
mod marks;
pub mod memory;
pub mod placeholders;
pub mod play;
pub mod references;
pub mod script;

pub use difference::{Difference, Mismatch, mismatches};
pub use memory::Memory;
pub use play::{Asked, Next, Reply, Server, play};
pub use script::{Answer, Exchange, Script};
