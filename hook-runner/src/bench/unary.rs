//! Calls one by one, as a server calls a service without sessions.

use super::loops::{Calls, Tally, failure};
use crate::peer::{Peer, PeerError, Raw, path};
use outrigger_proto::v1;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tonic::{Request, Status};

/// Keeps `in_flight` calls open until `end`, then waits for the last replies.
pub(super) async fn play(
    peer: &Peer,
    calls: &Calls,
    in_flight: u32,
    end: Instant,
) -> Result<Tally, PeerError> {
    let tally = Arc::new(Mutex::new(Tally::new()));
    let mut tasks = JoinSet::new();
    for _ in 0..in_flight {
        let (peer, calls, tally) = (peer.clone(), calls.clone(), Arc::clone(&tally));
        tasks.spawn(async move { repeat(&peer, &calls, end, &tally).await });
    }
    while let Some(ended) = tasks.join_next().await {
        // A task of ours does not panic, and nobody aborts it.
        ended.unwrap_or(Ok(()))?;
    }
    let whole = Arc::into_inner(tally).ok_or(PeerError::Closed)?;
    Ok(whole.into_inner().unwrap_or_else(PoisonError::into_inner))
}

async fn repeat(
    peer: &Peer,
    calls: &Calls,
    end: Instant,
    tally: &Mutex<Tally>,
) -> Result<(), PeerError> {
    loop {
        let asked = Instant::now();
        let failure = match ask(peer, calls).await {
            Ok(reply) => failure(&reply),
            // The connection gives a call up by itself then.
            Err(_) if asked.elapsed() >= calls.deadline => Some("no reply in time".to_owned()),
            Err(status) if PeerError::is_of_service(&status) => {
                Some(format!("{:?}: {}", status.code(), status.message()))
            }
            Err(status) => return Err(PeerError::status("Call", status)),
        };
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.answer(asked.elapsed(), calls.deadline, failure);
        if Instant::now() >= end {
            return Ok(());
        }
    }
}

async fn ask(peer: &Peer, calls: &Calls) -> Result<v1::CalloutReply, Status> {
    let mut request = Request::new(calls.encoded(0));
    request.set_timeout(calls.deadline);
    let mut grpc = peer.grpc().await?;
    let reply = grpc.unary(request, path("Call"), Raw(PhantomData)).await?;
    Ok(reply.into_inner())
}
