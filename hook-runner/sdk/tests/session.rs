//! Sessions, as a server sees them.

mod support;

use outrigger_hook_sdk::v1::{self, server_message, service_message};
use outrigger_hook_sdk::{MAX_CONTEXT, testing};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;
use support::{
    Running, Session, call, command_call, context, failure, load_request, parking_call, result,
};
use tonic::Code;

#[tokio::test]
async fn headers_and_welcome_come_before_hello() {
    let service = Running::start().await;
    let mut session = Session::open(&mut service.client().await).await;
    let first = session.next().await;
    assert!(matches!(first, service_message::Message::Welcome(_)));
}

#[tokio::test]
async fn a_batch_of_calls_is_answered_in_few_messages() {
    let service = Running::start().await;
    let mut session = service.session().await;
    session
        .calls((0..500).map(|id| call(id, "x")).collect())
        .await;
    let (mut ids, mut messages) = (BTreeSet::new(), 0);
    while ids.len() < 500 {
        messages += 1;
        for reply in session.batch().await {
            assert_eq!(context(&reply), "hello x");
            assert!(ids.insert(reply.id), "one reply to each call");
        }
    }
    assert!(messages < 100, "{messages} messages for 500 calls");
}

#[tokio::test]
async fn a_slow_callout_does_not_hold_up_a_fast_one() {
    let service = Running::start().await;
    let mut session = service.session().await;
    session
        .calls(vec![call(1, "sleep 100"), call(2, "x")])
        .await;
    let replies = session.replies(2).await;
    let ids: Vec<_> = replies.iter().map(|reply| reply.id).collect();
    assert_eq!(ids, [2, 1]);
}

#[tokio::test]
async fn a_call_ends_with_its_budget_and_the_session_goes_on() {
    let service = Running::start().await;
    let mut session = service.session().await;
    let mut slow = call(1, "sleep 60000");
    slow.budget_us = 20_000;
    let reply = session.ask(slow).await;
    let text = &failure(&reply).text;
    assert!(text.contains("budget of 20000"), "{text}");
    assert_eq!(service.cancelled.load(Ordering::SeqCst), 1);
    assert_eq!(context(&session.ask(call(2, "x")).await), "hello x");
}

#[tokio::test]
async fn a_call_within_its_budget_is_answered() {
    let service = Running::start().await;
    let mut session = service.session().await;
    let mut request = call(1, "sleep 5");
    request.budget_us = 5_000_000;
    result(&session.ask(request).await);
    assert_eq!(service.cancelled.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_panic_costs_its_own_call_only() {
    let service = Running::start().await;
    let mut session = service.session().await;
    session
        .calls(vec![call(1, "panic"), call(2, "panic later"), call(3, "x")])
        .await;
    let mut replies = session.replies(3).await;
    replies.sort_by_key(|reply| reply.id);
    assert_eq!(
        failure(&replies[0]).text,
        "the callout panicked: as the packet said"
    );
    assert_eq!(
        failure(&replies[1]).text,
        "the callout panicked: later, as the packet said"
    );
    assert_eq!(context(&replies[2]), "hello x");
}

#[tokio::test]
async fn an_error_reaches_the_server_with_its_code() {
    let service = Running::start().await;
    let mut session = service.session().await;
    let reply = session.ask(call(1, "fail 42")).await;
    assert_eq!(failure(&reply).code, 42);
    assert_eq!(failure(&reply).text, "as the packet said");
}

#[tokio::test]
async fn a_context_that_no_server_would_keep_fails_the_call() {
    let service = Running::start().await;
    let mut session = service.session().await;
    let fits = session
        .ask(call(1, &format!("context {MAX_CONTEXT}")))
        .await;
    assert_eq!(context(&fits).len(), MAX_CONTEXT);
    let large = session.ask(call(2, "context 4097")).await;
    let text = &failure(&large).text;
    assert!(text.contains("4097 bytes; 4096 are possible"), "{text}");
}

#[tokio::test]
async fn a_request_that_makes_no_sense_is_a_failure_that_says_why() {
    let service = Running::start().await;
    let mut session = service.session().await;
    let mut unknown = call(1, "x");
    unknown.hook_point = 999;
    let mut unspecified = call(2, "x");
    unspecified.hook_point = 0;
    let mut empty = call(3, "x");
    empty.arguments = None;
    let mut hollow = call(4, "x");
    hollow.arguments = Some(v1::Arguments { point: None });
    let mut mixed = call(5, "x");
    mixed.hook_point = v1::HookPoint::Pkt6Send.into();
    let mut status = call(6, "x");
    status.status = 77;
    let mut revision = call(7, "x");
    revision.configuration_revision = 9;
    let mut without_query = call(8, "x");
    without_query.arguments = Some(v1::Arguments {
        point: Some(v1::arguments::Point::Pkt4Receive(
            v1::Query4Arguments::default(),
        )),
    });
    let mut not_subscribed = call(9, "x");
    not_subscribed.hook_point = v1::HookPoint::Lease4Recover.into();
    not_subscribed.arguments = Some(v1::Arguments {
        point: Some(v1::arguments::Point::Lease4Recover(
            v1::ExpiredLeaseArguments::default(),
        )),
    });
    for (request, part) in [
        (unknown, "there is no hook point 999"),
        (unspecified, "there is no hook point 0"),
        (empty, "pkt4_receive came without arguments"),
        (hollow, "pkt4_receive came without arguments"),
        (mixed, "pkt6_send came with the arguments of pkt4_receive"),
        (status, "there is no next step 77"),
        (revision, "configuration 9 is not loaded here"),
        (without_query, "pkt4_receive came without a query"),
        (not_subscribed, "has no callout for it"),
    ] {
        let id = request.id;
        let reply = session.ask(request).await;
        assert_eq!(reply.id, id);
        let text = &failure(&reply).text;
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(context(&session.ask(call(10, "x")).await), "hello x");
}

#[tokio::test]
async fn each_configuration_is_served_by_its_own_callouts() {
    let service = Running::start().await;
    let mut session = service.session().await;
    let mut client = service.client().await;
    client.load(load_request(2, "salut")).await.unwrap();
    let mut newer = call(2, "x");
    newer.configuration_revision = 2;
    session.calls(vec![call(1, "x"), newer, call(3, "x")]).await;
    let mut replies = session.replies(3).await;
    replies.sort_by_key(|reply| reply.id);
    let contexts: Vec<_> = replies.iter().map(context).collect();
    assert_eq!(contexts, ["hello x", "salut x", "hello x"]);
}

#[tokio::test]
async fn more_calls_than_agreed_fail_at_once() {
    let service = Running::start_with(|server| server.max_in_flight(2)).await;
    let mut session = service.session().await;
    session
        .calls((1..=3).map(|id| call(id, "sleep 50")).collect())
        .await;
    let replies = session.replies(3).await;
    assert_eq!(replies[0].id, 3);
    assert_eq!(failure(&replies[0]).text, "more than 2 calls are open");
    result(&replies[1]);
    result(&replies[2]);
    assert_eq!(context(&session.ask(call(4, "x")).await), "hello x");
}

#[tokio::test]
async fn a_parked_call_outlives_its_budget_and_gets_a_second_reply() {
    let service = Running::start().await;
    let mut session = service.session().await;
    let first = session.ask(parking_call(1, "hold 50")).await;
    assert_eq!(
        result(&first).next_step,
        Some(i32::from(v1::NextStep::Park))
    );
    let last = session.replies(1).await.remove(0);
    assert_eq!(last.id, 1);
    let changes = result(&last).changes.as_ref().expect("changes");
    assert_eq!(changes.subnet_id, Some(7));
}

#[tokio::test]
async fn a_packet_that_is_held_too_long_is_a_failure_once() {
    let service = Running::start().await;
    let mut session = service.session().await;
    let request = v1::CalloutRequest {
        park_budget_us: 20_000,
        ..parking_call(1, "hold 60000")
    };
    let first = session.ask(request).await;
    assert_eq!(
        result(&first).next_step,
        Some(i32::from(v1::NextStep::Park))
    );
    let last = session.replies(1).await.remove(0);
    let text = &failure(&last).text;
    assert_eq!(
        text,
        "the packet was held for 20000 µs and there is no final reply"
    );
    // Replies of one session are in order of their end: nothing else came for the first call.
    assert_eq!(session.ask(call(2, "x")).await.id, 2);
}

#[tokio::test]
async fn held_packets_leave_room_for_other_calls() {
    let service = Running::start_with(|server| server.max_in_flight(2)).await;
    let mut session = service.session().await;
    for id in 1..=3 {
        let first = session.ask(parking_call(id, "hold 60000")).await;
        assert_eq!(
            result(&first).next_step,
            Some(i32::from(v1::NextStep::Park))
        );
    }
    assert_eq!(context(&session.ask(call(4, "x")).await), "hello x");
}

#[tokio::test]
async fn a_packet_that_the_server_would_not_hold_is_not_parked() {
    let service = Running::start().await;
    let mut session = service.session().await;
    let request = v1::CalloutRequest {
        park_budget_us: 0,
        ..parking_call(1, "x")
    };
    let reply = session.ask(request).await;
    let text = &failure(&reply).text;
    assert_eq!(text, "the server does not hold the packet of this call");
    let mut client = service.client().await;
    let status = client.call(parking_call(2, "x")).await.unwrap_err();
    assert_eq!(status.message(), "only a call of a session can park");
}

#[tokio::test]
async fn a_command_is_answered_if_it_is_offered() {
    let service = Running::start().await;
    let mut session = service.session().await;
    let reply = session.ask(command_call(1, r#"{"command":"greet"}"#)).await;
    let answer = testing::answer(result(&reply)).expect("an answer");
    assert_eq!(answer["text"], "hello greet");
    for (command, part) in [
        (
            r#"{"command":"depart"}"#,
            "does not offer the command \"depart\"",
        ),
        (r#"{"arguments":{}}"#, "the command has no name"),
        ("[]", "the command is not a JSON object"),
        ("{", "the command is not JSON: "),
    ] {
        let reply = session.ask(command_call(2, command)).await;
        let text = &failure(&reply).text;
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test]
async fn calls_before_hello_and_a_second_hello_end_the_session() {
    let service = Running::start().await;
    let mut session = Session::open(&mut service.client().await).await;
    session.calls(vec![call(1, "x")]).await;
    session.next().await;
    let status = session.message().await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);

    let mut session = service.session().await;
    session
        .send(server_message::Message::Hello(v1::Hello::default()))
        .await;
    let status = session.message().await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_server_that_did_not_load_is_told_to() {
    let service = Running::start().await;
    let mut session = Session::open(&mut service.client().await).await;
    session.hello(1).await;
    let status = session.message().await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("call Load first"), "{status}");
}

#[tokio::test]
async fn bye_ends_the_session_after_the_last_reply() {
    let service = Running::start().await;
    let mut session = service.session().await;
    session.calls(vec![call(1, "sleep 50")]).await;
    session.send(server_message::Message::Bye(v1::Bye {})).await;
    assert_eq!(session.replies(1).await[0].id, 1);
    assert!(session.message().await.unwrap().is_none());
}

#[tokio::test]
async fn an_oversized_message_ends_its_session_and_nothing_else() {
    let service = Running::start().await;
    let mut bystander = service.session().await;
    let mut session = service.session().await;
    let mut huge = call(1, "x");
    huge.context = vec![0; 5 * 1024 * 1024].into();
    session.calls(vec![huge]).await;
    let status = session.message().await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    assert_eq!(context(&bystander.ask(call(1, "x")).await), "hello x");
}

#[tokio::test]
async fn calls_of_a_server_that_vanished_are_cancelled() {
    let service = Running::start().await;
    let mut session = service.session().await;
    session
        .calls(vec![call(1, "sleep 60000"), call(2, "x")])
        .await;
    session.replies(1).await;
    drop(session);
    let cancelled = async {
        while service.cancelled.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), cancelled)
        .await
        .expect("the call is dropped");
}
