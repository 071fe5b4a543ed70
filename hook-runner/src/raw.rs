//! Messages of the protocol whose parts stay bytes, so that nothing is lost that this version does not know.
//!
//! A message and its encoded bytes have the same form inside another message.

use bytes::Bytes;
use prost::Message as _;

/// `ServerMessage`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ServerMessage {
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub(crate) hello: Option<Bytes>,
    #[prost(message, optional, tag = "2")]
    pub(crate) calls: Option<Batch>,
}

/// `ServiceMessage`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ServiceMessage {
    #[prost(message, optional, tag = "2")]
    pub(crate) replies: Option<Batch>,
}

/// `CallBatch` or `ReplyBatch`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Batch {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub(crate) messages: Vec<Bytes>,
}

/// `CalloutRequest`, without status, trace and arguments.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Call {
    #[prost(uint64, tag = "1")]
    pub(crate) id: u64,
    #[prost(int32, tag = "2")]
    pub(crate) hook_point: i32,
    #[prost(uint32, tag = "3")]
    pub(crate) budget_us: u32,
    #[prost(string, tag = "4")]
    pub(crate) packet_label: String,
    #[prost(bytes = "bytes", tag = "7")]
    pub(crate) context: Bytes,
    #[prost(uint64, tag = "8")]
    pub(crate) configuration_revision: u64,
    #[prost(uint32, tag = "10")]
    pub(crate) park_budget_us: u32,
}

/// What is put in place of fields of a `CalloutRequest`: of a field that is there twice the last one counts.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CallOverrides {
    #[prost(uint64, optional, tag = "1")]
    pub(crate) id: Option<u64>,
    #[prost(uint32, optional, tag = "3")]
    pub(crate) budget_us: Option<u32>,
    #[prost(bytes = "bytes", optional, tag = "7")]
    pub(crate) context: Option<Bytes>,
    #[prost(uint32, optional, tag = "10")]
    pub(crate) park_budget_us: Option<u32>,
}

impl CallOverrides {
    /// `call` with these fields.
    pub(crate) fn applied(&self, call: &[u8]) -> Vec<u8> {
        let mut bytes = call.to_vec();
        bytes.extend(self.encode_to_vec());
        bytes
    }
}

/// `LoadRequest` as far as it is recorded. What else there is, such as the token of the server's API, may be secret.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Load {
    #[prost(uint32, repeated, tag = "1")]
    pub(crate) protocol_versions: Vec<u32>,
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub(crate) server: Option<Bytes>,
    #[prost(uint64, tag = "3")]
    pub(crate) configuration_revision: u64,
    #[prost(string, tag = "4")]
    pub(crate) service_name: String,
    #[prost(string, tag = "5")]
    pub(crate) parameters: String,
    #[prost(bytes = "bytes", repeated, tag = "6")]
    pub(crate) subnets: Vec<Bytes>,
}
