//! The shipped program: one of the five controllers, picked by the first argument.
fn main() {}
