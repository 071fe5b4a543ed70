//! From tokens to a tree whose types are right.

mod calls;
mod chains;

use crate::ast::{Bool, Operands, Text};
use crate::expression::{Asked, MAX_DEPTH, MAX_LEN, ParseError};
use crate::lex::{Lexer, Token};
use outrigger_wire::options::spaces::{Definitions, Universe};
use std::net::IpAddr;

/// Reads one expression.
pub(crate) struct Parser<'t> {
    lexer: Lexer<'t>,
    /// The next token, and where it starts.
    token: Token<'t>,
    offset: usize,
    definitions: &'t Definitions,
    depth: usize,
    asked: Vec<Asked>,
}

/// What a piece of the text is.
enum Node {
    Bool(Bool),
    Text(Text),
}

type Parsed<T> = Result<T, ParseError>;

/// Operators between conditions, the loosest first. Kea: `sor`, `or`, `sand`, `and`.
const OPERATORS: [&str; 4] = ["sor", "or", "sand", "and"];

impl<'t> Parser<'t> {
    pub(crate) fn new(text: &'t str, definitions: &'t Definitions) -> Parsed<Self> {
        if text.len() > MAX_LEN {
            return Err(ParseError {
                offset: 0,
                text: format!("the expression is longer than {MAX_LEN} bytes"),
            });
        }
        let mut parser = Self {
            lexer: Lexer::new(text),
            token: Token::End,
            offset: 0,
            definitions,
            depth: 0,
            asked: Vec::new(),
        };
        parser.advance()?;
        Ok(parser)
    }

    pub(crate) fn whole_condition(&mut self) -> Parsed<Bool> {
        let condition = self.condition()?;
        self.end()?;
        Ok(condition)
    }

    pub(crate) fn whole_text(&mut self) -> Parsed<Text> {
        let text = self.text()?;
        self.end()?;
        Ok(text)
    }

    pub(crate) fn into_asked(self) -> Vec<Asked> {
        self.asked
    }

    fn end(&self) -> Parsed<()> {
        match self.token {
            Token::End => Ok(()),
            _ => Err(self.unexpected("an operator or the end")),
        }
    }

    fn universe(&self) -> Universe {
        self.definitions.universe()
    }

    /// Takes the next token.
    fn advance(&mut self) -> Parsed<Token<'t>> {
        let (offset, token) = self.lexer.next()?;
        self.offset = offset;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn is_symbol(&self, symbol: char) -> bool {
        self.token == Token::Symbol(symbol)
    }

    fn symbol(&mut self, symbol: char) -> Parsed<()> {
        if self.is_symbol(symbol) {
            self.advance().map(drop)
        } else {
            Err(self.unexpected(&format!("\"{symbol}\"")))
        }
    }

    fn unexpected(&self, wanted: &str) -> ParseError {
        let text = format!("{wanted} must stand here, not {}", self.token.shown());
        wrong(self.offset, text)
    }

    fn condition(&mut self) -> Parsed<Bool> {
        let offset = self.offset;
        match self.expression()? {
            Node::Bool(condition) => Ok(condition),
            Node::Text(_) => Err(wrong(
                offset,
                "this is a string where a condition must stand: compare it, or ask for .exists",
            )),
        }
    }

    fn text(&mut self) -> Parsed<Text> {
        let offset = self.offset;
        match self.expression()? {
            Node::Text(text) => Ok(text),
            Node::Bool(_) => Err(wrong(
                offset,
                "this is a condition where a string must stand",
            )),
        }
    }

    fn expression(&mut self) -> Parsed<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let text = format!("the expression is nested deeper than {MAX_DEPTH}");
            return Err(wrong(self.offset, text));
        }
        let node = self.operators(&OPERATORS)?;
        self.depth -= 1;
        Ok(node)
    }

    /// A chain of the first of these operators, between chains of the others.
    fn operators(&mut self, operators: &[&str]) -> Parsed<Node> {
        let Some((operator, tighter)) = operators.split_first() else {
            return self.negation();
        };
        let offset = self.offset;
        let first = self.operators(tighter)?;
        if self.token != Token::Word(operator) {
            return Ok(first);
        }
        let mut conditions = vec![self.operand(offset, first, operator)?];
        while self.token == Token::Word(operator) {
            self.advance()?;
            let offset = self.offset;
            let next = self.operators(tighter)?;
            conditions.push(self.operand(offset, next, operator)?);
        }
        let operands = Operands {
            strict: operator.starts_with('s'),
            conditions,
        };
        Ok(Node::Bool(match *operator {
            "or" | "sor" => Bool::Any(operands),
            _ => Bool::All(operands),
        }))
    }

    fn operand(&self, offset: usize, node: Node, operator: &str) -> Parsed<Bool> {
        match node {
            Node::Bool(condition) => Ok(condition),
            Node::Text(_) => {
                let text = format!("\"{operator}\" stands between conditions: this is a string");
                Err(wrong(offset, text))
            }
        }
    }

    fn negation(&mut self) -> Parsed<Node> {
        let mut negations = 0_usize;
        while self.token == Token::Word("not") {
            self.advance()?;
            negations += 1;
        }
        let offset = self.offset;
        let node = self.comparison()?;
        if negations == 0 {
            return Ok(node);
        }
        let condition = self.operand(offset, node, "not")?;
        Ok(Node::Bool(match negations % 2 {
            0 => condition,
            _ => Bool::Not(Box::new(condition)),
        }))
    }

    fn comparison(&mut self) -> Parsed<Node> {
        let offset = self.offset;
        let left = self.sum()?;
        if self.token != Token::Equal {
            return Ok(left);
        }
        let left = self.compared(offset, left)?;
        self.advance()?;
        let offset = self.offset;
        let right = self.sum()?;
        let right = self.compared(offset, right)?;
        if self.token == Token::Equal {
            return Err(wrong(self.offset, "comparisons do not follow each other"));
        }
        Ok(Node::Bool(Bool::Equal(Box::new((left, right)))))
    }

    fn compared(&self, offset: usize, node: Node) -> Parsed<Text> {
        match node {
            Node::Text(text) => Ok(text),
            Node::Bool(_) => Err(wrong(
                offset,
                "\"==\" compares strings: this is a condition",
            )),
        }
    }

    fn sum(&mut self) -> Parsed<Node> {
        let offset = self.offset;
        let first = self.primary()?;
        if !self.is_symbol('+') {
            return Ok(first);
        }
        let joined = "\"+\" joins strings: this is a condition";
        let Node::Text(first) = first else {
            return Err(wrong(offset, joined));
        };
        let mut parts = vec![first];
        while self.is_symbol('+') {
            self.advance()?;
            let offset = self.offset;
            let Node::Text(next) = self.primary()? else {
                return Err(wrong(offset, joined));
            };
            parts.push(next);
        }
        Ok(Node::Text(Text::Concat(parts)))
    }

    fn primary(&mut self) -> Parsed<Node> {
        let literal = |bytes: &[u8]| Ok(Node::Text(Text::Literal(bytes.into())));
        let offset = self.offset;
        if self.is_symbol('(') {
            self.advance()?;
            let inside = self.expression()?;
            self.symbol(')')?;
            return Ok(inside);
        }
        if matches!(self.token, Token::Symbol(_) | Token::Equal | Token::End) {
            return Err(self.unexpected("a condition or a string"));
        }
        match self.advance()? {
            Token::Text(text) => literal(text.as_bytes()),
            Token::Hex(bytes) => literal(&bytes),
            Token::Address(IpAddr::V4(address)) => literal(&address.octets()),
            Token::Address(IpAddr::V6(address)) => literal(&address.octets()),
            // Kea: a number is a string of four bytes.
            Token::Integer(number) => match u32::try_from(number) {
                Ok(number) => literal(&number.to_be_bytes()),
                Err(_) => Err(wrong(
                    offset,
                    format!("{number} does not fit: a number as a string has 32 bits"),
                )),
            },
            Token::Word(word) => self.word(offset, word),
            Token::Symbol(_) | Token::Equal | Token::End => {
                Err(wrong(offset, "a condition or a string must stand here"))
            }
        }
    }

    fn word(&mut self, offset: usize, word: &str) -> Parsed<Node> {
        match word {
            "option" | "relay4" | "relay6" | "vendor" | "vendor-class" => self.chain(offset, word),
            "pkt" | "pkt4" | "pkt6" => self.field(offset, word),
            "known" | "unknown" => {
                let class = word.to_uppercase();
                Err(wrong(offset, format!("write member('{class}')")))
            }
            _ => self.call(offset, word),
        }
    }

    /// A number between the bounds.
    fn integer(&mut self, what: &str, min: i64, max: i64) -> Parsed<i64> {
        let offset = self.offset;
        let Token::Integer(number) = self.token else {
            return Err(self.unexpected(what));
        };
        self.advance()?;
        if (min..=max).contains(&number) {
            return Ok(number);
        }
        let text = format!("{what} is between {min} and {max}, not {number}");
        Err(wrong(offset, text))
    }
}

fn wrong(offset: usize, text: impl Into<String>) -> ParseError {
    let text = text.into();
    ParseError { offset, text }
}
