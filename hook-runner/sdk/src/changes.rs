//! What a callout may change, by hook point.

use crate::points::{
    AddressesResponse, ChangesLease, EditsIa, EditsQuery, EditsResponse, Family, IdentifiesHost,
    JoinsClass, NamesClient, PacketPoint, RefusesConfiguration, ReplacesQuery, ReplacesResponse,
    ReportsAddressInUse, SelectsSubnet, V4, V6,
};
use crate::{Call, OptionEdits};
use bytes::Bytes;
use outrigger_proto::{NextStep, v1};

impl<P: EditsQuery> Call<'_, P> {
    /// Changes options of the client's packet.
    ///
    /// ```
    /// # use outrigger_hook_sdk::{Call, HookError, points::Pkt4Receive};
    /// /// Forgets which options the client asked for.
    /// fn forget(call: &mut Call<'_, Pkt4Receive>) {
    ///     call.query_options().remove([55]);
    /// }
    /// ```
    pub fn query_options(&mut self) -> OptionEdits<'_> {
        OptionEdits::new(P::Family::options(self.query_changes()))
    }

    /// Changes the client's packet: message type, in DHCPv4 also other header fields.
    pub fn query_changes(&mut self) -> &mut <P::Family as Family>::PacketChanges {
        P::Family::query(self.changes()).get_or_insert_default()
    }
}

impl<P: EditsQuery + PacketPoint<Family = V4>> Call<'_, P> {
    /// Has the server take this for the client's hardware address. `htype` is IANA's, 1 for Ethernet; `address` has at
    /// most 20 bytes.
    pub fn set_hw_address(&mut self, htype: u32, address: impl Into<Bytes>) {
        self.query_changes().hw_address = Some(v1::HwAddress {
            htype,
            address: address.into(),
        });
    }
}

impl<P: EditsQuery + PacketPoint<Family = V6>> Call<'_, P> {
    /// Changes options that a relay sent. `relay` is an index into the relays of the query: 0 is the one nearest the
    /// server.
    ///
    /// ```
    /// # use outrigger_hook_sdk::{Call, points::Pkt6Receive};
    /// /// Forgets the interface-id of the relay nearest the server.
    /// fn forget(call: &mut Call<'_, Pkt6Receive>) {
    ///     call.query_relay_options(0).remove([18]);
    /// }
    /// ```
    pub fn query_relay_options(&mut self, relay: u32) -> OptionEdits<'_> {
        OptionEdits::of_relay(&mut self.query_changes().relay_options, relay)
    }
}

impl<P: EditsResponse> Call<'_, P> {
    /// Changes options of the server's packet.
    ///
    /// ```
    /// # use outrigger_hook_sdk::{Call, points::Pkt6Send};
    /// /// The boot file of CableLabs modems (enterprise 4491).
    /// fn boot(call: &mut Call<'_, Pkt6Send>) {
    ///     call.response_options().of_enterprise(4491).set([17, 33], "modem.bin");
    /// }
    /// ```
    pub fn response_options(&mut self) -> OptionEdits<'_> {
        OptionEdits::new(P::Family::options(self.response_changes()))
    }

    /// Changes the server's packet: in DHCPv4 also header fields.
    ///
    /// ```
    /// # use outrigger_hook_sdk::{Call, points::Pkt4Send};
    /// fn boot(call: &mut Call<'_, Pkt4Send>) {
    ///     call.response_changes().file = Some("modem.bin".into());
    /// }
    /// ```
    pub fn response_changes(&mut self) -> &mut <P::Family as Family>::PacketChanges {
        P::Family::response(self.changes()).get_or_insert_default()
    }
}

impl<P: EditsResponse + PacketPoint<Family = V6>> Call<'_, P> {
    /// Changes options that go to a relay. `relay` is an index into the relays of the query: 0 is the one nearest the
    /// server.
    pub fn response_relay_options(&mut self, relay: u32) -> OptionEdits<'_> {
        OptionEdits::of_relay(&mut self.response_changes().relay_options, relay)
    }
}

impl<P: AddressesResponse> Call<'_, P> {
    /// Changes where the server's packet is sent to, and from.
    pub fn response_link(&mut self) -> &mut v1::LinkChanges {
        let response = P::Family::response(self.changes()).get_or_insert_default();
        P::Family::link(response).get_or_insert_default()
    }
}

impl<P: SelectsSubnet> Call<'_, P> {
    /// Has the server use this subnet instead of its own choice.
    pub fn select_subnet(&mut self, id: u32) {
        self.changes().subnet_id = Some(id);
    }

    /// Has the server go on as if it had found no subnet.
    pub fn select_no_subnet(&mut self) {
        self.select_subnet(0);
    }
}

impl<P: JoinsClass> Call<'_, P> {
    /// Makes the packet a member of a client class. Classes that were decided before are not decided again.
    pub fn join_class(&mut self, class: impl Into<String>) {
        let changes = P::Family::query(self.changes()).get_or_insert_default();
        P::Family::classes(changes).push(class.into());
    }

    /// Has the server decide, once the lease is known, whether the packet is a member of this class.
    pub fn join_additional_class(&mut self, class: impl Into<String>) {
        let changes = P::Family::query(self.changes()).get_or_insert_default();
        P::Family::additional_classes(changes).push(class.into());
    }
}

impl<P: ChangesLease> Call<'_, P> {
    /// Changes the lease: which fields, the table of hook points says.
    ///
    /// ```
    /// # use outrigger_hook_sdk::{Call, points::Lease4Select};
    /// /// Leases of guests end after ten minutes.
    /// fn guest(call: &mut Call<'_, Lease4Select>) {
    ///     call.lease_changes().valid_lifetime = Some(600);
    /// }
    /// ```
    pub fn lease_changes(&mut self) -> &mut v1::LeaseChanges {
        self.changes().lease.get_or_insert_default()
    }
}

impl<P: EditsIa> Call<'_, P> {
    /// Changes options of the IA that answers the client. Addresses and lifetimes are those of the lease.
    pub fn ia_options(&mut self) -> OptionEdits<'_> {
        OptionEdits::new(&mut self.changes().ia_options)
    }
}

impl<P: NamesClient> Call<'_, P> {
    /// Changes the client's name and which DNS updates are done for it.
    ///
    /// ```
    /// # use outrigger_hook_sdk::{Call, points::Ddns6Update};
    /// fn name(call: &mut Call<'_, Ddns6Update>) {
    ///     call.name_changes().hostname = Some("printer-7.example.org.".to_owned());
    /// }
    /// ```
    pub fn name_changes(&mut self) -> &mut v1::NameChanges {
        self.changes().names.get_or_insert_default()
    }
}

impl<P: IdentifiesHost> Call<'_, P> {
    /// Looks for host reservations under this flexible identifier; empty is none.
    ///
    /// ```
    /// # use outrigger_hook_sdk::{Call, HookError, points::Host4Identifier};
    /// /// Clients are known by port: relay agent option 82.1.
    /// fn by_port(call: &mut Call<'_, Host4Identifier>) -> Result<(), HookError> {
    ///     let relayed = call.query()?.options.iter().find(|option| option.code == 82);
    ///     // Code 1 and its length come first.
    ///     if let Some(port) = relayed.and_then(|option| option.data.get(2..)) {
    ///         call.identify(port.to_vec());
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn identify(&mut self, identifier: impl Into<Bytes>) {
        self.changes().host_identifier = Some(identifier.into());
    }

    /// As [`identify`](Call::identify), for reservations that go by another type.
    pub fn identify_as(
        &mut self,
        identifier_type: v1::IdentifierType,
        identifier: impl Into<Bytes>,
    ) {
        self.identify(identifier);
        self.changes().host_identifier_type = Some(identifier_type.into());
    }
}

impl<P: ReplacesQuery> Call<'_, P> {
    /// Has the server decode this datagram instead of the received one.
    pub fn replace_query(&mut self, datagram: impl Into<Bytes>) {
        let changes = P::Family::query(self.changes()).get_or_insert_default();
        *P::Family::wire(changes) = Some(datagram.into());
    }

    /// Has the server take this packet and not decode the datagram at all: the next step is SKIP. Transaction id, relays
    /// and addresses stay those of the datagram.
    ///
    /// ```
    /// # use outrigger_hook_sdk::{Call, points::Buffer4Receive, testing::packet4};
    /// /// Whatever came, it is a DISCOVER.
    /// fn discover(call: &mut Call<'_, Buffer4Receive>) {
    ///     call.replace_query_parsed(packet4(1, [2, 0, 0, 0, 0, 1], &[]));
    /// }
    /// ```
    pub fn replace_query_parsed(&mut self, packet: <P::Family as Family>::Packet) {
        let changes = P::Family::query(self.changes()).get_or_insert_default();
        *P::Family::parsed(changes) = Some(packet);
        self.set_next_step(NextStep::Skip);
    }
}

impl<P: ReplacesResponse> Call<'_, P> {
    /// Has the server send this datagram. At `pktN_send` it takes effect together with [`skip`](Call::skip).
    pub fn replace_response(&mut self, datagram: impl Into<Bytes>) {
        let changes = P::Family::response(self.changes()).get_or_insert_default();
        *P::Family::wire(changes) = Some(datagram.into());
    }
}

impl<P: ReportsAddressInUse> Call<'_, P> {
    /// Says, after [`park`](Call::park), whether somebody else uses the offered address.
    pub fn report_address_in_use(&mut self, in_use: bool) {
        self.changes().offer_address_in_use = Some(in_use);
    }
}

impl<P: RefusesConfiguration> Call<'_, P> {
    /// Has the server refuse the configuration. The text goes to its operator: say what is wrong and what to do.
    ///
    /// ```
    /// # use outrigger_hook_sdk::{Call, HookError, points::Dhcp4SrvConfigured};
    /// fn wants_leases_of_a_day(call: &mut Call<'_, Dhcp4SrvConfigured>) -> Result<(), HookError> {
    ///     if call.configuration()?["valid-lifetime"] != 86400 {
    ///         call.refuse_configuration("valid-lifetime has to be 86400");
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn refuse_configuration(&mut self, text: impl Into<String>) {
        self.changes().error = Some(text.into());
        self.set_next_step(NextStep::Drop);
    }
}
