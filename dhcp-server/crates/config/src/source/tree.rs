//! Tokens to a tree.

use super::lex::{Lexeme, Lexer, Token};
use super::{MAX_DEPTH, Stopped};
use crate::diagnostic::Position;
use crate::problems::Problems;
use std::collections::HashMap;

/// A value and where it starts.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) position: Position,
    pub(crate) value: Value,
}

/// What a JSON text can say. Integers and floats are different things.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    String(String),
    List(Vec<Node>),
    Map(Map),
}

/// Members in the order of the file; no key twice.
pub(crate) type Map = Vec<Member>;

/// One `"key": value`.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) key: String,
    /// Of the key.
    pub(crate) position: Position,
    pub(crate) node: Node,
}

impl Value {
    /// For messages: what kind of value this is, with its article.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a floating point number",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl Node {
    /// The same as plain JSON.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Int(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::String(value) => value.as_str().into(),
            Value::List(nodes) => nodes.iter().map(Self::to_json).collect(),
            Value::Map(members) => {
                let pairs = members
                    .iter()
                    .map(|member| (member.key.clone(), member.node.to_json()));
                serde_json::Value::Object(pairs.collect())
            }
        }
    }
}

/// One value and then the end of the text.
pub(super) fn parse<'p>(lexer: &mut Lexer<'p>, problems: &'p Problems) -> Result<Node, Stopped> {
    let mut parser = Parser { lexer, problems };
    let first = parser.lexer.next()?;
    let root = parser.value(first, 0)?;
    let behind = parser.lexer.next()?;
    if behind.token != Token::End {
        return parser.unexpected(&behind, "the end of the file");
    }
    Ok(root)
}

struct Parser<'l, 'p> {
    lexer: &'l mut Lexer<'p>,
    problems: &'p Problems,
}

impl Parser<'_, '_> {
    fn unexpected<T>(&self, found: &Lexeme, wanted: &str) -> Result<T, Stopped> {
        let found_text = match &found.token {
            Token::BeginMap => "{".to_owned(),
            Token::EndMap => "}".to_owned(),
            Token::BeginList => "[".to_owned(),
            Token::EndList => "]".to_owned(),
            Token::Colon => ":".to_owned(),
            Token::Comma => ",".to_owned(),
            Token::String(text) => format!("\"{text}\""),
            Token::Int(number) => number.to_string(),
            Token::Float(number) => number.to_string(),
            Token::Bool(value) => value.to_string(),
            Token::Null => "null".to_owned(),
            Token::End => "the end of the file".to_owned(),
        };
        self.problems.error(
            &found.position,
            format!("found {found_text} where {wanted} is expected"),
        );
        Err(Stopped)
    }

    fn value(&mut self, first: Lexeme, depth: usize) -> Result<Node, Stopped> {
        if depth >= MAX_DEPTH {
            self.problems.error(
                &first.position,
                format!("maps and lists nest deeper than {MAX_DEPTH}"),
            );
            return Err(Stopped);
        }
        let value = match first.token {
            Token::BeginMap => Value::Map(self.map(depth)?),
            Token::BeginList => Value::List(self.list(depth)?),
            Token::String(text) => Value::String(text),
            Token::Int(number) => Value::Int(number),
            Token::Float(number) => Value::Float(number),
            Token::Bool(value) => Value::Bool(value),
            Token::Null => Value::Null,
            Token::EndMap | Token::EndList | Token::Colon | Token::Comma | Token::End => {
                return self.unexpected(&first, "a value");
            }
        };
        Ok(Node {
            position: first.position,
            value,
        })
    }

    fn map(&mut self, depth: usize) -> Result<Map, Stopped> {
        let mut members: Map = Vec::new();
        let mut seen: HashMap<String, Position> = HashMap::new();
        loop {
            let next = self.lexer.next()?;
            let key = match next.token {
                Token::EndMap => return Ok(members),
                Token::String(key) => key,
                _ => return self.unexpected(&next, "a key or }"),
            };
            let colon = self.lexer.next()?;
            if colon.token != Token::Colon {
                return self.unexpected(&colon, ":");
            }
            let first = self.lexer.next()?;
            let node = self.value(first, depth + 1)?;
            match seen.get(&key) {
                Some(earlier) => self.problems.error(
                    &next.position,
                    format!("\"{key}\" stands twice in this map, first at {earlier}"),
                ),
                None => {
                    seen.insert(key.clone(), next.position.clone());
                    members.push(Member {
                        key,
                        position: next.position,
                        node,
                    });
                }
            }
            self.separator(&Token::EndMap, ", or }")?;
        }
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Stopped> {
        let mut nodes = Vec::new();
        loop {
            let next = self.lexer.next()?;
            if next.token == Token::EndList {
                return Ok(nodes);
            }
            nodes.push(self.value(next, depth + 1)?);
            self.separator(&Token::EndList, ", or ]")?;
        }
    }

    /// What stands behind an element: a comma, or the closing bracket, which is left to be read. More commas than
    /// needed are accepted with a warning each.
    fn separator(&mut self, end: &Token, wanted: &str) -> Result<(), Stopped> {
        let mut last_comma = None;
        loop {
            let next = self.lexer.peek()?.clone();
            if next.token == Token::Comma {
                if let Some(earlier) = last_comma.replace(next.position) {
                    self.problems.warning(&earlier, "extraneous comma");
                }
                self.lexer.next()?;
            } else if next.token == *end {
                if let Some(earlier) = last_comma {
                    self.problems.warning(&earlier, "extraneous comma");
                }
                return Ok(());
            } else if last_comma.is_some() {
                return Ok(());
            } else {
                return self.unexpected(&next, wanted);
            }
        }
    }
}
