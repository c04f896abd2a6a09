//! The protocols, fact by fact.

mod addons;
mod adoption;
mod autoupdate;
mod bad_input;
mod changes;
mod life;
mod references;
mod ring;
mod rows;
mod secrets;
mod stores;
mod world;
