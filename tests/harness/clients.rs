//! Real DHCP clients, each with files of its own and a script that records what it got.

mod dhclient;
mod dhcpcd;
mod events;
mod udhcpc;

pub use dhclient::Dhclient;
pub use dhcpcd::{Dhcpcd, DhcpcdWants};
pub use events::{Event, Events};
pub use udhcpc::Udhcpc;
