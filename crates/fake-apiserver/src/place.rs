//! Where in an object something is: written only when somebody wants to read it.

use std::fmt;

/// A path, one step at a time, on the stack of who walks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'p> {
    Root,
    Field(&'p Place<'p>, &'p str),
    Item(&'p Place<'p>, usize),
}

impl<'p> Place<'p> {
    pub(crate) fn field(&'p self, name: &'p str) -> Place<'p> {
        Place::Field(self, name)
    }

    pub(crate) fn item(&'p self, number: usize) -> Place<'p> {
        Place::Item(self, number)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Root => Ok(()),
            Place::Field(Place::Root, name) => out.write_str(name),
            Place::Field(parent, name) => write!(out, "{parent}.{name}"),
            Place::Item(parent, number) => write!(out, "{parent}[{number}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_place_reads_as_the_api_writes_it() {
        let racks = Place::Root.field("spec");
        let racks = racks.field("racks");
        let rack = racks.item(2);
        assert_eq!(rack.field("name").to_string(), "spec.racks[2].name");
    }
}
