//! Rules of sessions, from the headers to the drain.

use super::handshake::serving;
use super::subject::{Outcome, Subject, Verdict, failed};
use crate::peer::{PeerError, REVISION, Session};
use crate::show::is_parked;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use outrigger_proto::v1;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tonic_health::pb::health_check_response::ServingStatus;
use v1::server_message::Message as ToService;
use v1::service_message::Message as FromService;

/// Calls of one batch.
const MANY: u64 = 64;
/// Replies that nobody waits for come within it, or not at all.
const MOMENT: Duration = Duration::from_millis(50);

pub(super) async fn metadata(subject: &Subject) -> Outcome {
    subject.has_sessions()?;
    let peer = subject.load().await?;
    match peer.stream(None).await {
        Ok(_) => Ok(String::new()),
        Err(PeerError::Silent { limit, .. }) => failed(format!(
            "a stream without a message has no headers within {limit:?}"
        )),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn welcome(subject: &Subject) -> Outcome {
    subject.has_sessions()?;
    let peer = subject.load().await?;
    let hello = subject.identity.hello(REVISION);
    peer.session(hello).await?;
    Ok(String::new())
}

/// Ids as large as they come, in no order, and some of them twice, but never open at the same time.
pub(super) async fn ids(subject: &Subject) -> Outcome {
    let (_peer, mut session) = subject.session().await?;
    let most = match subject.loaded.max_in_flight {
        0 => MANY,
        limit => MANY.min(limit.into()),
    };
    for _ in 0..2 {
        let wanted: BTreeSet<u64> = (0..most)
            .map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .collect();
        batch(subject, &mut session, &wanted).await?;
    }
    Ok(String::new())
}

/// One batch: exactly one final reply to each id.
async fn batch(
    subject: &Subject,
    session: &mut Session,
    wanted: &BTreeSet<u64>,
) -> Result<(), Verdict> {
    let point = subject.any_point();
    let calls = wanted.iter().map(|id| subject.call(*id, point)).collect();
    session.calls(Vec::new()).await?;
    session.calls(calls).await?;
    let mut open = wanted.clone();
    while !open.is_empty() {
        let reply = match session.reply().await {
            Ok(reply) => reply,
            Err(error) => {
                let (left, all) = (open.len(), wanted.len());
                return failed(format!("{left} of {all} calls have no reply: {error}"));
            }
        };
        if !is_parked(&reply) && !open.remove(&reply.id) {
            return failed(match wanted.contains(&reply.id) {
                true => format!("call {} is answered twice", reply.id),
                false => format!("it answers call {}, which nobody made", reply.id),
            });
        }
    }
    match session.surplus(MOMENT).await {
        Some(reply) => failed(format!(
            "a reply to call {} comes after all are answered",
            reply.id
        )),
        None => Ok(()),
    }
}

/// A server has a session for each of its shards, and ids are those of a session.
pub(super) async fn two_sessions(subject: &Subject) -> Outcome {
    let (_peer, mut one) = subject.session().await?;
    let (_other_peer, mut other) = subject.session().await?;
    let point = subject.any_point();
    for id in 1..=4 {
        one.calls(vec![subject.call(id, point)]).await?;
        other.calls(vec![subject.call(id, point)]).await?;
    }
    for (name, session) in [("first", &mut one), ("second", &mut other)] {
        let mut open: BTreeSet<u64> = (1..=4).collect();
        while !open.is_empty() {
            let reply = session.reply().await.map_err(|error| {
                Verdict::Failed(format!("with two sessions open, on the {name}: {error}"))
            })?;
            if !is_parked(&reply) && !open.remove(&reply.id) {
                return failed(format!(
                    "call {} of the {name} session is answered twice",
                    reply.id
                ));
            }
        }
    }
    Ok(String::new())
}

pub(super) async fn bye(subject: &Subject) -> Outcome {
    let (_peer, mut session) = subject.session().await?;
    let point = subject.any_point();
    let calls = (1..=8).map(|id| subject.call(id, point)).collect();
    session.calls(calls).await?;
    session.bye().await?;
    let replies = session
        .rest()
        .await
        .map_err(|error| Verdict::Failed(format!("after Bye, {error}")))?;
    let answered: BTreeSet<u64> = replies
        .iter()
        .filter(|reply| !is_parked(reply))
        .map(|reply| reply.id)
        .collect();
    match answered.len() {
        8 => Ok(String::new()),
        count => failed(format!("{count} of 8 calls before Bye are answered")),
    }
}

/// Bytes that are no message end their stream at most.
pub(super) async fn garbage(subject: &Subject) -> Outcome {
    let (peer, mut session) = subject.session().await?;
    if let Ok(broken) = peer.stream(Some(subject.identity.hello(REVISION))).await {
        // It may be closed already.
        let _ = broken.send_raw(vec![0xff; 9]).await;
        sleep(MOMENT).await;
    }
    let call = subject.call(1, subject.any_point());
    session
        .ask(call)
        .await
        .map_err(|error| Verdict::Failed(format!("after garbage on another stream, {error}")))?;
    Ok(String::new())
}

/// A server that vanishes in the middle of its calls, and comes back.
pub(super) async fn reconnect(subject: &Subject) -> Outcome {
    let point = subject.any_point();
    // Without a first session nothing is known of the second.
    drop(subject.session().await?);
    let again = async {
        for _ in 0..3 {
            let (peer, session) = subject.session().await?;
            let calls = (1..=MANY).map(|id| subject.call(id, point)).collect();
            session.calls(calls).await?;
            // The transport gets to send them.
            tokio::task::yield_now().await;
            drop((session, peer));
        }
        let (_peer, mut session) = subject.session().await?;
        session.ask(subject.call(1, point)).await?;
        Ok::<_, Verdict>(())
    };
    match again.await {
        Ok(()) => Ok(String::new()),
        Err(Verdict::Failed(seen) | Verdict::Impossible(seen) | Verdict::Skipped(seen)) => {
            failed(format!("while its connections are cut, {seen}"))
        }
    }
}

pub(super) async fn drain(subject: &Subject) -> Outcome {
    let Some(pid) = subject.drain_pid else {
        let text = "the service was to live on; --drain-pid PID ends it at last";
        return Err(Verdict::Skipped(text.to_owned()));
    };
    let (peer, mut session) = subject.session().await?;
    kill(Pid::from_raw(pid), Signal::SIGTERM)
        .map_err(|error| Verdict::Impossible(format!("SIGTERM to process {pid}: {error}")))?;
    let limit = Instant::now() + subject.patience;
    loop {
        match session.next("SIGTERM", limit).await {
            Ok(Some(FromService::Drain(_))) => break,
            Ok(_) => {}
            Err(error) => return failed(format!("no Drain after SIGTERM: {error}")),
        }
    }
    let call = subject.call(1, subject.any_point());
    session
        .ask(call)
        .await
        .map_err(|error| Verdict::Failed(format!("a call after Drain: {error}")))?;
    while let Ok(ServingStatus::Serving) = serving(subject, &peer, "").await {
        if Instant::now() > limit {
            return failed("it drains, and its health is still SERVING");
        }
        sleep(Duration::from_millis(10)).await;
    }
    session.send(ToService::Bye(v1::Bye {})).await?;
    session
        .rest()
        .await
        .map_err(|error| Verdict::Failed(format!("after Drain and Bye, {error}")))?;
    Ok(String::new())
}
