//! Everything observed → one status that people and tools can trust. Nothing decides by what this writes.
