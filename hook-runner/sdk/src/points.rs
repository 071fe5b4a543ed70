//! The hook points as types, so that a callout can do what its hook point allows and nothing else.
//!
//! One table below; [`Callouts`](crate::Callouts) and its dispatch are made from the same one. A test holds it equal to
//! the table of hook points of the protocol.

use outrigger_proto::{HookPoint, v1};

/// Calls the macro `$with` on the table of hook points: type, method, family of its packet (`Server`: it has none),
/// arguments, and what a callout may do.
macro_rules! table {
    ($with:ident) => {
        $with! {
            Buffer4Receive buffer4_receive V4 Query4Arguments [JoinsClass ReplacesQuery];
            Pkt4Receive pkt4_receive V4 Query4Arguments [EditsQuery JoinsClass];
            Subnet4Select subnet4_select V4 Subnet4SelectArguments [JoinsClass Parks SelectsSubnet];
            Host4Identifier host4_identifier V4 Host4IdentifierArguments [IdentifiesHost JoinsClass];
            Ddns4Update ddns4_update V4 Ddns4UpdateArguments [EditsResponse JoinsClass NamesClient];
            Lease4Select lease4_select V4 Lease4SelectArguments [ChangesLease JoinsClass];
            Lease4Renew lease4_renew V4 Lease4Arguments [ChangesLease JoinsClass];
            Lease4Release lease4_release V4 Lease4Arguments [JoinsClass];
            Lease4Decline lease4_decline V4 Lease4Arguments [JoinsClass];
            Lease4Offer lease4_offer V4 Lease4OfferArguments [AddressesResponse EditsResponse JoinsClass Parks ReportsAddressInUse];
            Lease4ServerDecline lease4_server_decline V4 Lease4Arguments [];
            Leases4Committed leases4_committed V4 Leases4CommittedArguments [AddressesResponse EditsResponse JoinsClass Parks];
            Pkt4Send pkt4_send V4 Response4Arguments [AddressesResponse EditsResponse JoinsClass ReplacesResponse];
            Buffer4Send buffer4_send V4 Response4Arguments [AddressesResponse ReplacesResponse];
            Lease4Expire lease4_expire V4 ExpiredLeaseArguments [ChangesLease];
            Lease4Recover lease4_recover V4 ExpiredLeaseArguments [];
            Dhcp4SrvConfigured dhcp4_srv_configured Server ServerConfiguredArguments [RefusesConfiguration];
            Cb4Updated cb4_updated Server ConfigurationUpdatedArguments [];
            Buffer6Receive buffer6_receive V6 Query6Arguments [JoinsClass ReplacesQuery];
            Pkt6Receive pkt6_receive V6 Query6Arguments [EditsQuery JoinsClass];
            Subnet6Select subnet6_select V6 Subnet6SelectArguments [JoinsClass Parks SelectsSubnet];
            Host6Identifier host6_identifier V6 Host6IdentifierArguments [IdentifiesHost JoinsClass];
            Ddns6Update ddns6_update V6 Ddns6UpdateArguments [EditsResponse JoinsClass NamesClient];
            Lease6Select lease6_select V6 Lease6SelectArguments [ChangesLease JoinsClass];
            Lease6Renew lease6_renew V6 Lease6Arguments [ChangesLease EditsIa JoinsClass];
            Lease6Rebind lease6_rebind V6 Lease6Arguments [ChangesLease EditsIa JoinsClass];
            Lease6Release lease6_release V6 Lease6Arguments [JoinsClass];
            Lease6Decline lease6_decline V6 Lease6Arguments [JoinsClass];
            Addr6Register addr6_register V6 Addr6RegisterArguments [AddressesResponse ChangesLease EditsResponse JoinsClass];
            Leases6Committed leases6_committed V6 Leases6CommittedArguments [AddressesResponse EditsResponse JoinsClass Parks];
            Pkt6Send pkt6_send V6 Response6Arguments [AddressesResponse EditsResponse JoinsClass ReplacesResponse];
            Buffer6Send buffer6_send V6 Response6Arguments [AddressesResponse ReplacesResponse];
            Lease6Expire lease6_expire V6 ExpiredLeaseArguments [ChangesLease];
            Lease6Recover lease6_recover V6 ExpiredLeaseArguments [];
            Dhcp6SrvConfigured dhcp6_srv_configured Server ServerConfiguredArguments [RefusesConfiguration];
            Cb6Updated cb6_updated Server ConfigurationUpdatedArguments [];
            CommandProcessed command_processed Server CommandProcessedArguments [AnswersCommand];
            Command command Server CommandArguments [AnswersCommand];
        }
    };
}
pub(crate) use table;

mod sealed {
    pub trait Sealed {}
}

/// A hook point as a type. Implemented by the types of this module only.
pub trait Point: sealed::Sealed + Send + Sync + 'static {
    /// What the server hands over.
    type Arguments: Clone + Send + Sync + 'static;
    /// Which row of the table.
    const HOOK_POINT: HookPoint;

    /// The arguments as they travel in a request.
    fn wrap(arguments: Self::Arguments) -> v1::Arguments;
}

/// A hook point of a packet or a lease.
pub trait PacketPoint: Point {
    /// Whose packets.
    type Family: Family;
}

macro_rules! packet_point {
    ($point:ident Server) => {};
    ($point:ident $family:ident) => {
        impl PacketPoint for $point {
            type Family = $family;
        }
    };
}

/// A DHCP family: what its packets are, and where a reply has their changes.
pub trait Family: sealed::Sealed + Send + Sync + 'static {
    /// A packet of it.
    type Packet;
    /// What a reply changes of one.
    type PacketChanges: Default;

    /// Where the changes of the query are.
    fn query(changes: &mut v1::Changes) -> &mut Option<Self::PacketChanges>;
    /// Where the changes of the response are.
    fn response(changes: &mut v1::Changes) -> &mut Option<Self::PacketChanges>;
    /// The option edits of a packet's changes.
    fn options(changes: &mut Self::PacketChanges) -> &mut Vec<v1::OptionEdit>;
    /// The classes to join.
    fn classes(changes: &mut Self::PacketChanges) -> &mut Vec<String>;
    /// The classes to be decided once the lease is known.
    fn additional_classes(changes: &mut Self::PacketChanges) -> &mut Vec<String>;
    /// Where the packet goes.
    fn link(changes: &mut Self::PacketChanges) -> &mut Option<v1::LinkChanges>;
    /// The packet to take instead of what the datagram says.
    fn parsed(changes: &mut Self::PacketChanges) -> &mut Option<Self::Packet>;
    /// The datagram to take instead.
    fn wire(changes: &mut Self::PacketChanges) -> &mut Option<bytes::Bytes>;
}

macro_rules! families {
    ($($family:ident $packet:ident $changes:ident $query:ident $response:ident $text:literal;)+) => {$(
        #[doc = $text]
        #[derive(Debug, Clone, Copy)]
        pub enum $family {}

        impl sealed::Sealed for $family {}

        impl Family for $family {
            type Packet = v1::$packet;
            type PacketChanges = v1::$changes;

            fn query(changes: &mut v1::Changes) -> &mut Option<v1::$changes> {
                &mut changes.$query
            }

            fn response(changes: &mut v1::Changes) -> &mut Option<v1::$changes> {
                &mut changes.$response
            }

            fn options(changes: &mut v1::$changes) -> &mut Vec<v1::OptionEdit> {
                &mut changes.options
            }

            fn classes(changes: &mut v1::$changes) -> &mut Vec<String> {
                &mut changes.add_classes
            }

            fn additional_classes(changes: &mut v1::$changes) -> &mut Vec<String> {
                &mut changes.add_additional_classes
            }

            fn link(changes: &mut v1::$changes) -> &mut Option<v1::LinkChanges> {
                &mut changes.link
            }

            fn parsed(changes: &mut v1::$changes) -> &mut Option<v1::$packet> {
                &mut changes.parsed
            }

            fn wire(changes: &mut v1::$changes) -> &mut Option<bytes::Bytes> {
                &mut changes.wire
            }
        }
    )+};
}

families! {
    V4 Packet4 Packet4Changes query4 response4 "DHCPv4.";
    V6 Packet6 Packet6Changes query6 response6 "DHCPv6.";
}

/// Arguments with the client's packet.
pub trait CarriesQuery {
    /// Of which family.
    type Packet;
    /// The client's packet. A server sends it at every hook point that has one.
    fn query(&self) -> Option<&Self::Packet>;
}

/// Arguments with the server's packet.
pub trait CarriesResponse {
    /// Of which family.
    type Packet;
    /// The server's packet, where the hook point has one for this message.
    fn response(&self) -> Option<&Self::Packet>;
}

macro_rules! carries {
    ($trait:ident $method:ident: $($arguments:ident $packet:ident;)+) => {$(
        impl $trait for v1::$arguments {
            type Packet = v1::$packet;

            fn $method(&self) -> Option<&v1::$packet> {
                self.$method.as_ref()
            }
        }
    )+};
}

carries! { CarriesQuery query:
    Query4Arguments Packet4;
    Subnet4SelectArguments Packet4;
    Host4IdentifierArguments Packet4;
    Ddns4UpdateArguments Packet4;
    Lease4SelectArguments Packet4;
    Lease4Arguments Packet4;
    Lease4OfferArguments Packet4;
    Leases4CommittedArguments Packet4;
    Response4Arguments Packet4;
    Query6Arguments Packet6;
    Subnet6SelectArguments Packet6;
    Host6IdentifierArguments Packet6;
    Ddns6UpdateArguments Packet6;
    Lease6SelectArguments Packet6;
    Lease6Arguments Packet6;
    Addr6RegisterArguments Packet6;
    Leases6CommittedArguments Packet6;
    Response6Arguments Packet6;
}

carries! { CarriesResponse response:
    Ddns4UpdateArguments Packet4;
    Lease4OfferArguments Packet4;
    Leases4CommittedArguments Packet4;
    Response4Arguments Packet4;
    Ddns6UpdateArguments Packet6;
    Addr6RegisterArguments Packet6;
    Leases6CommittedArguments Packet6;
    Response6Arguments Packet6;
}

macro_rules! abilities {
    ($($(#[doc = $doc:literal])+ $ability:ident: $of:ident;)+) => {$(
        $(#[doc = $doc])+
        pub trait $ability: $of {}
    )+};
}

abilities! {
    /// Hook points where the destination of the server's packet may change: `response.link`.
    AddressesResponse: PacketPoint;
    /// Hook points that ask for the answer to a control command: `command-response`.
    AnswersCommand: Point;
    /// Hook points where the lease may change: `lease.*`, each as the table of hook points says.
    ChangesLease: PacketPoint;
    /// Hook points where options of the reply's IA may change: `ia.options`.
    EditsIa: PacketPoint;
    /// Hook points where the client's packet may change: options, header, in DHCPv4 the hardware address, in DHCPv6 what
    /// the relays added.
    EditsQuery: PacketPoint;
    /// Hook points where the server's packet may change: options, in DHCPv4 the header, in DHCPv6 what
    /// goes to the relays.
    EditsResponse: PacketPoint;
    /// Hook points that ask for a host identifier: `identifier`.
    IdentifiesHost: PacketPoint;
    /// Hook points where the packet may join client classes: `query.classes`.
    JoinsClass: PacketPoint;
    /// Hook points that ask for the client's name: `names`.
    NamesClient: PacketPoint;
    /// Hook points where the packet may be held.
    Parks: PacketPoint;
    /// Hook points where the received datagram may be replaced: `query.wire`, or with SKIP `query.parsed`.
    ReplacesQuery: PacketPoint;
    /// Hook points where the datagram to send may be replaced: `response.wire`.
    ReplacesResponse: PacketPoint;
    /// Hook points where a configuration may be refused: `error`.
    RefusesConfiguration: Point;
    /// Hook points where an offered address may turn out to be in use: `offer-address-in-use`.
    ReportsAddressInUse: PacketPoint;
    /// Hook points that ask for a subnet: `subnet`.
    SelectsSubnet: PacketPoint;
}

macro_rules! points {
    ($($point:ident $method:ident $family:ident $arguments:ident [$($ability:ident)*];)+) => {
        $(
            #[doc = concat!("The hook point `", stringify!($method), "`.")]
            #[derive(Debug, Clone, Copy)]
            pub enum $point {}

            impl sealed::Sealed for $point {}

            packet_point!($point $family);

            impl Point for $point {
                type Arguments = v1::$arguments;
                const HOOK_POINT: HookPoint = HookPoint::$point;

                fn wrap(arguments: v1::$arguments) -> v1::Arguments {
                    v1::Arguments {
                        point: Some(v1::arguments::Point::$point(arguments)),
                    }
                }
            }

            $(impl $ability for $point {})*
        )+

        /// Which hook point these are the arguments of.
        pub(crate) fn of_arguments(arguments: &v1::arguments::Point) -> HookPoint {
            match arguments {
                $(v1::arguments::Point::$point(_) => HookPoint::$point,)+
            }
        }

        /// What the trial of each hook point says of a service without callouts.
        #[cfg(test)]
        async fn try_each(callouts: &impl crate::Callouts) -> Vec<Result<v1::CalloutResult, String>> {
            vec![$(crate::testing::Trial::<$point>::new(Default::default()).run(callouts).await,)+]
        }

        #[cfg(test)]
        const ROWS: &[(HookPoint, &str, &[&str])] = &[
            $((HookPoint::$point, stringify!($method), &[$(stringify!($ability)),*]),)+
        ];
    };
}

table!(points);

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn ability_for(change: &str) -> &'static str {
        match change {
            "query.wire" | "query.parsed" => "ReplacesQuery",
            "query.classes" => "JoinsClass",
            "query.options" | "query.header" | "query.hw-address" | "query.relays" => "EditsQuery",
            "response.options" | "response.header" | "response.relays" => "EditsResponse",
            "response.wire" => "ReplacesResponse",
            "response.link" => "AddressesResponse",
            "ia.options" => "EditsIa",
            "error" => "RefusesConfiguration",
            "command-response" => "AnswersCommand",
            "subnet" => "SelectsSubnet",
            "identifier" => "IdentifiesHost",
            "names" => "NamesClient",
            "offer-address-in-use" => "ReportsAddressInUse",
            lease if lease.starts_with("lease.") => "ChangesLease",
            other => panic!("{other} is new: which ability is it?"),
        }
    }

    #[test]
    fn a_callout_may_do_what_the_table_of_hook_points_lists() {
        let named: Vec<_> = ROWS.iter().map(|row| row.0).collect();
        assert_eq!(named, HookPoint::ALL);
        for (point, method, abilities) in ROWS {
            assert_eq!(*method, point.name().trim_start_matches('$'));
            let spec = point.spec();
            let mut expected: BTreeSet<_> = spec.changes.iter().map(|c| ability_for(c)).collect();
            if point.can_park() {
                expected.insert("Parks");
            }
            assert_eq!(
                abilities.iter().copied().collect::<BTreeSet<_>>(),
                expected,
                "{point}"
            );
        }
    }

    struct Nothing;

    impl crate::Callouts for Nothing {}

    #[tokio::test]
    async fn every_hook_point_can_be_tried() {
        let said = Box::pin(try_each(&Nothing)).await;
        let expected: Vec<_> = HookPoint::ALL
            .iter()
            .map(|point| format!("the service subscribed to {point} but has no callout for it"))
            .map(Err)
            .collect();
        assert_eq!(said, expected);
    }
}
