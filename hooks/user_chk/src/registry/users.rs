//! The users of one version of the registry.

use super::line::{LineError, parse};
use crate::identifier::{Identifier, IdentifierType};
use crate::user::{Properties, User};
use std::collections::HashMap;
use std::fmt;

/// Identifier of the users whose properties unregistered clients get: four zero bytes, of either type.
pub const DEFAULT_USER: [u8; 4] = [0; 4];

/// Bad lines that a report names; the rest is counted.
const REPORTED: usize = 20;

/// Users by identifier.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users {
    hw_addrs: HashMap<Box<[u8]>, Properties>,
    duids: HashMap<Box<[u8]>, Properties>,
}

/// The user is there already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is registered already")]
pub struct Duplicate(pub Identifier);

impl Users {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hw_addrs.len() + self.duids.len()
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Registers a user.
    ///
    /// # Errors
    /// The user is there already, and stays as before.
    pub fn add(&mut self, user: User) -> Result<(), Duplicate> {
        let User {
            identifier,
            properties,
        } = user;
        let users = self.of_kind_mut(identifier.kind());
        if users.contains_key(identifier.bytes()) {
            return Err(Duplicate(identifier));
        }
        users.insert(identifier.bytes().into(), properties);
        Ok(())
    }

    /// The properties of a user; `None` where the client is not registered. Any bytes may be asked for.
    #[must_use]
    pub fn find(&self, kind: IdentifierType, bytes: &[u8]) -> Option<&Properties> {
        let users = match kind {
            IdentifierType::HwAddr => &self.hw_addrs,
            IdentifierType::Duid => &self.duids,
        };
        users.get(bytes)
    }

    /// Forgets a user; nothing happens where there is none.
    pub fn remove(&mut self, identifier: &Identifier) {
        self.of_kind_mut(identifier.kind())
            .remove(identifier.bytes());
    }

    fn of_kind_mut(&mut self, kind: IdentifierType) -> &mut HashMap<Box<[u8]>, Properties> {
        match kind {
            IdentifierType::HwAddr => &mut self.hw_addrs,
            IdentifierType::Duid => &mut self.duids,
        }
    }
}

/// A bad line, counted from 1.
#[derive(Debug)]
pub struct Problem {
    /// Where.
    pub line: usize,
    /// What is wrong there.
    pub error: LineError,
}

/// Why a file is no registry: its bad lines.
#[derive(Debug)]
pub struct Problems {
    /// The first of them, in order.
    pub first: Vec<Problem>,
    /// How many there are in all.
    pub total: usize,
}

/// `line 3: is not UTF-8; line 7: has no "id"`
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Problem { line, error }) in self.first.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}line {line}: {error}")?;
        }
        match self.total.saturating_sub(self.first.len()) {
            0 => Ok(()),
            more => write!(f, "; and {more} more bad lines"),
        }
    }
}

/// The users of a file, one by one with their line, in order; blank lines and comments are passed over.
pub fn read_lines(content: &[u8]) -> impl Iterator<Item = (usize, Result<User, LineError>)> {
    let numbered = content.split(|byte| *byte == b'\n').zip(1..);
    numbered.filter_map(|(line, number)| match parse(line) {
        Ok(user) => user.map(|user| (number, Ok(user))),
        Err(error) => Some((number, Err(error))),
    })
}

/// The users of a file.
///
/// # Errors
/// Any line is bad. Nobody of such a file counts.
pub fn read(content: &[u8]) -> Result<Users, Problems> {
    let mut users = Users::default();
    let mut lines: HashMap<Identifier, usize> = HashMap::new();
    let mut problems = Problems {
        first: Vec::new(),
        total: 0,
    };
    for (line, parsed) in read_lines(content) {
        let added = parsed.and_then(|user| {
            let identifier = user.identifier.clone();
            users
                .add(user)
                .map_err(|Duplicate(identifier)| LineError::Duplicate {
                    kind: identifier.kind(),
                    first: lines.get(&identifier).copied().unwrap_or_default(),
                    identifier,
                })?;
            lines.insert(identifier, line);
            Ok(())
        });
        if let Err(error) = added {
            problems.total += 1;
            if problems.first.len() < REPORTED {
                problems.first.push(Problem { line, error });
            }
        }
    }
    if problems.total > 0 {
        return Err(problems);
    }
    Ok(users)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
{ \"type\" : \"HW_ADDR\", \"id\" : \"01AC00F03344\", \"opt1\" : \"v1\" }
{ \"type\" : \"HW_ADDR\", \"id\" : \"01:ac:00:f0:33:45\", \"opt1\" : \"v2\" }
{ \"type\" : \"DUID\", \"id\" : \"225060de0a0b\", \"opt1\" : \"v3\" }
{ \"type\" : \"DUID\", \"id\" : \"22:50:60:DE:0A:0C\", \"opt1\" : \"v4\" }
";

    fn identifier(kind: IdentifierType, text: &str) -> Identifier {
        Identifier::parse(kind, text).unwrap()
    }

    #[test]
    fn a_user_is_found_until_removed() {
        let mut users = Users::default();
        assert!(users.is_empty());
        let who = identifier(IdentifierType::HwAddr, "0102");
        users.add(User::new(who.clone())).unwrap();
        assert!(users.find(IdentifierType::HwAddr, &[1, 2]).is_some());
        assert!(users.find(IdentifierType::HwAddr, &[1, 3]).is_none());
        users.remove(&who);
        users.remove(&who);
        assert!(users.find(IdentifierType::HwAddr, &[1, 2]).is_none());
    }

    #[test]
    fn a_duplicate_is_refused_and_the_first_stays() {
        let mut users = Users::default();
        let mut user = User::from_text(IdentifierType::Duid, "010203").unwrap();
        user.properties.set("a", "first").unwrap();
        users.add(user.clone()).unwrap();
        user.properties.set("a", "second").unwrap();
        assert_eq!(users.add(user.clone()), Err(Duplicate(user.identifier)));
        let found = users.find(IdentifierType::Duid, &[1, 2, 3]).unwrap();
        assert_eq!(found.get("a"), "first");
    }

    #[test]
    fn both_types_live_side_by_side() {
        let mut users = Users::default();
        for (kind, value) in [
            (IdentifierType::HwAddr, "hw"),
            (IdentifierType::Duid, "duid"),
        ] {
            let mut user = User::from_text(kind, "010203").unwrap();
            user.properties.set("a", value).unwrap();
            users.add(user).unwrap();
        }
        assert_eq!(users.len(), 2);
        for (kind, value) in [
            (IdentifierType::HwAddr, "hw"),
            (IdentifierType::Duid, "duid"),
        ] {
            assert_eq!(users.find(kind, &[1, 2, 3]).unwrap().get("a"), value);
        }
    }

    #[test]
    fn a_good_file_yields_its_users_in_order_with_canonical_ids() {
        let read: Vec<_> = read_lines(GOOD.as_bytes())
            .map(|(line, user)| {
                let user = user.unwrap();
                let who = format!("{:?}", user.identifier);
                (line, who, user.properties.get("opt1").to_owned())
            })
            .collect();
        let expected = [
            (1, "HW_ADDR 01ac00f03344", "v1"),
            (2, "HW_ADDR 01ac00f03345", "v2"),
            (3, "DUID 225060de0a0b", "v3"),
            (4, "DUID 225060de0a0c", "v4"),
        ];
        let expected = expected.map(|(line, who, value)| (line, who.to_owned(), value.to_owned()));
        assert_eq!(read, expected);
    }

    #[test]
    fn users_of_a_file_are_found_by_canonical_identifier() {
        let users = read(GOOD.as_bytes()).unwrap();
        assert_eq!(users.len(), 4);
        for (kind, id) in [
            (IdentifierType::HwAddr, "01ac00f03344"),
            (IdentifierType::Duid, "225060de0a0c"),
        ] {
            assert!(
                users.find(kind, identifier(kind, id).bytes()).is_some(),
                "{id}"
            );
        }
    }

    #[test]
    fn an_empty_file_and_one_without_a_last_newline_are_registries() {
        assert!(read(b"").unwrap().is_empty());
        assert!(read(b"\n# nobody yet\n\n").unwrap().is_empty());
        assert_eq!(read(GOOD.trim_end().as_bytes()).unwrap().len(), 4);
    }

    #[test]
    fn bad_lines_are_reported_with_their_numbers() {
        let content = "\n{\"type\":\"HW_ADDR\",\"id\":\"01:02\"}\nnonsense\n{\"type\":\"HW_ADDR\",\"id\":\"0102\"}\n";
        let problems = read(content.as_bytes()).unwrap_err();
        assert_eq!(problems.total, 2);
        let text = problems.to_string();
        assert!(text.starts_with("line 3: is not a JSON object"), "{text}");
        assert!(
            text.ends_with("line 4: HW_ADDR 0102 is there already, in line 2"),
            "{text}"
        );
    }

    #[test]
    fn a_file_of_another_kind_is_reported_in_a_few_lines() {
        let problems = read("x\n".repeat(10_000).as_bytes()).unwrap_err();
        assert_eq!(problems.first.len(), REPORTED);
        assert!(problems.to_string().ends_with("and 9980 more bad lines"));
    }
}
