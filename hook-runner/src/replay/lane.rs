//! One way to the service on which calls go one after another, as on one shard of a server.

use super::steps::Answer;
use crate::peer::{Peer, PeerError, Session};
use crate::raw;
use crate::show;
use outrigger_hook_sdk::Endpoint;
use outrigger_proto::v1;
use prost::Message as _;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use v1::load_reply::Result as LoadResult;

/// Whose calls go to a service on a connection of their own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Server {
    instance_id: String,
    service_name: String,
    family: i32,
}

impl Server {
    pub(super) fn of(load: &v1::LoadRequest) -> Self {
        let server = load.server.clone().unwrap_or_default();
        Self {
            instance_id: server.instance_id,
            service_name: load.service_name.clone(),
            family: server.family,
        }
    }
}

/// A call that is played.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) id: u64,
    /// Index of its Load.
    pub(super) load: usize,
    /// `CalloutRequest`, complete.
    pub(super) message: Vec<u8>,
    /// Time that a reply may take, and that a final reply may take after PARK.
    pub(super) limit: Duration,
    pub(super) park_limit: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum AskError {
    /// The service cannot be asked at all.
    Unreachable(PeerError),
    /// This call went wrong; the next one may not.
    Failed(PeerError),
}

#[derive(Debug)]
struct Connection {
    peer: Peer,
    loaded: HashSet<usize>,
    sessions: bool,
    session: Option<Session>,
}

/// Connections to the service, one for each server.
#[derive(Debug)]
pub(super) struct Lane {
    endpoint: Endpoint,
    patience: Duration,
    connections: HashMap<Server, Connection>,
}

impl Lane {
    /// Nothing may take longer than `patience`, unless a call says so.
    pub(super) fn new(endpoint: Endpoint, patience: Duration) -> Self {
        Self {
            endpoint,
            patience,
            connections: HashMap::new(),
        }
    }

    /// Load, whatever the answer.
    pub(super) async fn load(
        &mut self,
        index: usize,
        load: &v1::LoadRequest,
    ) -> Result<v1::LoadReply, PeerError> {
        let server = Server::of(load);
        let connection = match self.connections.get_mut(&server) {
            Some(connection) => connection,
            None => {
                let connection = Connection {
                    peer: Peer::connect(&self.endpoint, self.patience).await?,
                    loaded: HashSet::new(),
                    sessions: false,
                    session: None,
                };
                self.connections.entry(server).or_insert(connection)
            }
        };
        let result = connection.peer.load_result(load).await?;
        if let LoadResult::Loaded(loaded) = &result {
            connection.sessions = loaded.sessions;
            connection.loaded.insert(index);
        }
        Ok(v1::LoadReply {
            result: Some(result),
        })
    }

    /// The answer to `call`; its configuration is loaded first where it is not yet.
    ///
    /// # Errors
    /// There is none. The next call begins with a new connection where that may help.
    pub(super) async fn ask(
        &mut self,
        call: Played,
        load: &v1::LoadRequest,
    ) -> Result<Answer, AskError> {
        let server = Server::of(load);
        let known = self.connections.get(&server);
        if !known.is_some_and(|connection| connection.loaded.contains(&call.load)) {
            let reply = self.load(call.load, load).await;
            let reply = reply.map_err(AskError::Unreachable)?;
            if let Some(LoadResult::Refusal(refusal)) = reply.result {
                return Err(AskError::Unreachable(PeerError::Refused(refusal.text)));
            }
        }
        let closed = || AskError::Unreachable(PeerError::Closed);
        let connection = self.connections.get_mut(&server).ok_or_else(closed)?;
        let answer = match connection.session(load).await? {
            Some(session) => on_session(session, call).await,
            None => once(&connection.peer, call).await,
        };
        // A call that is late is late alone.
        if matches!(&answer, Err(error) if !matches!(error, PeerError::Silent { .. })) {
            self.connections.remove(&server);
        }
        answer.map_err(AskError::Failed)
    }
}

impl Connection {
    /// The session, opened where it is not yet; nothing where the service has none.
    async fn session(&mut self, load: &v1::LoadRequest) -> Result<Option<&mut Session>, AskError> {
        if self.sessions && self.session.is_none() {
            let hello = v1::server_message::Message::Hello(v1::Hello {
                instance_id: load.server.clone().unwrap_or_default().instance_id,
                configuration_revision: load.configuration_revision,
                service_name: load.service_name.clone(),
            });
            let opened = self.peer.session(hello).await;
            self.session = Some(opened.map_err(AskError::Unreachable)?);
        }
        Ok(self.session.as_mut())
    }
}

async fn on_session(session: &mut Session, call: Played) -> Result<Answer, PeerError> {
    let batch = raw::Batch {
        messages: vec![call.message.into()],
    };
    let message = raw::ServerMessage {
        hello: None,
        calls: Some(batch),
    };
    session.send_raw(message.encode_to_vec()).await?;
    let first = reply(session, call.id, call.limit).await?;
    match show::is_parked(&first) {
        false => Ok(Answer::of(false, first)),
        true => {
            let last = reply(session, call.id, call.park_limit).await?;
            Ok(Answer::of(true, last))
        }
    }
}

/// The reply to `id` within `limit`, however patient the session is.
async fn reply(
    session: &mut Session,
    id: u64,
    limit: Duration,
) -> Result<v1::CalloutReply, PeerError> {
    let until = Instant::now() + limit;
    loop {
        match session.reply_to(id).await {
            Err(PeerError::Silent { .. }) if Instant::now() < until => {}
            Err(PeerError::Silent { what, .. }) => return Err(PeerError::Silent { what, limit }),
            other => return other,
        }
    }
}

async fn once(peer: &Peer, call: Played) -> Result<Answer, PeerError> {
    let silent = PeerError::Silent {
        what: "Call",
        limit: call.limit,
    };
    let asking = peer.unary::<v1::CalloutReply>("Call", call.message);
    match timeout(call.limit, asking).await.unwrap_or(Err(silent)) {
        Ok(reply) => Ok(Answer::of(false, reply)),
        Err(PeerError::Status { status, .. }) if PeerError::is_of_service(&status) => {
            Ok(Answer::failed(&status))
        }
        Err(error) => Err(error),
    }
}
