//! Values of the protocol as the types that we asked for.

use super::trouble::Trouble;
use crate::domain::plain;
use redis::Value;

/// Text in any of the forms in which servers send it.
pub(super) fn text(value: &Value) -> Option<String> {
    if let Value::BulkString(bytes) = value {
        return Some(String::from_utf8_lossy(bytes).into_owned());
    }
    if let Value::SimpleString(text) | Value::VerbatimString { text, .. } = value {
        return Some(text.clone());
    }
    if let Value::Int(number) = value {
        return Some(number.to_string());
    }
    matches!(value, Value::Okay).then(|| "OK".into())
}

/// Names and values, whether they came as a map or as a flat list.
pub(super) fn fields(value: &Value) -> Vec<(String, Value)> {
    if let Value::Map(pairs) = value {
        return pairs.iter().filter_map(|(k, v)| Some((text(k)?, v.clone()))).collect();
    }
    let Value::Array(items) = value else { return Vec::new() };
    let pairs = items.chunks_exact(2);
    pairs.filter_map(|pair| Some((text(&pair[0])?, pair[1].clone()))).collect()
}

/// A whole number.
pub(super) fn integer(value: &Value) -> Result<i64, Trouble> {
    if let Value::Int(number) = value { Ok(*number) } else { Err(odd("a number", value)) }
}

/// A whole number that cannot be negative.
pub(super) fn count(value: &Value) -> Result<u64, Trouble> {
    u64::try_from(integer(value)?).map_err(|_| odd("a count", value))
}

/// Exactly `N` values.
pub(super) fn list<const N: usize>(value: Value) -> Result<[Value; N], Trouble> {
    let wrong = |got: &Value| odd(&format!("{N} values"), got);
    let Value::Array(items) = value else { return Err(wrong(&value)) };
    <[Value; N]>::try_from(items).map_err(|items| wrong(&Value::Array(items)))
}

/// Bytes as they are.
pub(super) fn bytes(value: Value) -> Result<Vec<u8>, Trouble> {
    if let Value::BulkString(bytes) = value { Ok(bytes) } else { Err(odd("bytes", &value)) }
}

/// An answer that is not what was agreed.
pub(super) fn odd(wanted: &str, got: &Value) -> Trouble {
    let got = text(got).unwrap_or_else(|| format!("{got:?}"));
    Trouble::Odd(format!("wanted {wanted}, got {}", plain(&got, 60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_and_a_flat_list_mean_the_same() {
        let (k, v) = (Value::BulkString(b"role".into()), Value::SimpleString("master".into()));
        let flat = fields(&Value::Array(vec![k.clone(), v.clone()]));
        assert_eq!(flat, fields(&Value::Map(vec![(k, v.clone())])));
        assert_eq!(flat, [("role".to_owned(), v)]);
    }

    #[test]
    fn another_shape_is_told_and_never_guessed() {
        assert_eq!(integer(&Value::Int(3)), Ok(3));
        assert!(matches!(integer(&Value::Nil), Err(Trouble::Odd(_))));
        assert!(matches!(count(&Value::Int(-1)), Err(Trouble::Odd(_))));
        assert!(list::<2>(Value::Array(vec![Value::Nil])).is_err());
        assert!(list::<2>(Value::Int(1)).is_err());
        assert!(bytes(Value::Okay).is_err());
    }
}
