//! Kea's JSON: from text to a tree in which every value knows its position.
//!
//! Beyond JSON: comments, includes, extra commas, numbers such as `.5`. Stricter than many readers: no key twice, no
//! unescaped control character, no byte-order mark.

mod include;
mod lex;
mod tree;

pub(crate) use include::read_file;
pub(crate) use tree::{Map, Member, Node, Value};

use crate::problems::Problems;
use include::Sources;
use lex::Lexer;
use std::sync::Arc;

/// Deepest nesting of maps and lists.
pub(crate) const MAX_DEPTH: usize = 100;

/// Reading cannot go on; the reason is among the problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped;

/// The tree of one file with its includes. `None` where syntax errors leave nothing to look at.
pub(crate) fn parse(name: &str, text: &[u8], problems: &Problems) -> Option<Node> {
    let file: Arc<str> = name.into();
    let sources = Sources::new(file, text, problems)?;
    let mut lexer = Lexer::new(sources, problems);
    tree::parse(&mut lexer, problems).ok()
}
