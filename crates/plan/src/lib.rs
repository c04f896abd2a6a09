//! Every decision of Ringspan, as pure functions from what was seen to what shall be done.
