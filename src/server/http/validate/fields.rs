//! Reads the fields of a JSON object, as leniently as the real server does and with the same errors.

use serde_json::{Map, Value};

use super::{Loc, ValidationError};

/// A JSON object that is being read, and the errors found so far.
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    at: Loc,
    errors: Vec<ValidationError>,
}

impl<'a> Fields<'a> {
    /// Begins to read the object at a location.
    pub fn new(object: &'a Map<String, Value>, at: Loc) -> Self {
        Self { object, at, errors: Vec::new() }
    }

    /// Returns a field unless it is missing or null.
    pub fn present(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    /// Reads an optional, nullable string.
    pub fn text(&mut self, key: &str) -> Option<String> {
        let value = self.present(key)?;
        let at = self.at.key(key);
        self.check(text(value, at))
    }

    /// Reads a string with a default; null is an error.
    pub fn text_or(&mut self, key: &str, default: &str) -> String {
        let Some(value) = self.object.get(key) else { return default.to_owned() };
        let at = self.at.key(key);
        self.check(text(value, at)).unwrap_or_default()
    }

    /// Reads an integer with a default; `"5"` and `5.0` count as integers.
    pub fn integer_or(&mut self, key: &str, default: i64) -> i64 {
        let Some(value) = self.object.get(key) else { return default };
        let at = self.at.key(key);
        self.check(integer(value, at)).unwrap_or(default)
    }

    /// Reads a boolean with a default; `"yes"` and `0` count as booleans.
    pub fn flag_or(&mut self, key: &str, default: bool) -> bool {
        let Some(value) = self.object.get(key) else { return default };
        let at = self.at.key(key);
        self.check(flag(value, at)).unwrap_or(default)
    }

    /// Reads an optional, nullable list, each item with `item`.
    pub fn list<T>(
        &mut self,
        key: &str,
        item: impl Fn(&Value, Loc) -> Result<T, Vec<ValidationError>>,
    ) -> Option<Vec<T>> {
        let value = self.present(key)?;
        let at = self.at.key(key);
        let Some(items) = value.as_array() else {
            self.errors.push(ValidationError::new("list_type", at, "Input should be a valid list", value));
            return None;
        };
        let read = items.iter().enumerate().map(|(n, value)| item(value, at.index(n)));
        Some(read.filter_map(|result| self.check_all(result)).collect())
    }

    /// Records an error.
    pub fn push(&mut self, error: ValidationError) {
        self.errors.push(error);
    }

    /// Returns the value, or records the error.
    pub fn check<T>(&mut self, result: Result<T, ValidationError>) -> Option<T> {
        self.check_all(result.map_err(|error| vec![error]))
    }

    /// Returns the value, or records the errors.
    pub fn check_all<T>(&mut self, result: Result<T, Vec<ValidationError>>) -> Option<T> {
        result.map_err(|errors| self.errors.extend(errors)).ok()
    }

    /// The location of a field.
    pub fn at(&self, key: &str) -> Loc {
        self.at.key(key)
    }

    /// Returns `value`, or the errors if there are any.
    pub fn finish<T>(self, value: T) -> Result<T, Vec<ValidationError>> {
        if self.errors.is_empty() { Ok(value) } else { Err(self.errors) }
    }
}

/// Reads a string.
pub fn text(value: &Value, at: Loc) -> Result<String, ValidationError> {
    let message = "Input should be a valid string";
    value.as_str().map(str::to_owned).ok_or_else(|| ValidationError::new("string_type", at, message, value))
}

/// Reads an integer leniently.
pub fn integer(value: &Value, at: Loc) -> Result<i64, ValidationError> {
    let (kind, message) = match value {
        Value::Bool(flag) => return Ok(i64::from(*flag)),
        Value::Number(number) => match whole(number.as_f64(), number.as_i64()) {
            Some(integer) => return Ok(integer),
            None => ("int_from_float", "Input should be a valid integer, got a number with a fractional part"),
        },
        Value::String(text) => match text.trim().parse() {
            Ok(integer) => return Ok(integer),
            Err(_) => ("int_parsing", "Input should be a valid integer, unable to parse string as an integer"),
        },
        _ => ("int_type", "Input should be a valid integer"),
    };
    Err(ValidationError::new(kind, at, message, value))
}

fn whole(float: Option<f64>, integer: Option<i64>) -> Option<i64> {
    // Beyond 2^53 a float no longer holds the integer that was sent.
    integer.or_else(|| float.filter(|f| f.fract() == 0.0 && f.abs() < 9e15).map(|f| f as i64))
}

/// Reads a boolean in the forms that pydantic accepts.
pub fn flag(value: &Value, at: Loc) -> Result<bool, ValidationError> {
    let word = match value {
        Value::Bool(flag) => return Ok(*flag),
        Value::Number(number) if number.as_f64() == Some(0.0) => "0".to_owned(),
        Value::Number(number) if number.as_f64() == Some(1.0) => "1".to_owned(),
        Value::String(text) => text.to_ascii_lowercase(),
        Value::Number(_) => String::new(),
        _ => return Err(ValidationError::new("bool_type", at, "Input should be a valid boolean", value)),
    };
    match word.as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Ok(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Ok(false),
        _ => {
            let message = "Input should be a valid boolean, unable to interpret input";
            Err(ValidationError::new("bool_parsing", at, message, value))
        }
    }
}
