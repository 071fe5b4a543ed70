//! Bytes of one message, cut from few allocations.

use bytes::{Bytes, BytesMut};
use std::net::{Ipv4Addr, SocketAddr};

/// Room for the options of an ordinary packet.
const CAPACITY: usize = 1024;

/// Copies the byte fields of one message, one behind the other.
pub(crate) struct Payloads(BytesMut);

impl Payloads {
    pub(crate) fn new() -> Self {
        Self(BytesMut::with_capacity(CAPACITY))
    }

    pub(crate) fn copy(&mut self, bytes: &[u8]) -> Bytes {
        if bytes.is_empty() {
            return Bytes::new();
        }
        self.0.extend_from_slice(bytes);
        self.0.split().freeze()
    }

    /// Empty for 0.0.0.0.
    pub(crate) fn ipv4(&mut self, address: Ipv4Addr) -> Bytes {
        if address.is_unspecified() {
            return Bytes::new();
        }
        self.copy(&address.octets())
    }

    pub(crate) fn ip(&mut self, address: SocketAddr) -> Bytes {
        match address {
            SocketAddr::V4(v4) => self.copy(&v4.ip().octets()),
            SocketAddr::V6(v6) => self.copy(&v6.ip().octets()),
        }
    }
}
