//! Rules of single calls: what is asked, and what an answer may be.

use super::line::{Answer, Line, call_once};
use super::subject::{Outcome, Subject, Verdict, failed};
use crate::material::Material;
use crate::peer::{Peer, REVISION, Session};
use bytes::{BufMut, Bytes};
use outrigger_proto::{Family, HookPoint, MAX_CONTEXT, NextStep, v1};
use prost::Message as _;
use std::time::Duration;

/// Field 1000, three bytes: of a protocol that is younger.
const YOUNGER_FIELD: &[u8] = &[0xc2, 0x3e, 3, b'n', b'e', b'w'];
/// Numbers that no hook point has.
const NO_HOOK_POINTS: [i32; 3] = [0, 31, 9999];

/// The session, or the process, must have survived.
pub(super) async fn alive(subject: &Subject, line: &mut Line, after: &str) -> Result<(), Verdict> {
    let call = subject.call(999_999, subject.any_point());
    match line.ask(call).await {
        Ok(_) => Ok(()),
        Err(error) => failed(format!("after {after}, {error}")),
    }
}

/// The answer to a call that cannot be served.
pub(super) async fn must_fail(
    subject: &Subject,
    line: &mut Line,
    call: v1::CalloutRequest,
    what: &str,
) -> Result<(), Verdict> {
    match line.ask(call).await {
        Ok(Answer::Failure(text)) if text.trim().is_empty() => {
            failed(format!("{what} is a failure without a text"))
        }
        Ok(Answer::Failure(_)) => alive(subject, line, what).await,
        Ok(other) => failed(format!("{what} is answered with {}", other.show())),
        Err(error) => failed(format!("{what}: {error}")),
    }
}

pub(super) async fn unknown_hook_point(subject: &Subject) -> Outcome {
    let mut line = subject.line().await?;
    for (id, number) in (1..).zip(NO_HOOK_POINTS) {
        let call = v1::CalloutRequest {
            hook_point: number,
            ..subject.call(id, subject.any_point())
        };
        let what = format!("a call of hook point {number}");
        must_fail(subject, &mut line, call, &what).await?;
    }
    Ok(String::new())
}

pub(super) async fn missing_arguments(subject: &Subject) -> Outcome {
    let mut line = subject.line().await?;
    let point = subject.any_point();
    let other = if point.is_of(Family::V4) {
        HookPoint::Lease4Recover
    } else {
        HookPoint::Lease6Recover
    };
    let foreign = subject.material.arguments(other);
    for (arguments, what) in [
        (None, "a call without arguments"),
        (
            Some(v1::Arguments::default()),
            "a call with empty arguments",
        ),
        (
            Some(foreign),
            "a call with the arguments of another hook point",
        ),
    ] {
        if point == other && arguments.as_ref().is_some_and(|some| some.point.is_some()) {
            continue;
        }
        let call = v1::CalloutRequest {
            arguments,
            ..subject.call(1, point)
        };
        must_fail(subject, &mut line, call, what).await?;
    }
    Ok(String::new())
}

fn nested(tag: u8, message: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag << 3 | 2];
    prost::encoding::encode_varint(message.len() as u64, &mut bytes);
    bytes.put_slice(message);
    bytes
}

fn with_younger_fields(call: &v1::CalloutRequest) -> Vec<u8> {
    let mut bytes = call.encode_to_vec();
    bytes.put_slice(YOUNGER_FIELD);
    // A second occurrence of the arguments is merged into the first.
    bytes.extend(nested(9, YOUNGER_FIELD));
    bytes
}

pub(super) async fn unknown_fields(subject: &Subject) -> Outcome {
    let peer = subject.load().await?;
    let mut load = subject.identity.load_request(REVISION).encode_to_vec();
    load.put_slice(YOUNGER_FIELD);
    let reply: v1::LoadReply = peer.unary("Load", load).await?;
    if !matches!(reply.result, Some(v1::load_reply::Result::Loaded(_))) {
        return failed("Load with a field of a younger protocol is not answered with Loaded");
    }
    let mut line = subject.line().await?;
    let point = subject.any_point();
    let expected = line.ask(subject.call(1, point)).await?;
    let strange = with_younger_fields(&subject.call(2, point));
    let answer = match &mut line {
        Line::Unary(peer) => call_once(peer, strange).await?,
        Line::Session(session) => send_younger(session, &strange)
            .await
            .map_err(|error| Verdict::Failed(format!("a message of an unknown kind: {error}")))?,
    };
    if answer != expected {
        return failed(format!(
            "with fields of a younger protocol, the same call is answered with {} instead of {}",
            answer.show(),
            expected.show()
        ));
    }
    Ok(String::new())
}

/// A message of a kind that this protocol does not have, then a batch with unknown fields.
async fn send_younger(
    session: &mut Session,
    call: &[u8],
) -> Result<Answer, crate::peer::PeerError> {
    session.send_raw(nested(15, b"younger")).await?;
    let mut batch = nested(1, call);
    batch.put_slice(YOUNGER_FIELD);
    session.send_raw(nested(2, &batch)).await?;
    Ok(Answer::of(session.reply_to(2).await?))
}

pub(super) async fn packets(subject: &Subject) -> Outcome {
    let points = subject.points()?;
    let big = Material::big(&subject.identity.subnets);
    let mut line = subject.line().await?;
    let mut ids = 1..;
    for (material, what) in [
        (Material::empty(), "an empty packet"),
        (big, "a big packet"),
    ] {
        for (point, id) in points.iter().zip(&mut ids) {
            let what = format!("{what} at {point}");
            let answer = line.ask(subject.call_with(id, *point, &material)).await;
            if let Err(error) = answer {
                return failed(format!("{what}: {error}"));
            }
            alive(subject, &mut line, &what).await?;
        }
    }
    Ok(String::new())
}

/// Along a packet's way, each hook point gets what the one before it kept.
pub(super) async fn context(subject: &Subject) -> Outcome {
    let points = subject.points()?;
    let mut line = subject.line().await?;
    let foreign = Bytes::from(vec![0xa5; MAX_CONTEXT]);
    let mut ids = 1..;
    for start in [Bytes::new(), foreign] {
        let mut context = start;
        for (point, id) in points.iter().zip(&mut ids) {
            let call = v1::CalloutRequest {
                context: context.clone(),
                ..subject.call(id, *point)
            };
            let length = context.len();
            let answer = line.ask(call).await.map_err(|error| {
                Verdict::Failed(format!("{point} with a context of {length} bytes: {error}"))
            })?;
            let Answer::Result(result) = answer else {
                continue;
            };
            let Some(kept) = result.context else {
                continue;
            };
            if kept.len() > MAX_CONTEXT {
                return failed(format!(
                    "at {point} it keeps {} bytes; {MAX_CONTEXT} are possible",
                    kept.len()
                ));
            }
            context = kept;
        }
        alive(subject, &mut line, "calls with contexts").await?;
    }
    Ok(String::new())
}

pub(super) async fn results(subject: &Subject) -> Outcome {
    let points = subject.points()?;
    let mut line = subject.line().await?;
    let mut remarks = Vec::new();
    for (id, point) in (1..).zip(points) {
        let answer = line
            .ask(subject.call(id, point))
            .await
            .map_err(|error| Verdict::Failed(format!("{point}: {error}")))?;
        match answer {
            Answer::Nothing => {
                return failed(format!(
                    "the reply of {point} has neither result nor failure"
                ));
            }
            Answer::Failure(text) if text.trim().is_empty() => {
                return failed(format!("the failure of {point} has no text"));
            }
            Answer::Failure(text) => remarks.push(format!("{point} fails: {text}")),
            Answer::Result(result) => {
                if let Some(Err(number)) = result.next_step.map(NextStep::try_from) {
                    return failed(format!("at {point} the next step is {number}"));
                }
                if !result.warning.is_empty() {
                    remarks.push(format!("{point} warns: {}", result.warning));
                }
            }
        }
    }
    Ok(remarks.join("; "))
}

/// An ordinary call outside any session.
pub(super) async fn call_once_at(
    subject: &Subject,
    peer: &Peer,
    point: HookPoint,
) -> Result<Answer, Verdict> {
    let call = subject.call(1, point);
    let once = call_once(peer, call.encode_to_vec()).await;
    once.map_err(|error| Verdict::Failed(format!("{point}: {error}")))
}

/// The same call leads to the same result on both ways.
pub(super) async fn unary(subject: &Subject) -> Outcome {
    let points = subject.points()?;
    let (peer, session) = subject.session().await?;
    let mut line = Line::Session(Box::new(session));
    for (id, point) in (1..).zip(points) {
        let call = subject.call(id, point);
        let on_session = line.ask(call.clone()).await?;
        let once = call_once(&peer, call.encode_to_vec())
            .await
            .map_err(|error| Verdict::Failed(format!("{point}: {error}")))?;
        let same = match (&on_session, &once) {
            (Answer::Failure(_), Answer::Failure(_)) => true,
            // Another rule is about that.
            (on_session, once) if on_session.parks() || once.parks() => true,
            (on_session, once) => on_session == once,
        };
        if !same {
            return failed(format!(
                "{point} on a session is answered with {}, as a single Call with {}",
                on_session.show(),
                once.show()
            ));
        }
    }
    Ok(String::new())
}

/// A budget of 1 µs has run out when it arrives; whatever becomes of that call, the next one is served.
pub(super) async fn deadline(subject: &Subject) -> Outcome {
    let mut line = subject.line().await?;
    let point = subject.any_point();
    for id in 1..=3 {
        let call = v1::CalloutRequest {
            budget_us: 1,
            ..subject.call(id, point)
        };
        match &mut line {
            Line::Session(session) => session.calls(vec![call]).await?,
            Line::Unary(peer) => drop(call_once(peer, call.encode_to_vec()).await?),
        }
    }
    alive(subject, &mut line, "calls whose budget ran out").await?;
    let Line::Session(mut session) = line else {
        return Ok(String::new());
    };
    // What comes late is passed over, but it comes once at most.
    let mut late = Vec::new();
    while let Some(reply) = session.surplus(Duration::from_millis(20)).await {
        if late.contains(&reply.id) || reply.id > 3 {
            return failed(format!("reply {} comes once more than asked for", reply.id));
        }
        late.push(reply.id);
    }
    Ok(String::new())
}
