//! What a client got, against what it has to get.

use std::fmt::{self, Display};
use std::net::{Ipv4Addr, Ipv6Addr};

use outrigger_lab::user_chk::option17;
use outrigger_testkit::client4::message;
use outrigger_testkit::{Reply4Seen, Reply6Seen};

/// The file that the configurations name.
pub(crate) const CONFIGURED: &str = "/tmp/bootfile-from-config";

/// Fails the demo where a client got something else.
#[track_caller]
pub(crate) fn must_get<T: PartialEq + Display>(client: &str, got: &T, expected: &T) {
    assert!(
        got == expected,
        "{client} must get {expected}; it gets {got}"
    );
}

/// What matters of a DHCPv6 answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Got6 {
    pub(crate) granted: Vec<Ipv6Addr>,
    pub(crate) withdrawn: Vec<Ipv6Addr>,
    /// Of the first IA; 0 is success.
    pub(crate) status: u16,
    /// Option 17, from code to last byte.
    pub(crate) option17: Option<Vec<u8>>,
}

impl Got6 {
    pub(crate) fn of(reply: &Reply6Seen) -> Self {
        let addresses = |living: bool| {
            let of_kind = reply.addresses().filter(|a| (a.valid > 0) == living);
            of_kind.map(|address| address.address).collect()
        };
        let status = reply.ias().first().and_then(|ia| ia.status.as_ref());
        Self {
            granted: addresses(true),
            withdrawn: addresses(false),
            status: status.map_or(0, |status| status.code),
            option17: reply.option(17).map(|data| {
                let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
                [&[0, 17], &length.to_be_bytes(), data].concat()
            }),
        }
    }

    /// One address, nothing withdrawn, and this boot file.
    pub(crate) fn address(address: Ipv6Addr, bootfile: &str) -> Self {
        Self {
            granted: vec![address],
            withdrawn: Vec::new(),
            status: 0,
            option17: Some(option17(bootfile)),
        }
    }

    pub(crate) fn withdrawing(self, address: Ipv6Addr) -> Self {
        Self {
            withdrawn: vec![address],
            ..self
        }
    }

    /// No address, and this boot file.
    pub(crate) fn no_address(status: u16, bootfile: &str) -> Self {
        Self {
            granted: Vec::new(),
            withdrawn: Vec::new(),
            status,
            option17: Some(option17(bootfile)),
        }
    }
}

impl Display for Got6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.granted.iter().map(ToString::to_string));
        parts.extend(self.withdrawn.iter().map(|a| format!("{a} withdrawn")));
        match self.status {
            0 => {}
            2 => parts.push("no address (NoAddrsAvail)".to_owned()),
            other => parts.push(format!("no address (status {other})")),
        }
        if let Some(option) = &self.option17 {
            let text = option.get(12..).unwrap_or_default();
            parts.push(format!("boot file {}", String::from_utf8_lossy(text)));
        } else {
            parts.push("no boot file".to_owned());
        }
        f.write_str(&parts.join(", "))
    }
}

/// What matters of a DHCPv4 answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Got4 {
    message: u8,
    /// What is offered or leased.
    pub(crate) yiaddr: Ipv4Addr,
    /// Option 67, then the file field.
    bootfile: [String; 2],
    /// Option 66.
    tftp_server: String,
}

impl Got4 {
    pub(crate) fn of(reply: &Reply4Seen) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let option = |code| text(reply.option(code).unwrap_or_default());
        Self {
            message: reply.message_type,
            yiaddr: reply.yiaddr,
            bootfile: [option(67), text(&reply.file)],
            tftp_server: option(66),
        }
    }

    /// An address with this boot file, in both places, and this TFTP server.
    pub(crate) fn address(message: u8, yiaddr: Ipv4Addr, bootfile: &str, tftp: &str) -> Self {
        Self {
            message,
            yiaddr,
            bootfile: [bootfile.to_owned(), bootfile.to_owned()],
            tftp_server: tftp.to_owned(),
        }
    }

    /// A DHCPNAK.
    pub(crate) fn refused() -> Self {
        Self::address(message::NAK, Ipv4Addr::UNSPECIFIED, "", "")
    }
}

impl Display for Got4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = match self.message {
            message::OFFER => "OFFER",
            message::ACK => "ACK",
            message::NAK => return f.write_str("NAK"),
            _ => "an answer of another type",
        };
        let Self {
            yiaddr,
            bootfile: [option, field],
            tftp_server,
            ..
        } = self;
        write!(
            f,
            "{message}: {yiaddr}, boot file {option} (field {field}), TFTP server {tftp_server}"
        )
    }
}
