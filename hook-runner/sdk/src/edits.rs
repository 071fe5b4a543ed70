//! Edits of a packet's options.

use bytes::Bytes;
use outrigger_proto::v1;
use outrigger_proto::v1::option_edit::Action;

/// Option edits of one packet, of one of its relay layers or of an IA, applied by the server in order.
///
/// A path is the option's code, then the code of a sub-option in it, and so on: `[17, 33]` is sub-option 33 of DHCPv6
/// option 17. Options on the way must exist in the packet, or the server refuses the whole reply.
#[derive(Debug)]
pub struct OptionEdits<'a> {
    edits: Edits<'a>,
    enterprise: u32,
}

/// Where the edits go.
#[derive(Debug)]
enum Edits<'a> {
    Own(&'a mut Vec<v1::OptionEdit>),
    OfRelay(&'a mut Vec<v1::RelayOptionEdit>, u32),
}

impl<'a> OptionEdits<'a> {
    pub(crate) fn new(edits: &'a mut Vec<v1::OptionEdit>) -> Self {
        Self {
            edits: Edits::Own(edits),
            enterprise: 0,
        }
    }

    pub(crate) fn of_relay(edits: &'a mut Vec<v1::RelayOptionEdit>, relay: u32) -> Self {
        Self {
            edits: Edits::OfRelay(edits, relay),
            enterprise: 0,
        }
    }

    /// Enters only the instance of this enterprise, of DHCPv4 option 124 or 125 or DHCPv6 option 16 or 17. Without it
    /// the first instance is entered.
    #[must_use]
    pub fn of_enterprise(self, enterprise: u32) -> Self {
        Self { enterprise, ..self }
    }

    /// Replaces the option; where there is none, appends it. Empty data is an empty option.
    pub fn set(&mut self, path: impl AsRef<[u32]>, data: impl Into<Bytes>) -> &mut Self {
        self.push(Action::Set, path.as_ref(), data.into())
    }

    /// Appends another instance.
    pub fn add(&mut self, path: impl AsRef<[u32]>, data: impl Into<Bytes>) -> &mut Self {
        self.push(Action::Add, path.as_ref(), data.into())
    }

    /// Removes every instance; nothing happens where there is none.
    pub fn remove(&mut self, path: impl AsRef<[u32]>) -> &mut Self {
        self.push(Action::Remove, path.as_ref(), Bytes::new())
    }

    fn push(&mut self, action: Action, path: &[u32], data: Bytes) -> &mut Self {
        let edit = v1::OptionEdit {
            action: action.into(),
            path: path.to_vec(),
            enterprise: self.enterprise,
            data,
        };
        match &mut self.edits {
            Edits::Own(edits) => edits.push(edit),
            Edits::OfRelay(edits, relay) => edits.push(v1::RelayOptionEdit {
                relay: *relay,
                edit: Some(edit),
            }),
        }
        self
    }
}
