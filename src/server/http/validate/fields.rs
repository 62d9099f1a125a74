//! The fields of a JSON object, read as leniently and reported as the API's server does.

use serde_json::{Map, Value};

use super::{Fault, Loc};

/// An object that is being read, and what was wrong with it so far.
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    at: Loc,
    faults: Vec<Fault>,
}

impl<'a> Fields<'a> {
    /// Begins to read an object that stands at a place.
    pub fn new(object: &'a Map<String, Value>, at: Loc) -> Self {
        Self { object, at, faults: Vec::new() }
    }

    /// A field, if it is neither missing nor null.
    pub fn present(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    /// Text, or null, or nothing.
    pub fn text(&mut self, key: &str) -> Option<String> {
        let value = self.present(key)?;
        let at = self.at.key(key);
        self.keep(text(value, at))
    }

    /// Text with a default; null is not text.
    pub fn text_or(&mut self, key: &str, default: &str) -> String {
        let Some(value) = self.object.get(key) else { return default.to_owned() };
        let at = self.at.key(key);
        self.keep(text(value, at)).unwrap_or_default()
    }

    /// A whole number with a default; `"5"` and `5.0` are whole numbers too.
    pub fn integer_or(&mut self, key: &str, default: i64) -> i64 {
        let Some(value) = self.object.get(key) else { return default };
        let at = self.at.key(key);
        self.keep(integer(value, at)).unwrap_or(default)
    }

    /// True or false with a default; `"yes"` and `0` will do.
    pub fn flag_or(&mut self, key: &str, default: bool) -> bool {
        let Some(value) = self.object.get(key) else { return default };
        let at = self.at.key(key);
        self.keep(flag(value, at)).unwrap_or(default)
    }

    /// A list, or null, or nothing, each item read by `item`.
    pub fn list<T>(&mut self, key: &str, item: impl Fn(&Value, Loc) -> Result<T, Vec<Fault>>) -> Option<Vec<T>> {
        let value = self.present(key)?;
        let at = self.at.key(key);
        let Some(items) = value.as_array() else {
            self.faults.push(Fault::new("list_type", at, "Input should be a valid list", value));
            return None;
        };
        let read = items.iter().enumerate().map(|(n, value)| item(value, at.index(n)));
        Some(read.filter_map(|result| self.keep_all(result)).collect())
    }

    /// Adds a fault that was found outside.
    pub fn blame(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Takes the value out of a result, or its fault.
    pub fn keep<T>(&mut self, result: Result<T, Fault>) -> Option<T> {
        self.keep_all(result.map_err(|fault| vec![fault]))
    }

    /// Takes the value out of a result, or its faults.
    pub fn keep_all<T>(&mut self, result: Result<T, Vec<Fault>>) -> Option<T> {
        result.map_err(|faults| self.faults.extend(faults)).ok()
    }

    /// The place of a field.
    pub fn at(&self, key: &str) -> Loc {
        self.at.key(key)
    }

    /// Ends the reading: what was built, unless there were faults.
    pub fn finish<T>(self, built: T) -> Result<T, Vec<Fault>> {
        if self.faults.is_empty() { Ok(built) } else { Err(self.faults) }
    }
}

/// Text and nothing else.
pub fn text(value: &Value, at: Loc) -> Result<String, Fault> {
    let words = "Input should be a valid string";
    value.as_str().map(str::to_owned).ok_or_else(|| Fault::new("string_type", at, words, value))
}

/// A whole number.
pub fn integer(value: &Value, at: Loc) -> Result<i64, Fault> {
    let (kind, words) = match value {
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
    Err(Fault::new(kind, at, words, value))
}

fn whole(float: Option<f64>, integer: Option<i64>) -> Option<i64> {
    // Floats beyond 2^53 are not whole numbers that anyone meant.
    integer.or_else(|| float.filter(|f| f.fract() == 0.0 && f.abs() < 9e15).map(|f| f as i64))
}

/// True or false, in the words that Python's validators know.
pub fn flag(value: &Value, at: Loc) -> Result<bool, Fault> {
    let word = match value {
        Value::Bool(flag) => return Ok(*flag),
        Value::Number(number) if number.as_f64() == Some(0.0) => "0".to_owned(),
        Value::Number(number) if number.as_f64() == Some(1.0) => "1".to_owned(),
        Value::String(text) => text.to_ascii_lowercase(),
        Value::Number(_) => String::new(),
        _ => return Err(Fault::new("bool_type", at, "Input should be a valid boolean", value)),
    };
    match word.as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Ok(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Ok(false),
        _ => {
            let words = "Input should be a valid boolean, unable to interpret input";
            Err(Fault::new("bool_parsing", at, words, value))
        }
    }
}
