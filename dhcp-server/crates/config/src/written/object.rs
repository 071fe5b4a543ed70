//! Reads the members of one map: by known keys, with their types, reporting everything that is wrong at once.

use super::suggest;
use crate::diagnostic::Position;
use crate::problems::Problems;
use crate::source::{Map, Member, Node, Value};
use std::cell::RefCell;
use std::ops::RangeInclusive;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) position: Position,
}

impl<T> Spanned<T> {
    /// The value made into another, at the same place.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned {
            value: change(self.value),
            position: self.position,
        }
    }
}

/// The members of one map. Ask for every known key, then call [`Self::finish`], which reports those nobody asked for.
#[must_use]
pub(crate) struct Object<'a> {
    members: &'a Map,
    /// Of the opening brace.
    pub(crate) position: &'a Position,
    /// As Kea calls the map in its messages: `subnet4`, `pools`.
    scope: &'static str,
    known: RefCell<Vec<&'static str>>,
    pub(crate) problems: &'a Problems,
}

impl<'a> Object<'a> {
    /// `None`, and an error, where the node is not a map.
    pub(crate) fn new(node: &'a Node, scope: &'static str, problems: &'a Problems) -> Option<Self> {
        let Value::Map(members) = &node.value else {
            let kind = node.value.kind();
            problems.error(&node.position, format!("{scope} must be a map, not {kind}"));
            return None;
        };
        Some(Self {
            members,
            position: &node.position,
            scope,
            known: RefCell::new(Vec::new()),
            problems,
        })
    }

    /// The member of this key, which is thereby known.
    pub(crate) fn member(&self, key: &'static str) -> Option<&'a Member> {
        self.known.borrow_mut().push(key);
        self.members.iter().find(|member| member.key == key)
    }

    /// The value of this key.
    pub(crate) fn node(&self, key: &'static str) -> Option<&'a Node> {
        self.member(key).map(|member| &member.node)
    }

    fn wrong_type(&self, key: &str, node: &Node, wanted: &str) {
        let kind = node.value.kind();
        self.problems.error(
            &node.position,
            format!("{key} must be {wanted}, not {kind}"),
        );
    }

    pub(crate) fn bool(&self, key: &'static str) -> Option<Spanned<bool>> {
        let node = self.node(key)?;
        let Value::Bool(value) = node.value else {
            self.wrong_type(key, node, "true or false");
            return None;
        };
        Some(Spanned {
            value,
            position: node.position.clone(),
        })
    }

    pub(crate) fn text(&self, key: &'static str) -> Option<Spanned<&'a str>> {
        let node = self.node(key)?;
        let Value::String(value) = &node.value else {
            self.wrong_type(key, node, "a string");
            return None;
        };
        Some(Spanned {
            value,
            position: node.position.clone(),
        })
    }

    /// A string that `parse` understands; `wanted` says in an error what it would have understood.
    pub(crate) fn parsed<T>(
        &self,
        key: &'static str,
        wanted: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Spanned<T>> {
        let text = self.text(key)?;
        let Some(value) = parse(text.value) else {
            let shown = text.value;
            self.problems.error(
                &text.position,
                format!("{key} must be {wanted}, not \"{shown}\""),
            );
            return None;
        };
        Some(Spanned {
            value,
            position: text.position,
        })
    }

    /// One of several words.
    pub(crate) fn choice<T: Copy>(
        &self,
        key: &'static str,
        choices: &[(&str, T)],
    ) -> Option<Spanned<T>> {
        let words: Vec<_> = choices.iter().map(|choice| choice.0).collect();
        let wanted = format!("one of {}", words.join(", "));
        self.parsed(key, &wanted, |text| {
            choices
                .iter()
                .find(|choice| choice.0 == text)
                .map(|choice| choice.1)
        })
    }

    pub(crate) fn int<T: TryFrom<i64>>(
        &self,
        key: &'static str,
        range: RangeInclusive<i64>,
    ) -> Option<Spanned<T>> {
        let node = self.node(key)?;
        let Value::Int(number) = node.value else {
            self.wrong_type(key, node, "an integer");
            return None;
        };
        let value = T::try_from(number).ok().filter(|_| range.contains(&number));
        let Some(value) = value else {
            let (min, max) = (range.start(), range.end());
            self.problems.error(
                &node.position,
                format!("{key} must be between {min} and {max}, not {number}"),
            );
            return None;
        };
        Some(Spanned {
            value,
            position: node.position.clone(),
        })
    }

    /// A number that takes 32 bits, such as a lifetime in seconds.
    pub(crate) fn u32(&self, key: &'static str) -> Option<Spanned<u32>> {
        self.int(key, 0..=u32::MAX.into())
    }

    pub(crate) fn float(&self, key: &'static str) -> Option<Spanned<f64>> {
        let node = self.node(key)?;
        let Value::Float(value) = node.value else {
            self.wrong_type(key, node, "a floating point number such as 0.5");
            return None;
        };
        Some(Spanned {
            value,
            position: node.position.clone(),
        })
    }

    /// The elements of a list, none where there is no such key.
    pub(crate) fn list(&self, key: &'static str) -> &'a [Node] {
        match self.node(key) {
            None => &[],
            Some(Node {
                value: Value::List(nodes),
                ..
            }) => nodes,
            Some(node) => {
                self.wrong_type(key, node, "a list");
                &[]
            }
        }
    }

    /// The elements of a list of strings. `None` where there is no such key.
    pub(crate) fn texts(&self, key: &'static str) -> Option<Vec<Spanned<&'a str>>> {
        self.member(key)?;
        let mut texts = Vec::new();
        for node in self.list(key) {
            match &node.value {
                Value::String(value) => texts.push(Spanned {
                    value: value.as_str(),
                    position: node.position.clone(),
                }),
                _ => self.wrong_type(key, node, "a list of strings"),
            }
        }
        Some(texts)
    }

    /// The map of this key.
    pub(crate) fn object(&self, key: &'static str) -> Option<Self> {
        Self::new(self.node(key)?, key, self.problems)
    }

    /// The maps of a list of maps.
    pub(crate) fn objects(&self, key: &'static str) -> Vec<Self> {
        let mut objects = Vec::new();
        for node in self.list(key) {
            match node.value {
                Value::Map(_) => objects.extend(Self::new(node, key, self.problems)),
                _ => self.wrong_type(key, node, "a list of maps"),
            }
        }
        objects
    }

    /// Reports a key that must be there and is not.
    pub(crate) fn require<T>(&self, key: &str, value: Option<T>) -> Option<T> {
        // A value of the wrong type is there, and was reported.
        if !self.members.iter().any(|member| member.key == key) {
            let scope = self.scope;
            self.problems
                .error(self.position, format!("{key} is missing in {scope} map"));
        }
        value
    }

    /// The key as it is called now, else as older versions called it; both at once are an error.
    pub(crate) fn renamed(&self, new: &'static str, old: &'static str) -> &'static str {
        let (newer, older) = (self.member(new), self.member(old));
        if let (Some(_), Some(older)) = (newer, older) {
            self.problems.error(
                &older.position,
                format!("\"{old}\" and \"{new}\" are the same: write only \"{new}\""),
            );
        }
        if newer.is_none() && older.is_some() {
            old
        } else {
            new
        }
    }

    /// `user-context` with the `comment` moved into it, as Kea does; `null` where there is neither. Accepts
    /// `metadata`, which only configuration backends write.
    pub(crate) fn user_context(&self) -> serde_json::Value {
        if let Some(metadata) = self.object("metadata") {
            metadata.accept_everything();
        }
        let comment = self.text("comment");
        let Some(context) = self.object("user-context") else {
            return comment.map_or(
                serde_json::Value::Null,
                |comment| serde_json::json!({ "comment": comment.value }),
            );
        };
        let pairs = context
            .members
            .iter()
            .map(|member| (member.key.clone(), member.node.to_json()));
        let mut map: serde_json::Map<_, _> = pairs.collect();
        if let Some(comment) = comment {
            let earlier = map.insert("comment".to_owned(), comment.value.into());
            if earlier.is_some() {
                let text = "comment stands both here and in user-context: write one of them";
                self.problems.error(&comment.position, text);
            }
        }
        context.accept_everything();
        serde_json::Value::Object(map)
    }

    /// For maps that may hold anything.
    pub(crate) fn accept_everything(self) {}

    /// Reports members with keys that nobody asked for.
    pub(crate) fn finish(self) {
        let known = self.known.into_inner();
        let scope = self.scope;
        for member in self.members {
            let key = member.key.as_str();
            if known.contains(&key) {
                continue;
            }
            let mut text = format!("got unexpected keyword \"{key}\" in {scope} map");
            if let Some(meant) = suggest::nearest(key, known.iter().copied()) {
                text.push_str(&format!(", did you mean \"{meant}\"?"));
            }
            self.problems.error(&member.position, text);
        }
    }
}
