use super::*;
use crate::recording::Encoded;
use std::io::{BufReader, Read as _};

fn line(record: &Record) -> Vec<u8> {
    let mut line = serde_json::to_vec(record).unwrap();
    line.push(b'\n');
    line
}

fn place(at_us: u64, stream: u64) -> Place {
    Place {
        at_us,
        connection: 1,
        stream,
    }
}

fn head() -> Vec<u8> {
    let load = Record::Load {
        place: place(0, 1),
        service: String::new(),
        revision: 0,
        parameters_redacted: false,
        message: Encoded(Vec::new()),
    };
    let result = Some(v1::load_reply::Result::Loaded(v1::Loaded::default()));
    let loaded = Record::Loaded {
        place: place(0, 1),
        message: Encoded(v1::LoadReply { result }.encode_to_vec()),
    };
    [line(&Record::first()), line(&load), line(&loaded)].concat()
}

fn call(id: u64, at_us: u64) -> Vec<u8> {
    let head = raw::Call {
        id,
        budget_us: 50_000,
        ..Default::default()
    };
    line(&Record::Call {
        place: place(at_us, 2),
        id,
        hook_point: String::new(),
        packet: String::new(),
        budget_us: 0,
        message: Encoded(head.encode_to_vec()),
    })
}

fn reply(id: u64, at_us: u64, step: i32) -> Vec<u8> {
    let result = v1::CalloutResult {
        next_step: Some(step),
        ..Default::default()
    };
    let reply = v1::CalloutReply {
        id,
        outcome: Some(Outcome::Result(result)),
    };
    line(&Record::Reply {
        place: place(at_us, 2),
        id,
        answer: Value::Null,
        message: Encoded(reply.encode_to_vec()),
    })
}

/// Id, time and PARK of each call.
fn calls(file: &[u8]) -> Vec<(u64, Option<(u64, bool)>)> {
    let mut steps = Steps::new(Reader::open(file).unwrap());
    let mut calls = Vec::new();
    while let Some(step) = steps.next().unwrap() {
        if let Step::Call(call) = step {
            let answer = call.answer.map(|answer| (call.took_us, answer.parked));
            calls.push((call.head.id, answer));
        }
    }
    assert!(
        steps.open.values().all(HashMap::is_empty),
        "{:?}",
        steps.open
    );
    calls
}

#[test]
fn calls_come_in_their_order_with_their_replies() {
    let file = [
        head(),
        call(1, 10),
        call(2, 20),
        reply(2, 25, 0),
        reply(1, 30, 3),
        call(3, 40),
        reply(1, 50, 1),
        // Twice, and to nobody.
        reply(1, 60, 1),
        reply(9, 60, 1),
        // The id is used again.
        call(1, 70),
        reply(1, 71, 0),
    ]
    .concat();
    let expected = [
        (1, Some((40, true))),
        (2, Some((5, false))),
        (3, None),
        (1, Some((1, false))),
    ];
    assert_eq!(calls(&file), expected);
}

#[test]
fn a_call_without_a_reply_does_not_hold_the_others_up_for_long() {
    let later = LATE_US + 100_000;
    let file = [head(), call(1, 0), call(2, later)].concat();
    let endless = file.as_slice().chain(std::io::repeat(b' '));
    let mut steps = Steps::new(Reader::open(BufReader::new(endless)).unwrap());
    assert!(matches!(steps.next(), Ok(Some(Step::Load(_)))));
    assert!(matches!(steps.next(), Ok(Some(Step::Call(call))) if call.head.id == 1));
}

#[test]
fn what_is_read_ahead_is_bounded() {
    let mut file = head();
    let count = 2 * MAX_AHEAD as u64;
    for id in 0..count {
        file.extend(call(id, 0));
    }
    let mut steps = Steps::new(Reader::open(file.as_slice()).unwrap());
    let mut seen = 0;
    while let Some(step) = steps.next().unwrap() {
        seen += u64::from(matches!(step, Step::Call(_)));
        assert!(steps.waiting.len() <= MAX_AHEAD);
    }
    assert_eq!(seen, count);
}

#[test]
fn configurations_that_take_too_much_room_end_the_replay() {
    let mut file = head();
    for number in 0..20 {
        let load = v1::LoadRequest {
            configuration_revision: number,
            parameters: "x".repeat(MAX_LOAD_BYTES / 19),
            ..Default::default()
        };
        file.extend(line(&Record::Load {
            place: place(0, 2 + number),
            service: String::new(),
            revision: number,
            parameters_redacted: false,
            message: Encoded(load.encode_to_vec()),
        }));
    }
    let mut steps = Steps::new(Reader::open(file.as_slice()).unwrap());
    assert!(matches!(steps.next(), Ok(Some(Step::Load(_)))));
    let error = steps.next().unwrap_err().to_string();
    assert!(error.contains("bytes of them"), "{error}");
}
