//! Keeps one endpoint of a service connected, for one shard.
//!
//! ```text
//! connect ─► Load ─► Session (or calls one at a time) ─► lost, drained or stopped ─► wait ─► connect
//! ```

use crate::counters::count;
use crate::hooks::Hooks;
use crate::link::{Carrier, Link};
use crate::messages::{Replies, Said, ServerMessage, ServiceMessage, Unreadable};
use crate::service::{Problem, Service, shortened};
use crate::session::{Outgoing, Session};
use crate::transport::{self, Connected};
use crate::unary::{Unary, error_chain};
use outrigger_config::model::Endpoint;
use outrigger_proto::{MAX_MESSAGE, PROTOCOL_VERSION, v1};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;
use v1::callouts_client::CalloutsClient;
use v1::load_reply::Result as LoadResult;

/// Time for `Load`, and for the first message of a session.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// Time that open calls of an ending session have.
const ENDING_TIMEOUT: Duration = Duration::from_secs(10);
/// Calls that may be open on one session where the service does not say less.
const MAX_IN_FLIGHT: usize = 1024;
/// A connection that lasted this long was a good one: the next attempt comes soon.
const STABLE: Duration = Duration::from_secs(10);

/// One endpoint of a service, of one shard.
pub(crate) struct Connection {
    pub(crate) hooks: Arc<Hooks>,
    /// Index of the service.
    pub(crate) service: usize,
    pub(crate) endpoint: Endpoint,
    pub(crate) link: Arc<Link>,
    pub(crate) shard: usize,
    /// No new calls; end in order.
    pub(crate) stop: CancellationToken,
}

impl Connection {
    /// Until stopped.
    pub(crate) async fn run(self) {
        let mut backoff = Backoff::default();
        let mut last_problem = None;
        loop {
            let began = Instant::now();
            match self.attempt().await {
                Ok(()) => last_problem = None,
                Err(_) if self.stop.is_cancelled() => return,
                Err(problem) => self.report(problem, &mut last_problem),
            }
            if began.elapsed() >= STABLE {
                backoff = Backoff::default();
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = sleep(backoff.next()) => {}
            }
        }
    }

    /// One connection, from beginning to end.
    async fn attempt(&self) -> Result<(), Problem> {
        let prepared = tokio::select! {
            () = self.stop.cancelled() => return Ok(()),
            prepared = self.load() => prepared,
        };
        let (connected, loaded) = prepared?;
        self.hooks.loaded(self.service, &loaded);
        let limit = match usize::try_from(loaded.max_in_flight) {
            Ok(wanted @ 1..) => wanted.min(MAX_IN_FLIGHT),
            _ => MAX_IN_FLIGHT,
        };
        if loaded.sessions {
            self.session(connected.channel, limit).await
        } else {
            self.one_at_a_time(connected, limit).await;
            Ok(())
        }
    }

    async fn load(&self) -> Result<(Connected, v1::Loaded), Problem> {
        let connected = transport::connect(&self.endpoint)
            .await
            .map_err(|error| Problem::Unreachable(error_chain(&error)))?;
        let request = self.hooks.load_request(self.service);
        let mut client =
            CalloutsClient::new(connected.channel.clone()).max_decoding_message_size(MAX_MESSAGE);
        let reply = timeout(HANDSHAKE_TIMEOUT, client.load(request))
            .await
            .map_err(|_| Problem::Unreachable("no answer to Load within 5 s".to_owned()))?
            .map_err(|status| lost("Load", &status))?;
        match reply.into_inner().result {
            Some(LoadResult::Loaded(loaded)) if loaded.protocol_version == PROTOCOL_VERSION => {
                Ok((connected, loaded))
            }
            Some(LoadResult::Loaded(loaded)) => Err(Problem::Refused(format!(
                "it speaks version {} of the protocol, this server version {PROTOCOL_VERSION}",
                loaded.protocol_version
            ))),
            Some(LoadResult::Refusal(refusal)) => {
                Err(Problem::Refused(shortened(&refusal.text).to_owned()))
            }
            None => Err(Problem::Unreachable("an empty answer to Load".to_owned())),
        }
    }

    async fn session(&self, channel: Channel, limit: usize) -> Result<(), Problem> {
        let counters = Arc::clone(&self.service().counters);
        let session = Session::new(self.hooks.hello(self.service), limit, counters);
        let _lose = Lose(&session);
        let mut inbound = self.open(channel, &session).await?;
        count(&self.service().counters.sessions_opened);
        let ready = Ready::new(self, Carrier::Session(Arc::clone(&session)));
        tokio::select! {
            () = self.stop.cancelled() => {}
            drained = replies(&mut inbound, &session) => drained?,
        }
        drop(ready);
        session.end();
        // The service closes the stream after its last reply.
        let ending = async {
            while let Ok(Some(message)) = inbound.message().await {
                if deliver(message, &session).is_err() {
                    return;
                }
            }
        };
        let _ = timeout(ENDING_TIMEOUT, ending).await;
        Ok(())
    }

    /// Opens the stream and waits for the service's first message. Hello is in the stream already: services in Python
    /// answer nothing, not even headers, before they have a message.
    async fn open(
        &self,
        channel: Channel,
        session: &Arc<Session>,
    ) -> Result<Streaming<ServiceMessage>, Problem> {
        let opening = async {
            let mut grpc = Grpc::new(channel).max_decoding_message_size(MAX_MESSAGE);
            grpc.ready()
                .await
                .map_err(|error| Problem::Unreachable(error_chain(&error)))?;
            let codec: ProstCodec<ServerMessage, ServiceMessage> = ProstCodec::default();
            let path = PathAndQuery::from_static("/outrigger.hooks.v1.Callouts/Session");
            let outgoing = Request::new(Outgoing(Arc::clone(session)));
            let mut inbound = grpc
                .streaming(outgoing, path, codec)
                .await
                .map_err(|status| lost("the session", &status))?
                .into_inner();
            match inbound.message().await {
                Ok(Some(ServiceMessage {
                    message: Some(Said::Welcome(_)),
                })) => Ok(inbound),
                Ok(_) => Err(Problem::Unreachable(
                    "the session does not begin with Welcome".to_owned(),
                )),
                Err(status) => Err(lost("the session", &status)),
            }
        };
        timeout(HANDSHAKE_TIMEOUT, opening)
            .await
            .unwrap_or_else(|_| Err(Problem::Unreachable("no Welcome within 5 s".to_owned())))
    }

    async fn one_at_a_time(&self, connected: Connected, limit: usize) {
        let Connected { channel, gone } = connected;
        let ready = Ready::new(self, Carrier::Unary(Unary::new(channel, limit)));
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = gone.cancelled() => return,
        }
        drop(ready);
        // Open calls hold the channel; when they are done, the connection closes.
        let _ = timeout(ENDING_TIMEOUT, gone.cancelled()).await;
    }

    fn service(&self) -> &Service {
        &self.hooks.services()[self.service]
    }

    fn report(&self, problem: Problem, last: &mut Option<Problem>) {
        let (service, endpoint) = (&self.service().name, &self.endpoint);
        if last.as_ref() == Some(&problem) {
            tracing::debug!(%service, %endpoint, %problem, "hook service is not ready");
        } else {
            tracing::warn!(%service, %endpoint, %problem, "hook service is not ready");
        }
        *last = Some(problem.clone());
        self.service().endpoint_failed(problem);
        self.hooks.tell_change();
    }
}

/// Until the service wants no more calls (`Ok`) or the stream is gone.
async fn replies(
    inbound: &mut Streaming<ServiceMessage>,
    session: &Session,
) -> Result<(), Problem> {
    loop {
        match inbound.message().await {
            Ok(Some(ServiceMessage {
                message: Some(Said::Drain(_)),
            })) => return Ok(()),
            Ok(Some(message)) => deliver(message, session)?,
            Ok(None) => {
                return Err(Problem::Unreachable(
                    "the service ended the session".to_owned(),
                ));
            }
            Err(status) => return Err(lost("the session", &status)),
        }
    }
}

/// Hands out the replies of a message.
fn deliver(message: ServiceMessage, session: &Session) -> Result<(), Problem> {
    let may_speak = || match session.may_speak() {
        true => Ok(()),
        false => Err(Problem::Unreachable(
            "the service says far more than it is asked".to_owned(),
        )),
    };
    // A message of a kind that a newer service may have has no replies for us.
    let Some(Said::Replies(batch)) = message.message else {
        return may_speak();
    };
    for reply in Replies(batch) {
        may_speak()?;
        let unreadable = |error: Unreadable| Problem::Unreachable(error.to_string());
        session.deliver(reply.map_err(unreadable)?);
    }
    Ok(())
}

fn lost(what: &str, status: &Status) -> Problem {
    let text = error_chain(status);
    Problem::Unreachable(format!("{what} failed: {}", shortened(&text)))
}

/// Ends the calls of a session with the connection, however that ends.
struct Lose<'a>(&'a Session);

impl Drop for Lose<'_> {
    fn drop(&mut self) {
        self.0.lose();
    }
}

/// The endpoint can be called while this exists.
struct Ready<'a>(&'a Connection);

impl<'a> Ready<'a> {
    fn new(connection: &'a Connection, carrier: Carrier) -> Self {
        connection.link.up(carrier);
        connection.service().endpoint_ready(connection.shard);
        connection.hooks.tell_change();
        let (service, endpoint) = (&connection.service().name, &connection.endpoint);
        tracing::info!(%service, %endpoint, "hook service is ready");
        Self(connection)
    }
}

impl Drop for Ready<'_> {
    fn drop(&mut self) {
        self.0.link.down();
        self.0.service().endpoint_gone(self.0.shard);
        self.0.hooks.tell_change();
    }
}

/// Pauses between attempts: 50 ms, doubling to 5 s, each shortened by up to half so that shards and servers do not
/// come together.
struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(Duration::from_millis(50))
    }
}

impl Backoff {
    fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = Duration::from_secs(5).min(pause * 2);
        pause.mul_f64(rand::random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_50_ms_to_5_s_and_vary_by_half() {
        let mut backoff = Backoff::default();
        for expected in [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000] {
            let pause = backoff.next();
            let longest = Duration::from_millis(expected);
            assert!(pause <= longest && pause >= longest / 2, "{pause:?}");
        }
    }
}
