//! Rules of packets that a service holds.

use super::calls::{alive, call_once_at};
use super::changes::allowed;
use super::line::{Answer, Line};
use super::subject::{Outcome, Subject, Verdict, failed};
use crate::peer::{PeerError, Session};
use crate::show::is_parked;
use bytes::Bytes;
use outrigger_proto::{HookPoint, MAX_CONTEXT, v1};
use std::time::Duration;
use tokio::time::Instant;

/// Replies that nobody waits for come within it, or not at all.
const MOMENT: Duration = Duration::from_millis(50);

/// A call whose packet may be held for as long as the service may take for anything.
fn call(subject: &Subject, id: u64, point: HookPoint) -> v1::CalloutRequest {
    let ordinary = subject.call(id, point);
    v1::CalloutRequest {
        park_budget_us: ordinary.budget_us,
        ..ordinary
    }
}

/// Held where it can be, and then answered in time, once.
pub(super) async fn park(subject: &Subject) -> Outcome {
    let points = subject.points()?;
    if !subject.loaded.sessions {
        let peer = subject.load().await?;
        return over_call(subject, &peer, &points).await;
    }
    let (peer, mut session) = subject.session().await?;
    let mut held = Vec::new();
    for (id, point) in (1..).zip(&points) {
        let reply = session.ask(subject.call(id, *point)).await?;
        // At hostN_identifier PARK means something else than to hold the packet.
        let means_other = matches!(
            point,
            HookPoint::Host4Identifier | HookPoint::Host6Identifier
        );
        if is_parked(&reply) && !means_other {
            return failed(format!(
                "at {point} it parks, though the packet cannot be held"
            ));
        }
    }
    for (id, point) in (1000..).zip(subject.parkable()) {
        let Some((_, last)) = replies(&mut session, call(subject, id, point)).await? else {
            continue;
        };
        if let Answer::Result(result) = Answer::of(last) {
            allowed(subject, point, &result, true)?;
        }
        held.push(point.name());
    }
    over_call(subject, &peer, &points).await?;
    Ok(match held.is_empty() {
        true => "it does not park".to_owned(),
        false => format!("it parks at {}", held.join(", ")),
    })
}

/// PARK and the final reply; `None` where the service does not park.
async fn replies(
    session: &mut Session,
    call: v1::CalloutRequest,
) -> Result<Option<(v1::CalloutReply, v1::CalloutReply)>, Verdict> {
    let id = call.id;
    let budget = Duration::from_micros(call.park_budget_us.into());
    let first = session.ask(call).await?;
    if !is_parked(&first) {
        return Ok(None);
    }
    let parked = Instant::now();
    let mut last = session.reply_to(id).await;
    if matches!(last, Err(PeerError::Silent { .. })) {
        last = session.reply_to(id).await;
    }
    let last = match last {
        Ok(_) if parked.elapsed() > budget => {
            return failed(format!(
                "the final reply after PARK comes later than {budget:?}"
            ));
        }
        Ok(last) if is_parked(&last) => return failed("after PARK it parks once more"),
        Ok(last) => last,
        Err(error) => return failed(format!("after PARK there is no final reply: {error}")),
    };
    match session.surplus(MOMENT).await {
        Some(reply) if reply.id == id => failed("after PARK there are two final replies"),
        _ => Ok(Some((first, last))),
    }
}

/// A single Call has one reply, so nothing can be held.
async fn over_call(subject: &Subject, peer: &crate::peer::Peer, points: &[HookPoint]) -> Outcome {
    for point in points {
        if call_once_at(subject, peer, *point).await?.parks() {
            return failed(format!("at {point} it parks over Call"));
        }
    }
    Ok("it does not park".to_owned())
}

/// What was kept before PARK is there afterwards, and the other way round.
pub(super) async fn context(subject: &Subject) -> Outcome {
    let (_peer, mut session) = subject.session().await?;
    let mut seen = false;
    for (id, point) in (1..).zip(subject.parkable()) {
        let asked = v1::CalloutRequest {
            context: Bytes::from(vec![0xa5; MAX_CONTEXT]),
            ..call(subject, id, point)
        };
        // Whether it parks as it should is the rule before.
        let Ok(Some(both)) = replies(&mut session, asked).await else {
            continue;
        };
        seen = true;
        for reply in [both.0, both.1] {
            let Answer::Result(result) = Answer::of(reply) else {
                continue;
            };
            let kept = result.context.map_or(0, |context| context.len());
            if kept > MAX_CONTEXT {
                return failed(format!(
                    "at {point}, over PARK, it keeps {kept} bytes; {MAX_CONTEXT} are possible"
                ));
            }
        }
    }
    if !seen {
        return Err(Verdict::Skipped("the service does not park".to_owned()));
    }
    let mut line = Line::Session(Box::new(session));
    alive(subject, &mut line, "held packets with contexts").await?;
    Ok(String::new())
}
