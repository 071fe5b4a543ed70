//! Characters to tokens.

use super::Stopped;
use super::include::Sources;
use crate::diagnostic::Position;
use crate::problems::Problems;

/// The smallest piece with a meaning.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    BeginMap,
    EndMap,
    BeginList,
    EndList,
    Colon,
    Comma,
    String(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    Null,
    /// After the last character of the outermost file.
    End,
}

/// A token and where it starts.
#[derive(Debug, Clone)]
pub(super) struct Lexeme {
    pub(super) token: Token,
    pub(super) position: Position,
}

/// Reads tokens. What can be mended (a bad escape, `True`) is reported and read on.
pub(super) struct Lexer<'p> {
    sources: Sources,
    problems: &'p Problems,
    peeked: Option<Lexeme>,
}

impl<'p> Lexer<'p> {
    pub(super) fn new(sources: Sources, problems: &'p Problems) -> Self {
        Self {
            sources,
            problems,
            peeked: None,
        }
    }

    /// The next token, which stays the next.
    pub(super) fn peek(&mut self) -> Result<&Lexeme, Stopped> {
        let next = match self.peeked.take() {
            Some(next) => next,
            None => self.read()?,
        };
        Ok(self.peeked.insert(next))
    }

    /// Takes the next token.
    pub(super) fn next(&mut self) -> Result<Lexeme, Stopped> {
        match self.peeked.take() {
            Some(next) => Ok(next),
            None => self.read(),
        }
    }

    fn stop<T>(&self, position: &Position, text: impl Into<String>) -> Result<T, Stopped> {
        self.problems.error(position, text);
        Err(Stopped)
    }

    fn read(&mut self) -> Result<Lexeme, Stopped> {
        self.skip_to_token()?;
        let position = self.sources.position();
        let Some(first) = self.sources.peek() else {
            return Ok(Lexeme {
                token: Token::End,
                position,
            });
        };
        let token = match first {
            '{' => self.single(Token::BeginMap),
            '}' => self.single(Token::EndMap),
            '[' => self.single(Token::BeginList),
            ']' => self.single(Token::EndList),
            ':' => self.single(Token::Colon),
            ',' => self.single(Token::Comma),
            '"' => self.string()?,
            '0'..='9' | '-' | '+' | '.' => self.number(&position)?,
            'a'..='z' | 'A'..='Z' | '_' => self.word(&position)?,
            other => {
                let shown = other.escape_default();
                return self.stop(&position, format!("unexpected character '{shown}'"));
            }
        };
        Ok(Lexeme { token, position })
    }

    fn single(&mut self, token: Token) -> Token {
        self.sources.bump();
        token
    }

    /// Skips blanks and comments, follows includes, leaves files that are read to their end.
    fn skip_to_token(&mut self) -> Result<(), Stopped> {
        loop {
            let rest = self.sources.rest();
            if rest.starts_with([' ', '\t', '\r', '\n']) {
                self.sources.bump();
            } else if rest.starts_with('#') || rest.starts_with("//") {
                self.take_while(|c| c != '\n');
            } else if rest.starts_with("/*") {
                self.skip_block_comment()?;
            } else if rest.starts_with("<?") {
                self.include()?;
            } else if !rest.is_empty() || !self.sources.leave() {
                return Ok(());
            }
        }
    }

    fn skip_block_comment(&mut self) -> Result<(), Stopped> {
        let start = self.sources.position();
        self.skip(2);
        while !self.sources.rest().starts_with("*/") {
            if self.sources.bump().is_none() {
                return self.stop(&start, "this comment has no */ at its end");
            }
        }
        self.skip(2);
        Ok(())
    }

    fn include(&mut self) -> Result<(), Stopped> {
        let start = self.sources.position();
        self.skip(2);
        self.take_while(|c| c == ' ' || c == '\t');
        if self.take_while(|c| c.is_ascii_alphabetic()) != "include" {
            return self.stop(&start, "only <?include \"FILE\"?> may stand here");
        }
        self.take_while(|c| c == ' ' || c == '\t');
        if self.sources.bump() != Some('"') {
            return self.stop(&start, "an include names its file in double quotes");
        }
        let name = self.take_while(|c| c != '"' && c != '\n');
        self.sources.bump();
        self.take_while(|c| c == ' ' || c == '\t');
        if !self.sources.rest().starts_with("?>") {
            return self.stop(&start, "this include has no ?> at its end");
        }
        self.skip(2);
        self.sources.include(&name, &start, self.problems)
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.sources.bump();
        }
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(next) = self.sources.peek().filter(|c| wanted(*c)) {
            taken.push(next);
            self.sources.bump();
        }
        taken
    }

    fn string(&mut self) -> Result<Token, Stopped> {
        let start = self.sources.position();
        self.sources.bump();
        let mut text = String::new();
        loop {
            let position = self.sources.position();
            match self.sources.bump() {
                Some('"') => return Ok(Token::String(text)),
                Some('\\') => text.push(self.escape(&position)?),
                None | Some('\n') => {
                    return self.stop(&start, "this string has no closing quote on its line");
                }
                Some(control) if control < ' ' => {
                    let shown = control.escape_unicode();
                    self.problems.error(
                        &position,
                        format!("control character {shown} in a string: write it as an escape"),
                    );
                }
                Some(other) => text.push(other),
            }
        }
    }

    fn escape(&mut self, position: &Position) -> Result<char, Stopped> {
        let escaped = match self.sources.bump() {
            Some(same @ ('"' | '\\' | '/')) => same,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => return self.unicode_escape(position),
            Some(other) if other != '\n' => {
                let shown = other.escape_default();
                self.problems
                    .error(position, format!("unknown escape \\{shown}"));
                other
            }
            Some(_) | None => return self.stop(position, "this escape is not finished"),
        };
        Ok(escaped)
    }

    fn unicode_escape(&mut self, position: &Position) -> Result<char, Stopped> {
        let digits: String = self.sources.rest().chars().take(4).collect();
        let hex = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let Some(code) = hex.then(|| u32::from_str_radix(&digits, 16).ok()).flatten() else {
            return self.stop(position, "\\u needs four hexadecimal digits");
        };
        self.skip(4);
        // Kea: one byte per escape. Above, users write the character itself.
        if code > 0xff {
            self.problems.error(
                position,
                format!("unsupported unicode escape \\u{digits}: write the character itself"),
            );
        } else if code > 0x7f {
            self.problems.warning(
                position,
                format!("\\u{digits} stands for a character in UTF-8 here, for one byte in Kea"),
            );
        }
        Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn number(&mut self, position: &Position) -> Result<Token, Stopped> {
        let text = self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.'));
        let digits = text.strip_prefix('-').unwrap_or(&text);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            if digits.len() > 1 && digits.starts_with('0') {
                self.problems
                    .warning(position, format!("{text} has leading zeros; it is decimal"));
            }
            return match text.parse() {
                Ok(number) => Ok(Token::Int(number)),
                Err(_) => self.stop(position, format!("{text} does not fit into 64 bits")),
            };
        }
        // `.5` and `5.` are accepted; `+5`, `0x10` and `inf` are not numbers here.
        let plain = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        let number = text
            .parse::<f64>()
            .ok()
            .filter(|number| plain && number.is_finite());
        match number {
            Some(number) => Ok(Token::Float(number)),
            None => self.stop(position, format!("\"{text}\" is not a number")),
        }
    }

    fn word(&mut self, position: &Position) -> Result<Token, Stopped> {
        let word = self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        let lower = word.to_ascii_lowercase();
        let token = match lower.as_str() {
            "true" => Token::Bool(true),
            "false" => Token::Bool(false),
            "null" => Token::Null,
            _ => return self.stop(position, format!("\"{word}\" must stand in double quotes")),
        };
        if word != lower {
            self.problems
                .error(position, format!("{word} must be written {lower}"));
        }
        Ok(token)
    }
}
