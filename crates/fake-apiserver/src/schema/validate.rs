//! What is refused, in the words of the real server.
//!
//! What has not changed is not refused, even if the schema would refuse it today.

use serde_json::Value;

use super::{At, Limits, ListType, Type, formats, rules};
use crate::failure::Cause;
use crate::place::Place;

/// Everything that is wrong with an object.
pub(crate) fn validate(value: &Value, old: Option<&Value>, at: At<'_>) -> Vec<Cause> {
    let mut found = Found::default();
    walk(value, old, at, Place::Root, &mut found);
    duplicates(value, old, at, Place::Root, &mut found.causes);
    if at.node.rules_below {
        if found.blocking {
            found.causes.push(Cause::new(
                "FieldValueInvalid",
                "<nil>",
                "Invalid value: null: some validation rules were not checked because the object was invalid; \
                 correct the existing errors to complete validation",
            ));
        } else {
            walk_rules(value, old, at, Place::Root, &mut found.causes);
        }
    }
    found.causes
}

#[derive(Default)]
struct Found {
    causes: Vec<Cause>,
    /// Rules are not asked about a value of another shape than they were written for.
    blocking: bool,
}

impl Found {
    fn say(&mut self, place: &Place<'_>, value: &Value, what: &str) {
        let field = place.to_string();
        let why = format!("{field} in body {what}");
        self.causes.push(Cause::invalid(field, value, &why));
    }

    fn block(&mut self, reason: &'static str, place: &Place<'_>, message: String) {
        self.blocking = true;
        self.causes.push(Cause::new(reason, place.to_string(), message));
    }

    fn wrong_type(&mut self, place: &Place<'_>, shown: &str, wanted: &str) {
        let message =
            format!("Invalid value: {shown:?}: {place} in body must be of type {wanted}: {shown:?}");
        self.block("FieldValueTypeInvalid", place, message);
    }
}

fn walk(value: &Value, old: Option<&Value>, at: At<'_>, place: Place<'_>, found: &mut Found) {
    if old == Some(value) {
        return;
    }
    if let Some((given, wanted)) = type_mismatch(value, at) {
        found.wrong_type(&place, given, wanted);
        if let Some(limits) = &at.node.limits {
            limits.check_one_of(value, &place, found);
        }
        return;
    }
    if let Some(limits) = &at.node.limits {
        limits.check(value, &place, found);
    }
    match value {
        Value::Object(fields) => {
            for name in &at.node.required {
                if !fields.contains_key(name) {
                    let place = place.field(name);
                    found.block("FieldValueRequired", &place, "Required value".to_owned());
                }
            }
            for (name, inner) in fields {
                let old = old.and_then(|old| old.get(name));
                walk(inner, old, at.field(name), place.field(name), found);
            }
        }
        Value::Array(items) => {
            for (number, inner) in items.iter().enumerate() {
                walk(
                    inner,
                    old_item(inner, old, at),
                    at.items(),
                    place.item(number),
                    found,
                );
            }
        }
        _ => {}
    }
    branches(value, old, at, place, found);
}

/// The item of the old list that this one was: by its keys, else none, as positions say nothing.
fn old_item<'o>(item: &Value, old: Option<&'o Value>, at: At<'_>) -> Option<&'o Value> {
    let ListType::Map(keys) = &at.node.list else {
        return None;
    };
    let same = |other: &&Value| keys.iter().all(|key| other.get(key) == item.get(key));
    old?.as_array()?.iter().find(same)
}

fn branches(value: &Value, old: Option<&Value>, at: At<'_>, place: Place<'_>, found: &mut Found) {
    for id in &at.node.all_of {
        walk(value, old, at.to(*id), place, found);
    }
    let holds = |id: &usize| {
        let mut tried = Found::default();
        walk(value, None, at.to(*id), place, &mut tried);
        tried.causes.is_empty()
    };
    if !at.node.any_of.is_empty() && !at.node.any_of.iter().any(holds) {
        let message =
            format!("Invalid value: {value}: {place} in body must validate at least one schema (anyOf)");
        found.block("FieldValueInvalid", &place, message);
    }
    if !at.node.one_of.is_empty() && at.node.one_of.iter().filter(|id| holds(id)).count() != 1 {
        let message =
            format!("Invalid value: {value}: {place} in body must validate one and only one schema (oneOf)");
        found.block("FieldValueInvalid", &place, message);
    }
    if at.node.not.iter().any(holds) {
        let message = format!("Invalid value: {value}: {place} in body must not validate the schema (not)");
        found.block("FieldValueInvalid", &place, message);
    }
}

/// The name of what was given and of what was wanted, if they differ.
fn type_mismatch(value: &Value, at: At<'_>) -> Option<(&'static str, &'static str)> {
    let given = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let wanted = match at.node.kind {
        Type::Any => return None,
        Type::Object => "object",
        Type::Array => "array",
        Type::String => "string",
        Type::Integer => "integer",
        Type::Number => "number",
        Type::Boolean => "boolean",
        Type::IntOrString => "integer,string",
    };
    let fits = given == wanted
        || (given == "null" && at.node.nullable)
        || (given == "integer" && wanted == "number")
        || (wanted == "integer,string" && matches!(given, "integer" | "string"));
    (!fits).then_some((given, wanted))
}

fn times(number: f64, factor: f64) -> bool {
    let quotient = number / factor;
    (quotient - quotient.round()).abs() < f64::EPSILON
}

fn check_most(most: Option<u64>, count: u64, place: &Place<'_>, found: &mut Found) {
    if let Some(most) = most.filter(|most| count > *most) {
        let message = format!("Too many: {count}: must have at most {most} items");
        found.block("FieldValueTooMany", place, message);
    }
}

impl Limits {
    fn check(&self, value: &Value, place: &Place<'_>, found: &mut Found) {
        match value {
            Value::Number(number) => {
                self.check_number(value, number.as_f64().unwrap_or_default(), place, found);
            }
            Value::String(text) => self.check_text(value, text, place, found),
            Value::Array(items) => {
                let count = items.len() as u64;
                check_most(self.max_items, count, place, found);
                if self.min_items.is_some_and(|least| count < least) {
                    let least = self.min_items.unwrap_or_default();
                    found.say(
                        place,
                        &count.into(),
                        &format!("should have at least {least} items"),
                    );
                }
            }
            Value::Object(fields) => {
                let count = fields.len() as u64;
                check_most(self.max_properties, count, place, found);
                if self.min_properties.is_some_and(|least| count < least) {
                    let least = self.min_properties.unwrap_or_default();
                    found.say(
                        place,
                        &count.into(),
                        &format!("should have at least {least} properties"),
                    );
                }
            }
            _ => {}
        }
        self.check_one_of(value, place, found);
    }

    fn check_one_of(&self, value: &Value, place: &Place<'_>, found: &mut Found) {
        if !self.one_of_values.is_empty() && !value.is_null() && !self.one_of_values.contains(value) {
            let values: Vec<_> = self.one_of_values.iter().map(Value::to_string).collect();
            let message = format!(
                "Unsupported value: {value}: supported values: {}",
                values.join(", ")
            );
            found.block("FieldValueNotSupported", place, message);
        }
    }

    fn check_number(&self, value: &Value, number: f64, place: &Place<'_>, found: &mut Found) {
        let fits = (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number);
        if !fits && self.format.as_deref() == Some("int32") {
            let message = format!(
                "Invalid value: \"\": Checked value must be of type integer with format int32 in {place}"
            );
            found.block("FieldValueInvalid", place, message);
        }
        if let Some(factor) = self.multiple_of.filter(|factor| !times(number, *factor)) {
            found.say(place, value, &format!("should be a multiple of {factor}"));
        }
        match self.maximum {
            Some(most) if self.exclusive_maximum && number >= most => {
                found.say(place, value, &format!("should be less than {most}"));
            }
            Some(most) if number > most => {
                found.say(place, value, &format!("should be less than or equal to {most}"));
            }
            _ => {}
        }
        match self.minimum {
            Some(least) if self.exclusive_minimum && number <= least => {
                found.say(place, value, &format!("should be greater than {least}"));
            }
            Some(least) if number < least => {
                found.say(
                    place,
                    value,
                    &format!("should be greater than or equal to {least}"),
                );
            }
            _ => {}
        }
    }

    /// The first of these that does not hold hides the others.
    fn check_text(&self, value: &Value, text: &str, place: &Place<'_>, found: &mut Found) {
        let length = text.chars().count() as u64;
        if let Some(most) = self.max_length.filter(|most| length > *most) {
            let message = format!("Too long: may not be more than {most} bytes");
            found.block("FieldValueTooLong", place, message);
        } else if let Some(least) = self.min_length.filter(|least| length < *least) {
            found.say(place, value, &format!("should be at least {least} chars long"));
        } else if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
            found.say(place, value, &format!("should match '{pattern}'"));
        }
        if let Some(format) = self
            .format
            .as_deref()
            .filter(|format| !formats::holds(format, text))
        {
            found.wrong_type(place, text, format);
        }
    }
}

/// Lists that are sets or maps have no item twice.
fn duplicates(value: &Value, old: Option<&Value>, at: At<'_>, place: Place<'_>, found: &mut Vec<Cause>) {
    if old == Some(value) {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields
                .iter()
                .filter(|(_, inner)| inner.is_object() || inner.is_array())
            {
                let old = old.and_then(|old| old.get(name));
                duplicates(inner, old, at.field(name), place.field(name), found);
            }
        }
        Value::Array(items) => {
            for (number, inner) in items.iter().enumerate() {
                let key = identity(inner, at);
                if let Some(key) = key.filter(|key| {
                    items[..number]
                        .iter()
                        .any(|other| identity(other, at).as_ref() == Some(key))
                }) {
                    let message = format!("Duplicate value: {key}");
                    let field = place.item(number).to_string();
                    found.push(Cause::new("FieldValueDuplicate", field, message));
                }
                duplicates(inner, None, at.items(), place.item(number), found);
            }
        }
        _ => {}
    }
}

/// What makes an item of a set or map list the one it is.
fn identity(item: &Value, at: At<'_>) -> Option<Value> {
    match &at.node.list {
        ListType::Atomic => None,
        ListType::Set => Some(item.clone()),
        ListType::Map(keys) => {
            let keys = keys
                .iter()
                .filter_map(|key| Some((key.clone(), item.get(key)?.clone())));
            Some(Value::Object(keys.collect()))
        }
    }
}

fn walk_rules(value: &Value, old: Option<&Value>, at: At<'_>, place: Place<'_>, found: &mut Vec<Cause>) {
    if !at.node.rules_below || old == Some(value) {
        return;
    }
    if !at.node.rules.is_empty() {
        rules::evaluate(value, old, at, &place, found);
    }
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                let old = old.and_then(|old| old.get(name));
                walk_rules(inner, old, at.field(name), place.field(name), found);
            }
        }
        Value::Array(items) => {
            for (number, inner) in items.iter().enumerate() {
                let old = old_item(inner, old, at);
                walk_rules(inner, old, at.items(), place.item(number), found);
            }
        }
        _ => {}
    }
}
