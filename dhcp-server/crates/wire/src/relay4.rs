//! Sub-options of DHCPv4 option 82, relay agent information (RFC 3046). Each view gives the first instance, and
//! `None` where it is absent, of wrong length, or behind something malformed.

use crate::options::sub_option4;
use std::net::Ipv4Addr;

/// Sub-option 1: the circuit the client is on, in the relay's terms (RFC 3046 §3.1).
#[must_use]
pub fn circuit_id(relay_info: &[u8]) -> Option<&[u8]> {
    sub_option4(relay_info, 1)
}

/// Sub-option 2: the remote end of the circuit (RFC 3046 §3.2).
#[must_use]
pub fn remote_id(relay_info: &[u8]) -> Option<&[u8]> {
    sub_option4(relay_info, 2)
}

/// Sub-option 5: an address of the subnet the client is on; goes before `giaddr` (RFC 3527).
#[must_use]
pub fn link_selection(relay_info: &[u8]) -> Option<Ipv4Addr> {
    address(relay_info, 5)
}

/// Sub-option 6 (RFC 3993).
#[must_use]
pub fn subscriber_id(relay_info: &[u8]) -> Option<&[u8]> {
    sub_option4(relay_info, 6)
}

/// Sub-option 11: the address to give as server identifier, so that renewals pass the relay (RFC 5107).
#[must_use]
pub fn server_id_override(relay_info: &[u8]) -> Option<Ipv4Addr> {
    address(relay_info, 11)
}

/// Sub-option 12: the relay's own identifier (RFC 6925).
#[must_use]
pub fn relay_id(relay_info: &[u8]) -> Option<&[u8]> {
    sub_option4(relay_info, 12)
}

fn address(relay_info: &[u8], code: u16) -> Option<Ipv4Addr> {
    let bytes: [u8; 4] = sub_option4(relay_info, code)?.try_into().ok()?;
    Some(Ipv4Addr::from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_view_reads_its_own_sub_option() {
        let info = [
            1, 2, 10, 11, 2, 1, 20, 5, 4, 192, 0, 2, 0, 6, 1, 60, 11, 4, 192, 0, 2, 1, 12, 1, 120,
            151, 1, 0,
        ];
        assert_eq!(circuit_id(&info), Some(&[10, 11][..]));
        assert_eq!(remote_id(&info), Some(&[20][..]));
        assert_eq!(link_selection(&info), Some(Ipv4Addr::new(192, 0, 2, 0)));
        assert_eq!(subscriber_id(&info), Some(&[60][..]));
        assert_eq!(server_id_override(&info), Some(Ipv4Addr::new(192, 0, 2, 1)));
        assert_eq!(relay_id(&info), Some(&[120][..]));
    }

    #[test]
    fn what_stands_before_a_malformed_sub_option_is_still_read() {
        let info = [1, 1, 7, 5, 3, 192, 0, 2, 2, 200, 9];
        assert_eq!(circuit_id(&info), Some(&[7][..]));
        assert_eq!(link_selection(&info), None);
        assert_eq!(remote_id(&info), None);
    }
}
