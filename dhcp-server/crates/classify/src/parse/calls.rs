//! Functions, and fields of the packet.

use super::{Node, Parsed, Parser, wrong};
use crate::ast::{Bool, Field, IfElse, Integer, Substring, Text};
use crate::expression::Asked;
use crate::lex::Token;
use outrigger_wire::options::spaces::Universe;
use regex::bytes::{Regex, RegexBuilder};
use std::sync::Arc;

/// Largest compiled regular expression, in bytes.
const MAX_REGEX: usize = 1 << 20;

/// Functions that write a number as text.
const INTEGERS: [Integer; 6] = [
    integer("int8totext", 1, true),
    integer("int16totext", 2, true),
    integer("int32totext", 4, true),
    integer("uint8totext", 1, false),
    integer("uint16totext", 2, false),
    integer("uint32totext", 4, false),
];

const fn integer(function: &'static str, len: usize, signed: bool) -> Integer {
    Integer {
        function,
        len,
        signed,
    }
}

/// Of any packet.
const PKT: &[(&str, Field)] = &[
    ("iface", Field::Interface),
    ("src", Field::Source),
    ("dst", Field::Destination),
    ("len", Field::Length),
];

const PKT4: &[(&str, Field)] = &[
    ("mac", Field::Mac),
    ("hlen", Field::HardwareLength),
    ("htype", Field::HardwareType),
    ("ciaddr", Field::Ciaddr),
    ("giaddr", Field::Giaddr),
    ("yiaddr", Field::Yiaddr),
    ("siaddr", Field::Siaddr),
    ("msgtype", Field::MessageType),
    ("transid", Field::TransactionId),
];

const PKT6: &[(&str, Field)] = &[
    ("msgtype", Field::MessageType),
    ("transid", Field::TransactionId),
];

impl<'t> Parser<'t> {
    pub(super) fn field(&mut self, offset: usize, packet: &str) -> Parsed<Node> {
        let fields = match packet {
            "pkt" => PKT,
            "pkt4" => PKT4,
            _ => PKT6,
        };
        match packet {
            "pkt4" => self.only_in(Universe::V4, offset, packet)?,
            "pkt6" => self.only_in(Universe::V6, offset, packet)?,
            _ => {}
        }
        self.symbol('.')?;
        let found = fields.iter().find(|row| self.token == Token::Word(row.0));
        let Some((_, field)) = found else {
            let names: Vec<_> = fields.iter().map(|row| row.0).collect();
            return Err(self.unexpected(&format!("one of {}", names.join(", "))));
        };
        self.advance()?;
        Ok(Node::Text(Text::Field(*field)))
    }

    pub(super) fn only_in(&self, universe: Universe, offset: usize, word: &str) -> Parsed<()> {
        if self.universe() == universe {
            return Ok(());
        }
        let other = match universe {
            Universe::V4 => "DHCPv4",
            Universe::V6 => "DHCPv6",
        };
        Err(wrong(offset, format!("{word} exists only in {other}")))
    }

    /// A function, whose name was read.
    pub(super) fn call(&mut self, offset: usize, name: &str) -> Parsed<Node> {
        let known = [
            "member",
            "match",
            "substring",
            "split",
            "concat",
            "ifelse",
            "sifelse",
            "hexstring",
            "lcase",
            "ucase",
            "addrtotext",
        ];
        let integer = INTEGERS.iter().find(|row| row.function == name);
        if !known.contains(&name) && integer.is_none() {
            return Err(wrong(
                offset,
                format!("{name} is neither a function nor a part of a packet"),
            ));
        }
        self.symbol('(')?;
        let node = match (name, integer) {
            (_, Some(kind)) => {
                let (kind, of) = (*kind, Box::new(self.text()?));
                Node::Text(Text::WrittenInteger { kind, of })
            }
            ("member", _) => Node::Bool(self.member()?),
            ("match", _) => Node::Bool(self.regex_match()?),
            ("substring", _) => Node::Text(self.substring()?),
            ("split", _) => Node::Text(self.split()?),
            ("concat", _) => {
                let (first, second) = self.pair()?;
                Node::Text(Text::Concat(vec![first, second]))
            }
            ("hexstring", _) => Node::Text(Text::HexString(Box::new(self.pair()?))),
            ("lcase", _) => Node::Text(Text::Lower(Box::new(self.text()?))),
            ("ucase", _) => Node::Text(Text::Upper(Box::new(self.text()?))),
            ("addrtotext", _) => Node::Text(Text::WrittenAddress(Box::new(self.text()?))),
            _ => Node::Text(self.if_else(name == "sifelse")?),
        };
        self.symbol(')')?;
        Ok(node)
    }

    fn quoted(&mut self, what: &str) -> Parsed<&'t str> {
        let Token::Text(text) = self.token else {
            return Err(self.unexpected(what));
        };
        self.advance()?;
        Ok(text)
    }

    fn member(&mut self) -> Parsed<Bool> {
        let offset = self.offset;
        let name = self.quoted("the name of a class in single quotes")?;
        let name: Arc<str> = name.into();
        self.asked.push(Asked {
            name: Arc::clone(&name),
            offset,
        });
        Ok(Bool::Member(name))
    }

    fn regex_match(&mut self) -> Parsed<Bool> {
        let offset = self.offset;
        let pattern = self.quoted("a regular expression in single quotes")?;
        let regex = whole(pattern).map_err(|error| {
            // The library draws the place over several lines; its last one says what is wrong.
            let shown = error.to_string();
            let what = shown.lines().last().unwrap_or_default();
            let what = what.trim().trim_start_matches("error: ");
            wrong(
                offset,
                format!("'{pattern}' is no regular expression: {what}"),
            )
        })?;
        self.symbol(',')?;
        Ok(Bool::Matches(Box::new((regex, self.text()?))))
    }

    fn pair(&mut self) -> Parsed<(Text, Text)> {
        let first = self.text()?;
        self.symbol(',')?;
        Ok((first, self.text()?))
    }

    fn substring(&mut self) -> Parsed<Text> {
        let of = self.text()?;
        self.symbol(',')?;
        let (min, max) = (i64::from(i32::MIN), i64::from(i32::MAX));
        let start = self.integer("the position", min, max)?;
        self.symbol(',')?;
        let length = match self.token {
            Token::Word("all") => {
                self.advance()?;
                None
            }
            _ => Some(self.integer("a length, or all,", min, max)?),
        };
        let substring = Substring { of, start, length };
        Ok(Text::Substring(Box::new(substring)))
    }

    fn split(&mut self) -> Parsed<Text> {
        let operands = Box::new(self.pair()?);
        self.symbol(',')?;
        let (min, max) = (i64::from(i32::MIN), i64::from(i32::MAX));
        let field = self.integer("the number of a field", min, max)?;
        Ok(Text::Split { operands, field })
    }

    fn if_else(&mut self, strict: bool) -> Parsed<Text> {
        let condition = self.condition()?;
        self.symbol(',')?;
        let (yes, no) = self.pair()?;
        Ok(Text::IfElse(Box::new(IfElse {
            strict,
            condition,
            yes,
            no,
        })))
    }
}

/// Kea: the whole string must match. Bytes, not characters.
fn whole(pattern: &str) -> Result<Regex, regex::Error> {
    let build = |pattern: &str| {
        RegexBuilder::new(pattern)
            .unicode(false)
            .size_limit(MAX_REGEX)
            .dfa_size_limit(MAX_REGEX)
            .build()
    };
    // By itself first: parentheses around it must not make a whole of two halves.
    build(pattern)?;
    build(&format!("^(?:{pattern})$"))
}
