//! What a server must never do.

/// One kind of server error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Fault {
    /// An address was granted while another client holds it.
    DuplicateAddress,
    /// An answer that cannot be read, or without what its type must carry.
    Malformed,
    /// An answer without a server identifier (RFC 2131 table 3, RFC 8415 §16).
    MissingServerId,
    /// A grant of another address than the one offered or held.
    OtherAddress,
    /// The grant comes from another server than the one asked.
    OtherServer,
    /// A lease outside every `--expect-prefix`.
    OutsidePrefix,
    /// Option 82, or the relay header and interface-id, did not come back as sent.
    RelayEcho,
    /// An answer with our transaction but another client's identifiers, or a client nobody has.
    WrongClient,
    /// A message type that does not answer what was sent.
    WrongType,
    /// A transaction identifier that the client never sent.
    WrongXid,
}

impl Fault {
    /// Every kind, in the order of the report.
    pub(crate) const ALL: [Self; 10] = [
        Self::DuplicateAddress,
        Self::Malformed,
        Self::MissingServerId,
        Self::OtherAddress,
        Self::OtherServer,
        Self::OutsidePrefix,
        Self::RelayEcho,
        Self::WrongClient,
        Self::WrongType,
        Self::WrongXid,
    ];

    /// The key in the JSON report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::DuplicateAddress => "duplicate_address",
            Self::Malformed => "malformed",
            Self::MissingServerId => "missing_server_id",
            Self::OtherAddress => "other_address",
            Self::OtherServer => "other_server",
            Self::OutsidePrefix => "outside_prefix",
            Self::RelayEcho => "relay_echo",
            Self::WrongClient => "wrong_client",
            Self::WrongType => "wrong_type",
            Self::WrongXid => "wrong_xid",
        }
    }
}

/// How many sentences are kept for the reader; the rest is counted.
const EXAMPLES: usize = 20;

/// Server errors, counted by kind, the first ones with a sentence each.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    counts: [u64; Fault::ALL.len()],
    examples: Vec<String>,
}

impl Faults {
    /// Counts one; `describe` runs only while examples are still kept.
    pub(crate) fn add(&mut self, fault: Fault, describe: impl FnOnce() -> String) {
        self.counts[fault as usize] += 1;
        if self.examples.len() < EXAMPLES {
            self.examples
                .push(format!("{}: {}", fault.name(), describe()));
        }
    }

    /// How many of this kind.
    pub(crate) fn count(&self, fault: Fault) -> u64 {
        self.counts[fault as usize]
    }

    /// How many of all kinds.
    pub(crate) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The first ones, in words.
    pub(crate) fn examples(&self) -> &[String] {
        &self.examples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_counted_apart_and_examples_are_bounded() {
        let mut faults = Faults::default();
        for fault in Fault::ALL {
            for _ in 0..5 {
                faults.add(fault, || "x".to_owned());
            }
        }
        assert!(Fault::ALL.iter().all(|fault| faults.count(*fault) == 5));
        assert_eq!((faults.total(), faults.examples().len()), (50, EXAMPLES));
    }
}
