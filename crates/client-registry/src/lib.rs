//! Deployment 1: which planes are usable, and who are they?
