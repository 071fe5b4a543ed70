//! Server identifiers, kept once each.

/// More different servers than this are not believed.
const MOST: usize = 64;

/// The identifiers seen so far.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    known: Vec<Box<[u8]>>,
}

impl Servers {
    /// The number of this identifier; `None` when there are too many.
    pub(crate) fn number(&mut self, id: &[u8]) -> Option<u8> {
        let number = match self.known.iter().position(|known| **known == *id) {
            Some(number) => number,
            None if self.known.len() == MOST => return None,
            None => {
                self.known.push(id.into());
                self.known.len() - 1
            }
        };
        u8::try_from(number).ok()
    }

    /// The identifier with this number.
    pub(crate) fn id(&self, number: u8) -> &[u8] {
        &self.known[usize::from(number)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_keeps_its_number_and_their_count_is_bounded() {
        let mut servers = Servers::default();
        for id in 0..64 {
            assert_eq!(servers.number(&[id]), Some(id));
        }
        assert_eq!(servers.number(&[99]), None);
        assert_eq!(servers.number(&[7]), Some(7));
        assert_eq!(servers.id(7), [7]);
    }
}
