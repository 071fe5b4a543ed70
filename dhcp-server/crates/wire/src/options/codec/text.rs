//! Values as text: fields between commas, and raw bytes.

use super::error::Problem;

/// Splits at commas. `\,` is a comma inside a field; blanks around a field do not count. Empty text has no field.
pub(super) fn fields(data: &str) -> Vec<String> {
    if data.trim().is_empty() {
        return Vec::new();
    }
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut chars = data.chars().peekable();
    while let Some(next) = chars.next() {
        match next {
            '\\' if chars.peek() == Some(&',') => {
                field.push(',');
                chars.next();
            }
            ',' => {
                fields.push(field.trim().to_owned());
                field.clear();
            }
            other => field.push(other),
        }
    }
    fields.push(field.trim().to_owned());
    fields
}

/// Raw bytes as Kea writes them: `'quoted text'`, or hex in one of the forms of [`bytes_from_hex`].
///
/// # Errors
///
/// Where the text is neither.
pub fn bytes_from_text(text: &str) -> Result<Vec<u8>, Problem> {
    let text = text.trim();
    match text
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
    {
        Some(quoted) => Ok(quoted.as_bytes().to_vec()),
        None => bytes_from_hex(text),
    }
}

/// Hex digits: in one piece, with or without `0x`, an odd count getting a leading zero; or octets of one or two
/// digits, with `:` or a blank between them.
///
/// # Errors
///
/// Where anything else stands in the text.
pub fn bytes_from_hex(text: &str) -> Result<Vec<u8>, Problem> {
    let trimmed = text.trim();
    let bytes = if trimmed.contains(':') {
        trimmed.split(':').map(octet).collect()
    } else if trimmed.contains(' ') {
        trimmed.split(' ').map(octet).collect()
    } else {
        let digits = trimmed
            .strip_prefix("0x")
            .or_else(|| trimmed.strip_prefix("0X"))
            .unwrap_or(trimmed);
        digits_to_bytes(digits)
    };
    bytes.ok_or_else(|| Problem::Hex(text.to_owned()))
}

fn octet(text: &str) -> Option<u8> {
    let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u8::from_str_radix(text, 16).ok()).flatten()
}

fn digits_to_bytes(digits: &str) -> Option<Vec<u8>> {
    let nibbles: Vec<u8> = digits
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|value| u8::try_from(value).ok())
        })
        .collect::<Option<_>>()?;
    let (lead, pairs) = nibbles.split_at(nibbles.len() % 2);
    Some(
        lead.iter()
            .copied()
            .chain(pairs.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]))
            .collect(),
    )
}
