//! The protocols, fact by fact.

mod life;
mod ring;
mod world;
