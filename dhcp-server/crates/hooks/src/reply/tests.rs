use super::*;
use outrigger_config::diagnostic::Position;
use outrigger_config::model::{AtStart, Endpoint};
use std::time::Duration;

fn settings(may_change: Option<&[&str]>) -> HookService {
    let position = Position {
        file: "kea.conf".into(),
        line: 1,
        column: 1,
    };
    HookService {
        name: "s".to_owned(),
        endpoints: vec![Endpoint::Unix("/run/s".into())],
        deadline: Duration::from_millis(50),
        park_deadline: Duration::from_secs(5),
        on_failure: None,
        at_start: AtStart::Serve,
        hook_points: Vec::new(),
        may_change: may_change.map(|paths| {
            let paths = paths.iter();
            paths
                .map(|path| ((*path).to_owned(), position.clone()))
                .collect()
        }),
        parameters: serde_json::Value::Null,
        server_api: Vec::new(),
        position,
    }
}

/// The outcome where the subscription declares everything.
fn checked(
    family: Family,
    point: HookPoint,
    may_change: Option<&[&str]>,
    result: v1::CalloutResult,
) -> Result<Checked, String> {
    let writes: Vec<_> = point
        .spec()
        .changes
        .iter()
        .map(|path| (*path).to_owned())
        .collect();
    let of = Context {
        family,
        point,
        settings: &settings(may_change),
        writes: &writes,
        round: Round::First,
    };
    check(of, result).map_err(|failure| format!("{} {}", failure.cause, failure.text))
}

fn with(changes: v1::Changes) -> v1::CalloutResult {
    v1::CalloutResult {
        changes: Some(changes),
        ..Default::default()
    }
}

fn of_query4(query4: v1::Packet4Changes) -> v1::CalloutResult {
    with(v1::Changes {
        query4: Some(query4),
        ..Default::default()
    })
}

fn of_lease(lease: v1::LeaseChanges) -> v1::CalloutResult {
    with(v1::Changes {
        lease: Some(lease),
        ..Default::default()
    })
}

fn edit(path: &[u32]) -> v1::OptionEdit {
    v1::OptionEdit {
        path: path.to_vec(),
        ..Default::default()
    }
}

fn sets(option: u32) -> v1::CalloutResult {
    with(v1::Changes {
        response4: Some(v1::Packet4Changes {
            options: vec![edit(&[option])],
            ..Default::default()
        }),
        ..Default::default()
    })
}

#[test]
fn a_change_needs_the_table_the_subscription_and_the_operator() {
    let point = HookPoint::Pkt4Send;
    assert!(checked(Family::V4, point, None, sets(67)).is_ok());
    assert!(checked(Family::V4, point, Some(&["response.options.67"]), sets(67)).is_ok());
    assert_eq!(
        checked(Family::V4, point, Some(&["response.options.67"]), sets(6)),
        Err("refused_change response.options.6: not granted by may-change".to_owned())
    );
    assert_eq!(
        checked(Family::V4, point, Some(&[]), sets(6)),
        Err("refused_change response.options.6: not granted by may-change".to_owned())
    );
    let of = Context {
        family: Family::V4,
        point,
        settings: &settings(None),
        writes: &["response.wire".to_owned()],
        round: Round::First,
    };
    assert_eq!(
        check(of, sets(67)),
        Err(Failure::refused(
            "response.options.67",
            "not among what the service said it writes"
        ))
    );
    assert_eq!(
        checked(Family::V4, HookPoint::Subnet4Select, None, sets(67)),
        Err(
            "refused_change response.options.67: nothing that can be changed at this hook point"
                .to_owned()
        )
    );
}

/// What a bad reply at `pkt4_receive` is told.
fn told(result: v1::CalloutResult) -> String {
    checked(Family::V4, HookPoint::Pkt4Receive, None, result).unwrap_err()
}

#[test]
fn steps_contexts_and_families_are_checked() {
    let step = |next_step| v1::CalloutResult {
        next_step: Some(next_step),
        ..Default::default()
    };
    for number in [4, -1, i32::MAX] {
        assert_eq!(
            told(step(number)),
            "malformed_reply next_step: no such next step"
        );
    }
    let context = |len| v1::CalloutResult {
        context: Some(vec![0; len].into()),
        ..Default::default()
    };
    assert_eq!(
        told(context(4097)),
        "malformed_reply context: 4097 bytes, at most 4096"
    );
    let kept = checked(Family::V4, HookPoint::Pkt4Receive, None, context(4096)).unwrap();
    assert_eq!(kept.context.map(|context| context.len()), Some(4096));
    let other = v1::Changes {
        query6: Some(v1::Packet6Changes::default()),
        ..Default::default()
    };
    assert_eq!(
        told(with(other)),
        "malformed_reply changes: a packet of the other family"
    );
}

#[test]
fn header_fields_and_classes_of_a_wrong_form_are_malformed() {
    let none = v1::Packet4Changes::default;
    let cases = [
        (
            v1::Packet4Changes {
                secs: Some(65_536),
                ..none()
            },
            "secs: the field has 16 bits",
        ),
        (
            v1::Packet4Changes {
                flags: Some(u32::MAX),
                ..none()
            },
            "flags: the field has 16 bits",
        ),
        (
            v1::Packet4Changes {
                ciaddr: Some(vec![1, 2, 3].into()),
                ..none()
            },
            "ciaddr: an IPv4 address has 4 bytes",
        ),
        (
            v1::Packet4Changes {
                sname: Some(vec![b'x'; 65].into()),
                ..none()
            },
            "sname: longer than the field",
        ),
        (
            v1::Packet4Changes {
                file: Some(vec![b'x'; 129].into()),
                ..none()
            },
            "file: longer than the field",
        ),
        (
            v1::Packet4Changes {
                add_classes: vec![String::new()],
                ..none()
            },
            "add_classes: not the name of a class",
        ),
        (
            v1::Packet4Changes {
                add_classes: vec!["a\nb".to_owned()],
                ..none()
            },
            "add_classes: not the name of a class",
        ),
        (
            v1::Packet4Changes {
                add_classes: vec!["a".to_owned(); 65],
                ..none()
            },
            "add_classes: more than 64 classes",
        ),
    ];
    for (changes, expected) in cases {
        assert_eq!(
            told(of_query4(changes)),
            format!("malformed_reply {expected}")
        );
    }
}

#[test]
fn edits_of_a_wrong_form_are_malformed() {
    let cases = [
        (vec![edit(&[])], "options.path: empty"),
        (vec![edit(&[1; 9])], "options.path: more than 8 codes"),
        (
            vec![edit(&[255])],
            "options.path: not the code of an option",
        ),
        (vec![edit(&[0])], "options.path: not the code of an option"),
        (
            vec![edit(&[43, 65_536])],
            "options.path: not the code of a sub-option",
        ),
        (vec![edit(&[1]); 257], "options: more than 256 edits"),
        (
            vec![v1::OptionEdit {
                action: 3,
                ..edit(&[1])
            }],
            "options.action: no such action",
        ),
        (
            vec![v1::OptionEdit {
                data: vec![0; 65_536].into(),
                ..edit(&[1])
            }],
            "options: more than 65535 bytes of options",
        ),
    ];
    for (options, expected) in cases {
        let changes = v1::Packet4Changes {
            options,
            ..Default::default()
        };
        assert_eq!(
            told(of_query4(changes)),
            format!("malformed_reply {expected}")
        );
    }
}

#[test]
fn lease_changes_of_a_wrong_form_are_malformed() {
    let bad = |family, point, lease| checked(family, point, None, of_lease(lease)).unwrap_err();
    let four = |lease| bad(Family::V4, HookPoint::Lease4Select, lease);
    let six = |lease| bad(Family::V6, HookPoint::Lease6Select, lease);
    let address = |bytes: &[u8]| v1::LeaseChanges {
        address: Some(Bytes::copy_from_slice(bytes)),
        ..Default::default()
    };
    let hostname = |name: &str| v1::LeaseChanges {
        hostname: Some(name.to_owned()),
        ..Default::default()
    };
    let context = |json: &str| v1::LeaseChanges {
        user_context: Some(json.to_owned()),
        ..Default::default()
    };
    let cases = [
        (four(address(&[])), "lease.address: empty"),
        (
            four(address(&[0; 16])),
            "lease.address: an IPv4 address has 4 bytes",
        ),
        (
            six(address(&[0; 4])),
            "lease.address: an IPv6 address has 16 bytes",
        ),
        (four(hostname("a b")), "lease.hostname: not a host name"),
        (
            four(hostname(&"x".repeat(256))),
            "lease.hostname: not a host name",
        ),
        (four(context("[]")), "lease.user_context: not a JSON map"),
        (six(context("{")), "lease.user_context: not a JSON map"),
    ];
    for (told, expected) in cases {
        assert_eq!(told, format!("malformed_reply {expected}"));
    }
    for fine in [hostname(""), context(""), context(r#"{"a":1}"#)] {
        assert!(checked(Family::V4, HookPoint::Lease4Select, None, of_lease(fine)).is_ok());
    }
}

#[test]
fn a_packed_reply_counts_only_with_skip() {
    let packed = |next_step: NextStep| v1::CalloutResult {
        next_step: Some(next_step as i32),
        ..with(v1::Changes {
            response6: Some(v1::Packet6Changes {
                wire: Some(Bytes::from_static(b"packed")),
                ..Default::default()
            }),
            ..Default::default()
        })
    };
    let at = |point, next| checked(Family::V6, point, None, packed(next));
    assert!(at(HookPoint::Pkt6Send, NextStep::Skip).is_ok());
    assert_eq!(
        at(HookPoint::Pkt6Send, NextStep::Continue),
        Err("malformed_reply response.wire: counts only together with SKIP".to_owned())
    );
    assert!(at(HookPoint::Buffer6Send, NextStep::Continue).is_ok());
}
