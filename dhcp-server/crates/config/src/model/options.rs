//! Configured options, encoded.

use std::sync::Arc;

/// Options of one scope (global, shared network, subnet, pool, host).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OptionSet {
    /// Options of the family's own space (`dhcp4`, `dhcp6`), sub-options of their encapsulated spaces already inside,
    /// in ascending code; of one code the first counts.
    pub options: Vec<ConfiguredOption>,
    /// Options of the spaces `vendor-<enterprise>`, in ascending enterprise and code.
    pub vendor: Vec<VendorSubOption>,
}

/// One option, ready to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredOption {
    /// Option code.
    pub code: u16,
    /// Without code and length.
    pub payload: Arc<[u8]>,
    /// As if every client asked for it.
    pub always_send: bool,
    /// Not even to clients that ask for it; beats `always_send`.
    pub never_send: bool,
}

/// One sub-option of DHCPv4 option 125 or DHCPv6 option 17.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorSubOption {
    /// IANA enterprise number.
    pub enterprise: u32,
    /// Code, payload and when to send.
    pub option: ConfiguredOption,
}

impl OptionSet {
    /// The option of this code, where this scope has one.
    #[must_use]
    pub fn get(&self, code: u16) -> Option<&ConfiguredOption> {
        let at = self.options.partition_point(|option| option.code < code);
        self.options.get(at).filter(|option| option.code == code)
    }
}
