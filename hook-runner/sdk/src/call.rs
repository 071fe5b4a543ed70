//! One call of a hook point, as a callout sees it.

use crate::HookError;
use crate::points::{CarriesQuery, CarriesResponse, Parks, Point};
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
    /// Boxed: it is large, and goes a long way.
    result: Box<v1::CalloutResult>,
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
            result: Box::default(),
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

    /// Time left for the reply, after [`park`](Call::park) for the final one; `None` where the server set no limit.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        let deadline = self.surroundings.deadline()?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// What this service put there at an earlier hook point of this packet, perhaps in another process or version of
    /// it; empty where it put nothing. It comes from the network: check it.
    ///
    /// ```
    /// use outrigger_hook_sdk::points::{Pkt4Receive, Pkt4Send};
    /// use outrigger_hook_sdk::testing::Trial;
    /// use outrigger_hook_sdk::{Call, Callouts, HookError, v1};
    ///
    /// /// Tells the client in option 43 how many options it sent.
    /// struct Counts;
    ///
    /// impl Callouts for Counts {
    ///     async fn pkt4_receive(&self, call: &mut Call<'_, Pkt4Receive>) -> Result<(), HookError> {
    ///         let count = u8::try_from(call.query()?.options.len())?;
    ///         call.set_context(vec![count]);
    ///         Ok(())
    ///     }
    ///
    ///     async fn pkt4_send(&self, call: &mut Call<'_, Pkt4Send>) -> Result<(), HookError> {
    ///         let count = call.context().clone();
    ///         call.response_options().set([43], count);
    ///         Ok(())
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), String> {
    /// let query = Some(v1::Packet4::default());
    /// let received = Trial::<Pkt4Receive>::new(v1::Query4Arguments { query });
    /// let received = received.run(&Counts).await?;
    /// let sent = Trial::<Pkt4Send>::new(v1::Response4Arguments::default());
    /// let sent = sent.after(&received).run(&Counts).await?;
    /// let response = sent.changes.and_then(|changes| changes.response4).ok_or("no changes")?;
    /// assert_eq!(response.options[0].data, vec![0]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn context(&self) -> &'a Bytes {
        &self.request.context
    }

    /// Keeps `context` for later hook points of this packet. At most [`MAX_CONTEXT`] bytes; more fails the call.
    pub fn set_context(&mut self, context: impl Into<Bytes>) {
        self.result.context = Some(context.into());
    }

    /// Has the server go on, whatever the services before decided. A callout that says nothing leaves that as it is.
    pub fn proceed(&mut self) {
        self.set_next_step(NextStep::Continue);
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

    pub(crate) fn set_next_step(&mut self, step: NextStep) {
        self.result.next_step = Some(v1::NextStep::from(step).into());
    }

    /// The reply, once the callout returned `Ok`.
    pub(crate) fn finish(self) -> Result<Box<v1::CalloutResult>, HookError> {
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

impl<P: Parks> Call<'_, P> {
    /// How long the server would hold the packet for this call; `None` where it cannot be held, as for a reply that goes
    /// into a DHCPv6 packet (RFC 7341), or without a session.
    #[must_use]
    pub fn park_budget(&self) -> Option<Duration> {
        self.surroundings.park_budget
    }

    /// Holds the packet while the callout goes on: what it returns in the end is the final reply. From here on the
    /// [budget for parked packets](Call::park_budget) counts, not that of the call. The server serves the client's other
    /// packets meanwhile.
    ///
    /// ```
    /// use outrigger_hook_sdk::points::Subnet4Select;
    /// use outrigger_hook_sdk::{Call, Callouts, HookError};
    /// # async fn ask_the_billing_system(_client: &str) -> Result<u32, HookError> { Ok(2) }
    ///
    /// struct Billing;
    ///
    /// impl Callouts for Billing {
    ///     async fn subnet4_select(&self, call: &mut Call<'_, Subnet4Select>) -> Result<(), HookError> {
    ///         call.park()?;
    ///         let subnet = ask_the_billing_system(call.packet_label()).await?;
    ///         call.select_subnet(subnet);
    ///         Ok(())
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// The server would not hold the packet: see [`park_budget`](Call::park_budget). Or 4096 are held already.
    pub fn park(&mut self) -> Result<(), HookError> {
        self.surroundings.park(self.request.id)
    }
}
