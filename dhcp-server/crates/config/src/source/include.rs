//! The text that is read: a file, and the files it includes, spliced in as text.

use super::Stopped;
use crate::diagnostic::Position;
use crate::problems::Problems;
use std::sync::Arc;

/// Kea's limit, roughly.
const MAX_NESTING: usize = 10;
/// Files that are included in all: what nests ten deep can still be wide.
const MAX_INCLUDES: usize = 1000;

/// One file being read.
#[derive(Debug)]
struct Source {
    file: Arc<str>,
    text: String,
    at: usize,
    line: u32,
    column: u32,
}

/// A stack of files; characters come from the innermost.
#[derive(Debug)]
pub(super) struct Sources {
    stack: Vec<Source>,
    included: usize,
}

impl Sources {
    /// `None` where the text cannot be read as text.
    pub(super) fn new(file: Arc<str>, text: &[u8], problems: &Problems) -> Option<Self> {
        let source = Source::new(file, text, problems).ok()?;
        Some(Self {
            stack: vec![source],
            included: 0,
        })
    }

    /// Of the next character.
    pub(super) fn position(&self) -> Position {
        // The outermost file is never left.
        let source = &self.stack[self.stack.len() - 1];
        Position {
            file: Arc::clone(&source.file),
            line: source.line,
            column: source.column,
        }
    }

    /// What is left of the innermost file.
    pub(super) fn rest(&self) -> &str {
        self.stack
            .last()
            .map_or("", |source| &source.text[source.at..])
    }

    /// The next character of the innermost file, if there is one.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Takes the next character.
    pub(super) fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        let source = self.stack.last_mut()?;
        source.at += next.len_utf8();
        if next == '\n' {
            source.line += 1;
            source.column = 1;
        } else {
            source.column += 1;
        }
        Some(next)
    }

    /// Leaves an included file that is read to its end. False in the outermost file.
    pub(super) fn leave(&mut self) -> bool {
        if self.stack.len() == 1 {
            return false;
        }
        self.stack.pop();
        true
    }

    /// Goes on with the text of another file; relative names start at the working directory of the process.
    pub(super) fn include(
        &mut self,
        name: &str,
        at: &Position,
        problems: &Problems,
    ) -> Result<(), Stopped> {
        self.included += 1;
        if self.stack.len() > MAX_NESTING {
            problems.error(
                at,
                format!("too many nested includes: at most {MAX_NESTING}"),
            );
            return Err(Stopped);
        }
        if self.included > MAX_INCLUDES {
            problems.error(at, format!("too many includes: at most {MAX_INCLUDES}"));
            return Err(Stopped);
        }
        let text = read_file(name).map_err(|error| {
            problems.error(at, format!("cannot include \"{name}\": {error}"));
            Stopped
        })?;
        self.stack.push(Source::new(name.into(), &text, problems)?);
        Ok(())
    }
}

/// Reads regular files only: a device or a pipe has no end.
pub(crate) fn read_file(name: impl AsRef<std::path::Path>) -> std::io::Result<Vec<u8>> {
    let name = name.as_ref();
    if !std::fs::metadata(name)?.is_file() {
        return Err(std::io::Error::other("not a regular file"));
    }
    std::fs::read(name)
}

impl Source {
    fn new(file: Arc<str>, text: &[u8], problems: &Problems) -> Result<Self, Stopped> {
        let mut source = Self {
            file,
            text: String::new(),
            at: 0,
            line: 1,
            column: 1,
        };
        let start = source.position_of("");
        if text.starts_with(b"\xef\xbb\xbf") {
            problems.error(
                &start,
                "the file starts with a byte-order mark: save it without one",
            );
            return Err(Stopped);
        }
        match std::str::from_utf8(text) {
            Ok(text) => text.clone_into(&mut source.text),
            Err(error) => {
                let valid = String::from_utf8_lossy(&text[..error.valid_up_to()]);
                problems.error(&source.position_of(&valid), "not valid UTF-8");
                return Err(Stopped);
            }
        }
        Ok(source)
    }

    /// Of what follows `text`, where that is how the file starts.
    fn position_of(&self, text: &str) -> Position {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let last_line = text.rsplit('\n').next().unwrap_or("");
        Position {
            file: Arc::clone(&self.file),
            line: count(text.matches('\n').count() + 1),
            column: count(last_line.chars().count() + 1),
        }
    }
}
