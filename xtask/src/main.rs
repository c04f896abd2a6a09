//! The only entry point for chores.
fn main() {}
