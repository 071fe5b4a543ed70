use super::*;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio_stream::StreamExt;

fn session(limit: usize) -> Arc<Session> {
    Session::new(v1::Hello::default(), limit, Arc::default())
}

fn call() -> Call {
    Call {
        point: HookPoint::Pkt4Receive,
        deadline: Instant::now() + Duration::from_secs(1),
        label: "client".into(),
        status: NextStep::Continue,
        context: Bytes::new(),
        revision: 1,
        arguments: Bytes::from_static(b"arguments"),
        park: Duration::ZERO,
    }
}

fn reply(id: u64) -> v1::CalloutReply {
    v1::CalloutReply { id, outcome: None }
}

/// Ids of the calls in the next message, which must be a batch.
async fn next_batch(outgoing: &mut Outgoing) -> Vec<u64> {
    match outgoing.next().await.and_then(|sent| sent.message) {
        Some(Message::Calls(batch)) => batch.calls.iter().map(|call| call.id).collect(),
        other => panic!("a batch was to follow, not {other:?}"),
    }
}

async fn after_hello(session: &Arc<Session>) -> Outgoing {
    let mut outgoing = Outgoing(Arc::clone(session));
    let first = outgoing.next().await.and_then(|sent| sent.message);
    assert!(matches!(first, Some(Message::Hello(_))));
    outgoing
}

#[tokio::test]
async fn a_service_may_say_twice_as_much_as_it_is_asked_and_a_little_more() {
    let session = session(1024);
    let talk = || (0..10_000).take_while(|_| session.may_speak()).count();
    assert_eq!(talk(), 1024);
    let tickets: Vec<_> = (0..10).map(|_| session.submit(call()).unwrap()).collect();
    // One more was refused already.
    assert_eq!(talk(), 19);
    drop(tickets);
}

#[tokio::test]
async fn everything_that_waits_goes_into_one_message_of_at_most_64_calls() {
    let session = session(1024);
    let mut outgoing = after_hello(&session).await;
    let tickets: Vec<_> = (0..100).map(|_| session.submit(call()).unwrap()).collect();
    assert_eq!(next_batch(&mut outgoing).await.len(), 64);
    assert_eq!(next_batch(&mut outgoing).await.len(), 36);
    assert_eq!(tickets.len(), 100);
}

#[tokio::test]
async fn each_message_says_how_many_replies_had_come() {
    let session = session(8);
    let mut outgoing = after_hello(&session).await;
    let mut answered = Vec::new();
    for _ in 0..3 {
        let ticket = session.submit(call()).unwrap();
        match outgoing.next().await.and_then(|sent| sent.message) {
            Some(Message::Calls(batch)) => answered.push(batch.answered),
            other => panic!("a batch was to follow, not {other:?}"),
        }
        session.deliver(reply(ticket.id));
        // One that nobody waits for any more counts too.
        session.deliver(reply(ticket.id));
    }
    assert_eq!(answered, [Some(0), Some(2), Some(4)]);
}

#[tokio::test]
async fn large_arguments_split_a_batch_but_always_pass() {
    let session = session(1024);
    let mut outgoing = after_hello(&session).await;
    let large = Call {
        arguments: vec![0; MAX_BATCH_BYTES + 1].into(),
        ..call()
    };
    let _tickets = [
        session.submit(call()).unwrap(),
        session.submit(large).unwrap(),
        session.submit(call()).unwrap(),
    ];
    for _ in 0..3 {
        assert_eq!(next_batch(&mut outgoing).await.len(), 1);
    }
}

#[tokio::test]
async fn replies_come_in_any_order() {
    let session = session(8);
    let first = session.submit(call()).unwrap();
    let second = session.submit(call()).unwrap();
    session.deliver(reply(second.id));
    session.deliver(reply(first.id));
    let (a, b) = (first.id, second.id);
    assert_eq!(first.await.unwrap().id, a);
    assert_eq!(second.await.unwrap().id, b);
}

#[tokio::test]
async fn a_call_that_is_given_up_frees_its_slot_and_is_not_sent() {
    let session = session(1);
    let mut outgoing = after_hello(&session).await;
    let given_up = session.submit(call()).unwrap();
    assert_eq!(session.submit(call()).unwrap_err(), Cause::Shed);
    let late = given_up.id;
    drop(given_up);
    let second = session.submit(call()).unwrap();
    assert_ne!(second.id, late);
    assert_eq!(next_batch(&mut outgoing).await, [second.id]);
    session.deliver(reply(late));
    session.deliver(reply(77));
    assert_eq!(session.counters.late_replies.load(Relaxed), 1);
    assert_eq!(session.counters.unknown_replies.load(Relaxed), 1);
}

#[tokio::test]
async fn calls_given_up_before_anything_was_written_do_not_pile_up() {
    let session = session(10);
    for _ in 0..1000 {
        drop(session.submit(call()).unwrap());
    }
    assert!(session.queued() <= 10, "{} queued", session.queued());
}

#[tokio::test]
async fn a_lost_session_fails_open_calls_and_takes_none() {
    let session = session(8);
    let open = session.submit(call()).unwrap();
    session.lose();
    assert_eq!(open.await, Err(Cause::SessionLost));
    assert_eq!(session.submit(call()).unwrap_err(), Cause::SessionLost);
}

#[tokio::test]
async fn bye_follows_the_last_queued_call() {
    let session = session(8);
    let mut outgoing = after_hello(&session).await;
    let open = session.submit(call()).unwrap();
    session.end();
    assert_eq!(session.submit(call()).unwrap_err(), Cause::Unavailable);
    assert_eq!(next_batch(&mut outgoing).await, [open.id]);
    let bye = outgoing.next().await.and_then(|sent| sent.message);
    assert_eq!(bye, Some(Message::Bye(v1::Bye {})));
    assert_eq!(outgoing.next().await, None);
    session.deliver(reply(open.id));
    assert!(open.await.is_ok());
}

fn parks(id: u64) -> v1::CalloutReply {
    let park = v1::CalloutResult {
        next_step: Some(NextStep::Park as i32),
        ..Default::default()
    };
    v1::CalloutReply {
        id,
        outcome: Some(Outcome::Result(park)),
    }
}

#[tokio::test]
async fn after_park_one_more_reply_is_taken_and_no_further_one() {
    let session = session(1);
    let may_park = Call {
        park: Duration::from_secs(1),
        ..call()
    };
    let mut ticket = session.submit(may_park).unwrap();
    // All of them before anybody looks.
    session.deliver(parks(0));
    session.deliver(reply(0));
    session.deliver(parks(0));
    assert!(is_park(&(&mut ticket).await.unwrap()));
    assert_eq!((&mut ticket).await, Ok(reply(0)));
    assert_eq!(session.counters.late_replies.load(Relaxed), 1);
    drop(ticket);
    session.deliver(reply(0));
    assert_eq!(session.counters.late_replies.load(Relaxed), 2);
    assert!(session.submit(call()).is_ok(), "its place is free again");
}

#[tokio::test]
async fn a_call_that_cannot_be_parked_takes_one_reply() {
    let session = session(1);
    let ticket = session.submit(call()).unwrap();
    session.deliver(parks(0));
    session.deliver(reply(0));
    assert!(is_park(&ticket.await.unwrap()));
    assert_eq!(session.counters.late_replies.load(Relaxed), 1);
}

#[tokio::test]
async fn parked_calls_leave_room_for_others_and_end_with_the_session() {
    let session = session(1);
    let may_park = || Call {
        park: Duration::from_secs(1),
        ..call()
    };
    let mut first = session.submit(may_park()).unwrap();
    assert_eq!(session.submit(may_park()).unwrap_err(), Cause::Shed);
    session.deliver(parks(0));
    assert!(is_park(&(&mut first).await.unwrap()));
    let mut second = session.submit(may_park()).unwrap();
    session.deliver(parks(1));
    assert!(is_park(&(&mut second).await.unwrap()));
    session.deliver(reply(0));
    session.lose();
    assert_eq!(first.await, Ok(reply(0)), "it was there before");
    assert_eq!(second.await, Err(Cause::SessionLost));
    assert_eq!(session.lock().parked, 0);
}
