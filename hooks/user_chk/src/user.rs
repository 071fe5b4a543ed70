//! One registered user.

use crate::identifier::{Identifier, IdentifierError, IdentifierType};

/// Name of the property with the boot file.
pub const BOOTFILE: &str = "bootfile";

/// Name of the property with the TFTP server.
pub const TFTP_SERVER: &str = "tftp_server";

/// A property without a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a property has an empty name")]
pub struct BlankName;

/// What is known of a user beside the identifier. In order of the names; few, so that a million users need no map each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Properties(Vec<(Box<str>, Box<str>)>);

impl Properties {
    /// The value; empty where there is none, which is the same to every reader.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.position(name)
            .map_or("", |position| &self.0[position].1)
    }

    /// Sets or replaces a value, which may be empty.
    ///
    /// # Errors
    /// The name is empty.
    pub fn set(
        &mut self,
        name: impl AsRef<str>,
        value: impl Into<Box<str>>,
    ) -> Result<(), BlankName> {
        let name = name.as_ref();
        if name.is_empty() {
            return Err(BlankName);
        }
        match self.position(name) {
            Ok(position) => self.0[position].1 = value.into(),
            Err(position) => {
                self.0.reserve_exact(1);
                self.0.insert(position, (name.into(), value.into()));
            }
        }
        Ok(())
    }

    /// Forgets a value; nothing happens where there is none.
    pub fn remove(&mut self, name: &str) {
        if let Ok(position) = self.position(name) {
            self.0.remove(position);
        }
    }

    /// Where the property is, or where it would be.
    fn position(&self, name: &str) -> Result<usize, usize> {
        self.0
            .binary_search_by(|(known, _)| known.as_ref().cmp(name))
    }
}

/// A registered user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Who.
    pub identifier: Identifier,
    /// What is known.
    pub properties: Properties,
}

impl User {
    /// Without properties.
    #[must_use]
    pub fn new(identifier: Identifier) -> Self {
        Self {
            identifier,
            properties: Properties::default(),
        }
    }

    /// Without properties, from bytes.
    ///
    /// # Errors
    /// The length is out of range.
    pub fn from_bytes(kind: IdentifierType, bytes: &[u8]) -> Result<Self, IdentifierError> {
        Identifier::new(kind, bytes).map(Self::new)
    }

    /// Without properties, from hexadecimal digits.
    ///
    /// # Errors
    /// See [`Identifier::parse`].
    pub fn from_text(kind: IdentifierType, text: &str) -> Result<Self, IdentifierError> {
        Identifier::parse(kind, text).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_made_of_an_identifier_bytes_or_text() {
        for kind in [IdentifierType::HwAddr, IdentifierType::Duid] {
            let bytes = [1, 2, 3, 0xab];
            let identifier = Identifier::new(kind, &bytes).unwrap();
            let user = User::new(identifier.clone());
            assert_eq!(user.identifier, identifier);
            assert_eq!(User::from_bytes(kind, &bytes), Ok(user.clone()));
            assert_eq!(User::from_text(kind, "01:02:03:AB"), Ok(user));
            assert!(User::from_bytes(kind, &[]).is_err());
            assert!(User::from_text(kind, "xyz").is_err());
        }
    }

    #[test]
    fn a_property_is_set_replaced_and_removed() {
        let mut properties = Properties::default();
        assert_eq!(properties.get("a"), "");
        properties.set("a", "1").unwrap();
        assert_eq!(properties.get("a"), "1");
        properties.set("a", "2").unwrap();
        assert_eq!(properties.get("a"), "2");
        properties.remove("a");
        assert_eq!(properties.get("a"), "");
        properties.remove("a");
    }

    #[test]
    fn a_property_needs_a_name_and_may_be_empty() {
        let mut properties = Properties::default();
        assert_eq!(properties.set("", "1"), Err(BlankName));
        assert_eq!(properties.set("a", ""), Ok(()));
        assert_eq!(properties.get("a"), "");
    }

    #[test]
    fn all_properties_are_replaced_at_once() {
        let mut user = User::from_text(IdentifierType::HwAddr, "01").unwrap();
        user.properties.set("old", "1").unwrap();
        let mut new = Properties::default();
        new.set("b", "2").unwrap();
        new.set("a", "1").unwrap();
        user.properties = new.clone();
        assert_eq!(user.properties, new);
        assert_eq!(user.properties.get("old"), "");
        assert_eq!(user.properties.get("a"), "1");
        assert_eq!(user.properties.get("b"), "2");
    }
}
