//! From text to tokens.

use crate::expression::ParseError;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The smallest parts of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token<'t> {
    /// `'text'`, without the quotes.
    Text(&'t str),
    /// `0x0a0b`.
    Hex(Vec<u8>),
    /// Decimal digits, perhaps behind a `-`, that fit.
    Integer(i64),
    Address(IpAddr),
    /// Keyword or option name.
    Word(&'t str),
    /// `( ) [ ] , . + *`
    Symbol(char),
    /// `==`
    Equal,
    End,
}

impl Token<'_> {
    /// For messages.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Text(text) => format!("'{text}'"),
            Self::Hex(_) => "a hexadecimal string".to_owned(),
            Self::Integer(number) => number.to_string(),
            Self::Address(address) => address.to_string(),
            Self::Word(word) => (*word).to_owned(),
            Self::Symbol(symbol) => format!("\"{symbol}\""),
            Self::Equal => "\"==\"".to_owned(),
            Self::End => "the end".to_owned(),
        }
    }
}

/// Reads one token after the other.
#[derive(Debug)]
pub(crate) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// The next token and where it starts.
    pub(crate) fn next(&mut self) -> Result<(usize, Token<'t>), ParseError> {
        let rest = &self.text[self.at..];
        let start = self.text.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        match token(&self.text[start..]) {
            Ok((token, len)) => {
                self.at = start + len;
                Ok((start, token))
            }
            Err(text) => Err(ParseError {
                offset: start,
                text,
            }),
        }
    }
}

/// A token and its length in bytes, or what is wrong with it.
type Lexed<'t> = Result<(Token<'t>, usize), String>;

fn token(rest: &str) -> Lexed<'_> {
    let Some(first) = rest.chars().next() else {
        return Ok((Token::End, 0));
    };
    match first {
        '\'' => quoted(rest),
        '(' | ')' | '[' | ']' | ',' | '.' | '+' | '*' => Ok((Token::Symbol(first), 1)),
        '=' if rest.starts_with("==") => Ok((Token::Equal, 2)),
        '-' => integer(rest),
        '0' if rest.starts_with("0x") || rest.starts_with("0X") => hex(rest),
        ':' => address(rest),
        _ if first.is_ascii_hexdigit() => address_number_or_word(rest),
        _ if first.is_ascii_alphabetic() => Ok(word(rest)),
        _ => Err(format!("\"{first}\" has no meaning in an expression")),
    }
}

/// Kea: no escapes, no line break; a quote is written 0x27.
fn quoted(rest: &str) -> Lexed<'_> {
    let inside = &rest[1..];
    match inside.find(['\'', '\n']) {
        Some(end) if inside[end..].starts_with('\'') => Ok((Token::Text(&inside[..end]), end + 2)),
        _ => Err("a string without a quote at its end".to_owned()),
    }
}

/// Kea: an odd number of digits gets a leading zero.
fn hex(rest: &str) -> Lexed<'_> {
    let digits = run(&rest[2..], |c| c.is_ascii_hexdigit());
    if digits.is_empty() {
        return Err("no hexadecimal digit behind 0x".to_owned());
    }
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    };
    let (odd, even) = digits.as_bytes().split_at(digits.len() % 2);
    let pairs = even
        .chunks_exact(2)
        .map(|pair| nibble(pair[0]) << 4 | nibble(pair[1]));
    let bytes = odd.iter().map(|digit| nibble(*digit)).chain(pairs);
    Ok((Token::Hex(bytes.collect()), 2 + digits.len()))
}

fn address_number_or_word(rest: &str) -> Lexed<'_> {
    let looks = run(rest, |c| c.is_ascii_hexdigit() || matches!(c, ':' | '.'));
    let dotted = run(rest, |c| c.is_ascii_digit() || c == '.');
    if looks.contains(':') || dotted.contains('.') {
        return address(rest);
    }
    match dotted {
        "" => Ok(word(rest)),
        _ => integer(rest),
    }
}

fn address(rest: &str) -> Lexed<'_> {
    let text = run(rest, |c| c.is_ascii_hexdigit() || matches!(c, ':' | '.'));
    let parsed = match text.contains(':') {
        true => text.parse::<Ipv6Addr>().map(IpAddr::from).ok(),
        false => text.parse::<Ipv4Addr>().map(IpAddr::from).ok(),
    };
    match parsed {
        Some(address) => Ok((Token::Address(address), text.len())),
        None => Err(format!("{text} is not an address")),
    }
}

fn integer(rest: &str) -> Lexed<'_> {
    let sign = usize::from(rest.starts_with('-'));
    let len = sign + run(&rest[sign..], |c| c.is_ascii_digit()).len();
    match rest[..len].parse() {
        Ok(number) => Ok((Token::Integer(number), len)),
        Err(_) if len == sign => Err("no digit behind -".to_owned()),
        Err(_) => Err(format!("{} is too large", &rest[..len])),
    }
}

fn word(rest: &str) -> (Token<'_>, usize) {
    let word = run(rest, |c| {
        c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
    });
    let word = word.trim_end_matches(['-', '_']);
    (Token::Word(word), word.len())
}

/// The characters at the start that are `wanted`.
fn run(text: &str, wanted: impl Fn(char) -> bool) -> &str {
    let end = text.find(|c| !wanted(c)).unwrap_or(text.len());
    &text[..end]
}
