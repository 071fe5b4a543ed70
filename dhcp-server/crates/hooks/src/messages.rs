//! The messages of the protocol that carry arguments, with the arguments as bytes.
//!
//! On the wire they equal `v1::CalloutRequest`, `v1::CallBatch` and `v1::ServerMessage`: a message and its encoded
//! bytes have the same form inside another message. So arguments are encoded once and shared by all services.

use bytes::Bytes;
use outrigger_proto::v1;

/// `v1::CalloutRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CalloutRequest {
    #[prost(uint64, tag = "1")]
    pub(crate) id: u64,
    #[prost(int32, tag = "2")]
    pub(crate) hook_point: i32,
    #[prost(uint32, tag = "3")]
    pub(crate) budget_us: u32,
    #[prost(string, tag = "4")]
    pub(crate) packet_label: String,
    #[prost(string, tag = "5")]
    pub(crate) trace_parent: String,
    #[prost(int32, tag = "6")]
    pub(crate) status: i32,
    #[prost(bytes = "bytes", tag = "7")]
    pub(crate) context: Bytes,
    #[prost(uint64, tag = "8")]
    pub(crate) configuration_revision: u64,
    #[prost(bytes = "bytes", tag = "9")]
    pub(crate) arguments: Bytes,
    #[prost(uint32, tag = "10")]
    pub(crate) park_budget_us: u32,
}

/// `v1::CallBatch`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CallBatch {
    #[prost(message, repeated, tag = "1")]
    pub(crate) calls: Vec<CalloutRequest>,
}

/// `v1::ServerMessage`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ServerMessage {
    #[prost(oneof = "Message", tags = "1, 2, 3")]
    pub(crate) message: Option<Message>,
}

/// `v1::server_message::Message`.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Message {
    #[prost(message, tag = "1")]
    Hello(v1::Hello),
    #[prost(message, tag = "2")]
    Calls(CallBatch),
    #[prost(message, tag = "3")]
    Bye(v1::Bye),
}

impl From<Message> for ServerMessage {
    fn from(message: Message) -> Self {
        Self {
            message: Some(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message as _;

    #[test]
    fn a_batch_with_encoded_arguments_reads_as_the_protocols_batch() {
        let arguments = v1::Arguments {
            point: Some(v1::arguments::Point::Pkt4Receive(v1::Query4Arguments {
                query: Some(v1::Packet4 {
                    transaction_id: 7,
                    ..Default::default()
                }),
            })),
        };
        let ours = ServerMessage::from(Message::Calls(CallBatch {
            calls: vec![CalloutRequest {
                id: 1,
                hook_point: 2,
                budget_us: 3,
                packet_label: "label".to_owned(),
                trace_parent: "trace".to_owned(),
                status: 1,
                context: Bytes::from_static(b"context"),
                configuration_revision: 8,
                arguments: arguments.encode_to_vec().into(),
                park_budget_us: 10,
            }],
        }));
        let theirs = v1::ServerMessage {
            message: Some(v1::server_message::Message::Calls(v1::CallBatch {
                calls: vec![v1::CalloutRequest {
                    id: 1,
                    hook_point: 2,
                    budget_us: 3,
                    packet_label: "label".to_owned(),
                    trace_parent: "trace".to_owned(),
                    status: 1,
                    context: Bytes::from_static(b"context"),
                    configuration_revision: 8,
                    arguments: Some(arguments),
                    park_budget_us: 10,
                }],
            })),
        };
        assert_eq!(ours.encode_to_vec(), theirs.encode_to_vec());
        let hello = v1::Hello {
            instance_id: "i".to_owned(),
            configuration_revision: 2,
            service_name: "s".to_owned(),
        };
        assert_eq!(
            ServerMessage::from(Message::Hello(hello.clone())).encode_to_vec(),
            v1::ServerMessage {
                message: Some(v1::server_message::Message::Hello(hello))
            }
            .encode_to_vec()
        );
        assert_eq!(
            ServerMessage::from(Message::Bye(v1::Bye {})).encode_to_vec(),
            v1::ServerMessage {
                message: Some(v1::server_message::Message::Bye(v1::Bye {}))
            }
            .encode_to_vec()
        );
    }
}
