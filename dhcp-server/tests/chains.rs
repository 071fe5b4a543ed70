//! Two and three services at the hook points of one packet.

mod failures;
mod order;
mod parking;
pub(crate) mod services;
mod side;
