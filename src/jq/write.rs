//! Writes the values of a filter as standard JSON: NaN becomes null, infinity the largest float.

use std::fmt::Write as _;

use jaq_json::{Num, Val};
use serde_json::Value;

use super::Output;
use crate::model::document::one_line;

/// 2^53: below it, every whole number is exact as a float.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Returns a value as it is printed.
pub fn output(value: &Val) -> Result<Output, String> {
    match value {
        Val::TStr(text) => Ok(Output::Text(String::from_utf8_lossy(text).into_owned())),
        _ => {
            let mut json = String::new();
            write(&mut json, value)?;
            Ok(Output::Json(one_line(&json)))
        }
    }
}

fn write(json: &mut String, value: &Val) -> Result<(), String> {
    match value {
        Val::Null => json.push_str("null"),
        Val::Bool(value) => json.push_str(if *value { "true" } else { "false" }),
        Val::Num(number) => write_number(json, number),
        Val::TStr(text) => write_text(json, text),
        Val::BStr(_) => return Err("bytes that are no text cannot be printed".to_owned()),
        Val::Arr(items) => {
            json.push('[');
            for (at, item) in items.iter().enumerate() {
                separate(json, at);
                write(json, item)?;
            }
            json.push(']');
        }
        Val::Obj(entries) => {
            json.push('{');
            for (at, (key, value)) in entries.iter().enumerate() {
                separate(json, at);
                let Val::TStr(key) = key else {
                    return Err(format!("the key of an object must be a string, and one is {key}"));
                };
                write_text(json, key);
                json.push(':');
                write(json, value)?;
            }
            json.push('}');
        }
    }
    Ok(())
}

fn separate(json: &mut String, at: usize) {
    if at > 0 {
        json.push(',');
    }
}

fn write_text(json: &mut String, text: &[u8]) {
    json.push_str(&Value::from(String::from_utf8_lossy(text)).to_string());
}

/// Writes a number. One from the document keeps its digits; a calculated one is written as jq writes it.
fn write_number(json: &mut String, number: &Num) {
    // Writing to a string does not fail.
    let _ = match number {
        Num::Float(float) if float.is_nan() => write!(json, "null"),
        Num::Float(float) if float.is_infinite() => write!(json, "{:e}", f64::MAX.copysign(*float)),
        Num::Float(float) if float.fract() == 0.0 && float.abs() < EXACT => write!(json, "{float:.0}"),
        other => write!(json, "{other}"),
    };
}
