//! One call of a hook point, as a callout sees it.

use crate::HookError;
use crate::points::{
    CarriesQuery, CarriesResponse, ChangesLease, EditsQuery, EditsResponse, Family, IdentifiesHost,
    JoinsClass, NamesClient, Parks, Point, ReplacesQuery, ReplacesResponse, ReportsAddressInUse,
    SelectsSubnet,
};
use crate::run::Surroundings;
use bytes::Bytes;
use outrigger_proto::{MAX_CONTEXT, NextStep, v1};
use std::time::Duration;
use tokio::time::Instant;

/// One call of hook point `P`: what the server handed over, and the reply as far as it is made.
///
/// What a callout does not touch stays as it is in the server. The reply counts when the callout returns `Ok`; an
/// error discards it.
#[derive(Debug)]
pub struct Call<'a, P: Point> {
    request: &'a v1::CalloutRequest,
    arguments: &'a P::Arguments,
    status: NextStep,
    surroundings: &'a Surroundings,
    result: v1::CalloutResult,
}

impl<'a, P: Point> Call<'a, P> {
    pub(crate) fn new(
        request: &'a v1::CalloutRequest,
        arguments: &'a P::Arguments,
        status: NextStep,
        surroundings: &'a Surroundings,
    ) -> Self {
        Self {
            request,
            arguments,
            status,
            surroundings,
            result: v1::CalloutResult::default(),
        }
    }

    /// What the server handed over: as much of it as the service subscribed to.
    #[must_use]
    pub fn arguments(&self) -> &'a P::Arguments {
        self.arguments
    }

    /// Client and transaction, for logs.
    #[must_use]
    pub fn packet_label(&self) -> &'a str {
        &self.request.packet_label
    }

    /// W3C trace context; empty where the packet is not traced.
    #[must_use]
    pub fn trace_parent(&self) -> &'a str {
        &self.request.trace_parent
    }

    /// Which configuration of the server the packet is served by.
    #[must_use]
    pub fn configuration_revision(&self) -> u64 {
        self.request.configuration_revision
    }

    /// What the services before this one decided.
    #[must_use]
    pub fn status(&self) -> NextStep {
        self.status
    }

    /// Time left; `None` where the server set no limit.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        let deadline = self.surroundings.deadline?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// What this service put there at an earlier hook point of this packet, perhaps in another process or version of
    /// it; empty where it put nothing. It comes from the network: check it.
    #[must_use]
    pub fn context(&self) -> &'a Bytes {
        &self.request.context
    }

    /// Keeps `context` for later hook points of this packet. At most [`MAX_CONTEXT`] bytes; more fails the call.
    pub fn set_context(&mut self, context: impl Into<Bytes>) {
        self.result.context = Some(context.into());
    }

    /// Has the server leave out the step that follows. What that is differs by hook point.
    pub fn skip(&mut self) {
        self.set_next_step(NextStep::Skip);
    }

    /// Has the server abandon the packet, where the hook point allows it.
    pub fn drop_packet(&mut self) {
        self.set_next_step(NextStep::Drop);
    }

    /// Has the server log and count `text` as a warning of this service; the reply counts all the same.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.result.warning = text.into();
    }

    /// The changes as they will travel, for what has no method of its own. The server refuses the whole reply when
    /// something is in it that the hook point or the operator does not allow.
    pub fn changes(&mut self) -> &mut v1::Changes {
        self.result.changes.get_or_insert_default()
    }

    fn set_next_step(&mut self, step: NextStep) {
        self.result.next_step = v1::NextStep::from(step).into();
    }

    /// The reply, once the callout returned `Ok`.
    pub(crate) fn finish(self) -> Result<v1::CalloutResult, HookError> {
        let length = self.result.context.as_ref().map_or(0, Bytes::len);
        if length > MAX_CONTEXT {
            return Err(HookError::new(format!(
                "the callout's context has {length} bytes; {MAX_CONTEXT} are possible"
            )));
        }
        Ok(self.result)
    }
}

impl<'a, P: Point> Call<'a, P>
where
    P::Arguments: CarriesQuery,
{
    /// The client's packet.
    ///
    /// # Errors
    /// The server sent none, though the hook point has one.
    pub fn query(&self) -> Result<&'a <P::Arguments as CarriesQuery>::Packet, HookError> {
        self.arguments
            .query()
            .ok_or_else(|| HookError::new(format!("{} came without a query", P::HOOK_POINT)))
    }
}

impl<'a, P: Point> Call<'a, P>
where
    P::Arguments: CarriesResponse,
{
    /// The server's packet.
    ///
    /// # Errors
    /// The server sent none. At `leases4_committed` that is normal for RELEASE and DECLINE: look at the arguments.
    pub fn response(&self) -> Result<&'a <P::Arguments as CarriesResponse>::Packet, HookError> {
        self.arguments
            .response()
            .ok_or_else(|| HookError::new(format!("{} came without a response", P::HOOK_POINT)))
    }
}

impl<P: EditsQuery> Call<'_, P> {
    /// Changes options of the client's packet.
    pub fn query_options(&mut self) -> OptionEdits<'_> {
        OptionEdits::new(P::Family::options(self.query_changes()))
    }

    /// Changes the client's packet: in DHCPv4 also header fields.
    pub fn query_changes(&mut self) -> &mut <P::Family as Family>::PacketChanges {
        P::Family::query(self.changes()).get_or_insert_default()
    }
}

impl<P: EditsResponse> Call<'_, P> {
    /// Changes options of the server's packet.
    pub fn response_options(&mut self) -> OptionEdits<'_> {
        OptionEdits::new(P::Family::options(self.response_changes()))
    }

    /// Changes the server's packet: in DHCPv4 also header fields.
    pub fn response_changes(&mut self) -> &mut <P::Family as Family>::PacketChanges {
        P::Family::response(self.changes()).get_or_insert_default()
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
    /// Makes the packet a member of a client class.
    pub fn join_class(&mut self, class: impl Into<String>) {
        let changes = P::Family::query(self.changes()).get_or_insert_default();
        P::Family::classes(changes).push(class.into());
    }
}

impl<P: ChangesLease> Call<'_, P> {
    /// Changes the lease.
    pub fn lease_changes(&mut self) -> &mut v1::LeaseChanges {
        self.changes().lease.get_or_insert_default()
    }
}

impl<P: NamesClient> Call<'_, P> {
    /// Changes the client's name and which DNS updates are done for it.
    pub fn name_changes(&mut self) -> &mut v1::NameChanges {
        self.changes().names.get_or_insert_default()
    }
}

impl<P: IdentifiesHost> Call<'_, P> {
    /// Looks for host reservations under this flexible identifier; empty is none.
    pub fn identify(&mut self, identifier: impl Into<Bytes>) {
        self.changes().host_identifier = Some(identifier.into());
    }
}

impl<P: ReplacesQuery> Call<'_, P> {
    /// Has the server decode this datagram instead of the received one.
    pub fn replace_query(&mut self, datagram: impl Into<Bytes>) {
        let changes = P::Family::query(self.changes()).get_or_insert_default();
        *P::Family::wire(changes) = Some(datagram.into());
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

impl<P: Parks> Call<'_, P> {
    /// Holds the packet while the callout goes on: what it returns in the end is the final reply. From here on the
    /// server's deadline for parked packets counts, not that of the call.
    ///
    /// # Errors
    /// The call did not come over a session; only sessions can park.
    pub fn park(&mut self) -> Result<(), HookError> {
        self.surroundings.park(self.request.id)
    }
}

/// Option edits of one packet, applied by the server in order.
///
/// A path is the option's code, then the code of a sub-option in it, and so on: `[17, 33]` is sub-option 33 of DHCPv6
/// option 17. Options on the way must exist in the packet, or the server refuses the whole reply.
#[derive(Debug)]
pub struct OptionEdits<'a> {
    edits: &'a mut Vec<v1::OptionEdit>,
    enterprise: u32,
}

impl<'a> OptionEdits<'a> {
    fn new(edits: &'a mut Vec<v1::OptionEdit>) -> Self {
        Self {
            edits,
            enterprise: 0,
        }
    }

    /// Enters only the instance of this enterprise, of DHCPv4 option 124 or 125 or DHCPv6 option 16 or 17. Without it
    /// the first instance is entered.
    #[must_use]
    pub fn of_enterprise(self, enterprise: u32) -> Self {
        Self { enterprise, ..self }
    }

    /// Replaces the option; where there is none, appends it. Empty data is an empty option.
    pub fn set(&mut self, path: impl AsRef<[u32]>, data: impl Into<Bytes>) -> &mut Self {
        self.push(v1::option_edit::Action::Set, path.as_ref(), data.into())
    }

    /// Appends another instance.
    pub fn add(&mut self, path: impl AsRef<[u32]>, data: impl Into<Bytes>) -> &mut Self {
        self.push(v1::option_edit::Action::Add, path.as_ref(), data.into())
    }

    /// Removes every instance; nothing happens where there is none.
    pub fn remove(&mut self, path: impl AsRef<[u32]>) -> &mut Self {
        self.push(v1::option_edit::Action::Remove, path.as_ref(), Bytes::new())
    }

    fn push(&mut self, action: v1::option_edit::Action, path: &[u32], data: Bytes) -> &mut Self {
        self.edits.push(v1::OptionEdit {
            action: action.into(),
            path: path.to_vec(),
            enterprise: self.enterprise,
            data,
        });
        self
    }
}
