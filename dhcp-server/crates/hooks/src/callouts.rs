//! One struct per hook point: which part of a packet a service sees there, and how its changes are applied.

mod change4;
mod change6;
mod client;
mod common;
mod edit;
mod host;
mod identity;
mod lease;
mod link;
mod packet4;
mod packet6;
mod parsed4;
mod parsed6;
mod payloads;
pub mod server;
pub mod v4;
pub mod v6;

pub use client::{FlexIdentifier, Names};
pub use host::{host, identifier_kind};
pub use lease::{lease4, lease6};
pub use link::LinkOverride;

use crate::callout::Refused;
use bytes::Bytes;
use outrigger_proto::v1;
use outrigger_proto::v1::arguments::Point;
use outrigger_wire::buffer::Buffer;
use prost::Message;

fn encoded(point: Point) -> Bytes {
    let arguments = v1::Arguments { point: Some(point) };
    arguments.encode_to_vec().into()
}

/// What a service did not ask for is left out.
fn if_read<T: Default>(wanted: bool, value: T) -> T {
    if wanted { value } else { T::default() }
}

/// A subnet that a service chose; 0 is none.
fn known_subnet(id: u32, known: &[u32]) -> Result<Option<u32>, Refused> {
    match id {
        0 => Ok(None),
        id if known.binary_search(&id).is_ok() => Ok(Some(id)),
        id => Err(Refused::new("subnet", format!("there is no subnet {id}"))),
    }
}

/// A whole datagram that a service made.
fn datagram_bytes(path: &str, wire: &[u8]) -> Result<Buffer, Refused> {
    match wire.len() {
        0 => Err(Refused::new(path, "a datagram is not empty")),
        len if len > Buffer::CAPACITY => Err(Refused::new(
            path,
            format!("{len} bytes, at most {}", Buffer::CAPACITY),
        )),
        _ => Ok(Buffer::copy_of(wire)),
    }
}

#[cfg(test)]
mod tests;
