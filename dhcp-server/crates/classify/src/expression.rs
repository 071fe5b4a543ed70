//! The two kinds of expressions.

use crate::ast::{Bool, Text};
use crate::eval::{Value, is_true, text_of};
use crate::parse::Parser;
use crate::subject::Subject;
use outrigger_wire::options::spaces::Definitions;
use std::sync::Arc;
use thiserror::Error;

/// Longest expression, in bytes: room for a list of some thousand hardware addresses.
pub(crate) const MAX_LEN: usize = 256 * 1024;

/// Deepest nesting of parentheses and function calls.
pub(crate) const MAX_DEPTH: usize = 64;

/// Longest string that an evaluation makes, in bytes: more than any packet has.
pub(crate) const MAX_VALUE: usize = 65_535;

/// What is wrong with the text of an expression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text} (at byte {offset})")]
pub struct ParseError {
    /// Where in the expression, in bytes from its start; at most its length, always between two characters.
    pub offset: usize,
    /// What, and what would have been right. One line, no full stop.
    pub text: String,
}

/// Why an expression has no value for a packet. Kea logs it, and the packet is not a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EvalError {
    /// A function that writes numbers or addresses as text was given bytes of another length.
    #[error("{function} was given {len} bytes")]
    Length {
        /// As written in the expression.
        function: &'static str,
        /// Of what it was given.
        len: usize,
    },
    /// A string would be longer than 65,535 bytes.
    #[error("a string would be longer than {MAX_VALUE} bytes")]
    TooLong,
}

/// A class that an expression asks about with `member('…')`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) name: Arc<str>,
    pub(crate) offset: usize,
}

/// A condition: the `test` of a class.
#[derive(Debug)]
pub struct BoolExpression {
    root: Bool,
    asked: Vec<Asked>,
}

/// A string: the `template-test` of a class, or what a flexible identifier is made of.
#[derive(Debug)]
pub struct StringExpression {
    root: Text,
    asked: Vec<Asked>,
}

impl BoolExpression {
    /// Understands the text of a condition. Names of options are looked up in `definitions`, whose family decides
    /// what may be asked.
    ///
    /// # Errors
    /// The text is no condition of this family, or is too long or nested too deeply.
    pub fn parse(text: &str, definitions: &Definitions) -> Result<Self, ParseError> {
        let mut parser = Parser::new(text, definitions)?;
        let root = parser.whole_condition()?;
        let asked = parser.into_asked();
        Ok(Self { root, asked })
    }

    /// Whether it holds for the packet. What is missing in the packet counts as an empty string.
    ///
    /// # Errors
    /// A function was given something that it cannot work with.
    pub fn is_true(&self, subject: &Subject<'_>) -> Result<bool, EvalError> {
        is_true(&self.root, subject)
    }

    /// Classes that it asks about, with the byte offset of each question.
    pub fn members(&self) -> impl Iterator<Item = (&Arc<str>, usize)> {
        self.asked.iter().map(|asked| (&asked.name, asked.offset))
    }
}

impl StringExpression {
    /// Understands the text of a string expression; as [`BoolExpression::parse`].
    ///
    /// # Errors
    /// As there.
    pub fn parse(text: &str, definitions: &Definitions) -> Result<Self, ParseError> {
        let mut parser = Parser::new(text, definitions)?;
        let root = parser.whole_text()?;
        let asked = parser.into_asked();
        Ok(Self { root, asked })
    }

    /// Its value for the packet; empty where what it asks for is missing. At most 65,535 bytes.
    ///
    /// # Errors
    /// A function was given something that it cannot work with.
    pub fn evaluate<'a>(&'a self, subject: &Subject<'a>) -> Result<Value<'a>, EvalError> {
        text_of(&self.root, subject)
    }

    /// Classes that it asks about, with the byte offset of each question.
    pub fn members(&self) -> impl Iterator<Item = (&Arc<str>, usize)> {
        self.asked.iter().map(|asked| (&asked.name, asked.offset))
    }
}
