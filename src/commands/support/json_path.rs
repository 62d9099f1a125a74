//! Sets fields of a JSON object by dotted paths, such as `metadata.tags.0`.

use serde_json::{Map, Value, json};

use crate::report::Failure;

/// Sets the field at a path. A dot enters an object, or an array if a number follows it.
pub fn set(object: &mut Map<String, Value>, key: &str, value: Value) -> Result<(), Failure> {
    let mut parts = key.split('.');
    let first = parts.next().unwrap_or_default();
    let mut place = object.entry(first).or_insert(Value::Null);
    for part in parts {
        place = step_into(place, part).ok_or_else(|| {
            let failure = Failure::usage(format!("cannot set {key}: there is no place for `{part}`"));
            failure.hint("a dot enters an object; a number after it enters an array, at most one past its end")
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
