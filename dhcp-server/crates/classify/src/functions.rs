//! The functions of the language.

use crate::ast::Integer;
use crate::eval::{Value, append};
use crate::expression::EvalError;
use smallvec::SmallVec;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Kea: a negative start counts from the end; a negative length takes what stands before the start.
pub(crate) fn substring(of: Value<'_>, start: i64, length: Option<i64>) -> Value<'_> {
    let len = of.len();
    let from_end = |start: i64| len.checked_sub(usize::try_from(start.unsigned_abs()).ok()?);
    let start = match usize::try_from(start) {
        Ok(start) => Some(start).filter(|start| *start < len),
        Err(_) => from_end(start),
    };
    let Some(start) = start else {
        return Value::EMPTY;
    };
    let Some(length) = length else {
        return of.piece(start, len);
    };
    let count = usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX);
    match length {
        0.. => of.piece(start, start.saturating_add(count).min(len)),
        _ => of.piece(start.saturating_sub(count), start),
    }
}

/// Any of the delimiters separates two fields, empty ones too; fields count from 1.
pub(crate) fn split<'a>(of: Value<'a>, delimiters: &[u8], field: i64) -> Value<'a> {
    if of.is_empty() || delimiters.is_empty() {
        return of;
    }
    let Some(field) = usize::try_from(field).ok().and_then(|n| n.checked_sub(1)) else {
        return Value::EMPTY;
    };
    let found = of.split(|byte| delimiters.contains(byte)).nth(field);
    let Some(len) = found.map(<[u8]>::len) else {
        return Value::EMPTY;
    };
    let before = of.split(|byte| delimiters.contains(byte)).take(field);
    let start = before.map(|field| field.len() + 1).sum();
    of.piece(start, start + len)
}

/// Two lower-case digits for each byte.
pub(crate) fn hex_string(bytes: &[u8], separator: &[u8]) -> Result<Value<'static>, EvalError> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut made = SmallVec::new();
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 {
            append(&mut made, separator)?;
        }
        let digits = [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
        append(&mut made, &digits)?;
    }
    Ok(Value::Made(made))
}

/// An address as text; nothing stays nothing.
pub(crate) fn address_text(bytes: &[u8]) -> Result<Value<'static>, EvalError> {
    if bytes.is_empty() {
        return Ok(Value::EMPTY);
    }
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        return Ok(written(Ipv4Addr::from(octets)));
    }
    match <[u8; 16]>::try_from(bytes) {
        Ok(octets) => Ok(written(Ipv6Addr::from(octets))),
        Err(_) => Err(EvalError::Length {
            function: "addrtotext",
            len: bytes.len(),
        }),
    }
}

/// A number of exactly this width as decimal text; nothing stays nothing.
pub(crate) fn integer_text(kind: Integer, bytes: &[u8]) -> Result<Value<'static>, EvalError> {
    if bytes.is_empty() {
        return Ok(Value::EMPTY);
    }
    if bytes.len() != kind.len {
        return Err(EvalError::Length {
            function: kind.function,
            len: bytes.len(),
        });
    }
    let negative = kind.signed && bytes.first().is_some_and(|first| first & 0x80 != 0);
    let start = if negative { -1 } else { 0 };
    let number = bytes
        .iter()
        .fold(start, |number: i64, byte| number << 8 | i64::from(*byte));
    Ok(written(number))
}

fn written(what: impl std::fmt::Display) -> Value<'static> {
    struct Bytes(SmallVec<[u8; 32]>);
    impl Write for Bytes {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
    let mut bytes = Bytes(SmallVec::new());
    // Writing to bytes cannot fail.
    let _ = write!(bytes, "{what}");
    Value::Made(bytes.0)
}
