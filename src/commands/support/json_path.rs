//! Fields of a JSON object, set from the command line by their dotted names.

use serde_json::{Map, Value, json};

use crate::report::Failure;

/// Sets a field, going into objects at dots and into arrays at numbers.
pub fn set(object: &mut Map<String, Value>, key: &str, value: Value) -> Result<(), Failure> {
    let mut parts = key.split('.');
    let first = parts.next().unwrap_or_default();
    let mut place = object.entry(first).or_insert(Value::Null);
    for part in parts {
        place = step_into(place, part).ok_or_else(|| {
            let failure = Failure::usage(format!("cannot set {key}: there is no place for `{part}`"));
            failure.hint("a dot goes into an object, a number behind it into an array, at most one past its end")
        })?;
    }
    *place = value;
    Ok(())
}

fn step_into<'a>(place: &'a mut Value, part: &str) -> Option<&'a mut Value> {
    if place.is_null() {
        *place = json!({});
    }
    match place {
        Value::Object(object) => Some(object.entry(part).or_insert(Value::Null)),
        Value::Array(array) => {
            let at: usize = part.parse().ok()?;
            if at == array.len() {
                array.push(Value::Null);
            }
            array.get_mut(at)
        }
        _ => None,
    }
}
