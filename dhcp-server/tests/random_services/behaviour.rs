//! What a random service does, call by call.

use crate::chains::services::{Act, Script, result, says};
use outrigger_proto::v1::{self, callout_reply::Outcome, option_edit::Action};
use outrigger_proto::{Family, HookPoint, NextStep};
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Ids that no call has.
const NOBODY: u64 = 1 << 20;

/// What a service does with one call.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    Says(NextStep),
    /// With a next step, in time or late.
    Changes(Change, NextStep),
    After(u64, NextStep),
    Context(usize),
    /// PARK, and so much later the final reply.
    Parks(u64, Option<Change>, NextStep),
    ParksForEver,
    ParksAgain,
    Fails,
    NoSuchStep,
    Silent,
    Twice,
    ToNobody,
    Drains,
    Ends,
}

/// Something to change; whether it may be changed depends on the hook point.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Class,
    Subnet(u32),
    Lifetime(u32),
    /// The last octet: 100 to 103 are in the pool, others in the subnet only.
    Address(u8),
    OtherNet,
    Name,
    ResponseOption,
    LeaseTimeAway,
    AddressInUse,
    BadOption,
}

/// One service.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    deeds: Vec<Deed>,
    /// Whether its failures drop packets.
    pub(super) drops: bool,
}

fn steps() -> impl Strategy<Value = NextStep> {
    prop_oneof![
        12 => Just(NextStep::Continue),
        1 => Just(NextStep::Skip),
        1 => Just(NextStep::Drop),
        1 => Just(NextStep::Park),
    ]
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Class),
        (0..3_u32).prop_map(Change::Subnet),
        // Not for ever: at the end every lease must have expired.
        prop_oneof![Just(0), Just(40), Just(u32::MAX - 1)].prop_map(Change::Lifetime),
        (98..106_u8).prop_map(Change::Address),
        Just(Change::OtherNet),
        Just(Change::Name),
        Just(Change::ResponseOption),
        Just(Change::LeaseTimeAway),
        Just(Change::AddressInUse),
        Just(Change::BadOption),
    ]
}

fn deeds() -> impl Strategy<Value = Deed> {
    prop_oneof![
        // Most calls go well, or no client would ever get as far as a lease.
        60 => Just(Deed::Says(NextStep::Continue)),
        2 => steps().prop_map(Deed::Says),
        6 => (changes(), steps()).prop_map(|(change, step)| Deed::Changes(change, step)),
        // The deadline is 40 ms.
        2 => (0..70_u64, steps()).prop_map(|(pause, step)| Deed::After(pause, step)),
        1 => (0..5000_usize).prop_map(Deed::Context),
        2 => (0..90_u64, proptest::option::of(changes()), steps())
            .prop_map(|(pause, change, step)| Deed::Parks(pause, change, step)),
        1 => Just(Deed::ParksForEver),
        1 => Just(Deed::ParksAgain),
        1 => Just(Deed::Fails),
        1 => Just(Deed::NoSuchStep),
        1 => Just(Deed::Silent),
        1 => Just(Deed::Twice),
        1 => Just(Deed::ToNobody),
        1 => Just(Deed::Drains),
        1 => Just(Deed::Ends),
    ]
}

pub(super) fn plans() -> impl Strategy<Value = Plan> {
    let plan = (vec(deeds(), 1..40), proptest::bool::weighted(0.25));
    plan.prop_map(|(deeds, drops)| Plan { deeds, drops })
}

/// A service for each plan, at every hook point that packets meet.
pub(super) fn chain(family: Family, plans: &[Plan]) -> Vec<Script> {
    let background = |point: &HookPoint| {
        let name = point.name();
        name.ends_with("configured") || name.ends_with("updated") || point.spec().family.is_none()
    };
    let points = HookPoint::ALL.iter().copied();
    let points = points.filter(|point| point.is_of(family) && !background(point));
    let points: Vec<HookPoint> = points.collect();
    let script = |plan: &Plan| {
        let (deeds, calls) = (plan.deeds.clone(), AtomicUsize::new(0));
        Script::new(&points, move |_| {
            let call = calls.fetch_add(1, Relaxed);
            deeds[call % deeds.len()].acts(family)
        })
    };
    plans.iter().map(script).collect()
}

fn after(pause: u64, reply: Outcome) -> Vec<Act> {
    vec![Act::Wait(Duration::from_millis(pause)), Act::reply(reply)]
}

impl Deed {
    fn acts(&self, family: Family) -> Vec<Act> {
        let goes_on = || Act::reply(result(NextStep::Continue, None));
        let parks = || Act::reply(result(NextStep::Park, None));
        match self {
            Self::Says(step) => says(*step),
            Self::Changes(change, step) => vec![Act::reply(result(*step, Some(change.of(family))))],
            Self::After(pause, step) => after(*pause, result(*step, None)),
            Self::Context(length) => vec![Act::reply(Outcome::Result(v1::CalloutResult {
                context: Some(vec![7; *length].into()),
                ..Default::default()
            }))],
            Self::Parks(pause, change, step) => {
                let changes = change.as_ref().map(|change| change.of(family));
                let last = after(*pause, result(*step, changes));
                [parks()].into_iter().chain(last).collect()
            }
            Self::ParksForEver => vec![parks()],
            Self::ParksAgain => vec![parks(), parks(), parks()],
            Self::Fails => vec![Act::reply(Outcome::Failure(v1::CalloutFailure::default()))],
            Self::NoSuchStep => vec![Act::reply(Outcome::Result(v1::CalloutResult {
                next_step: 17.into(),
                ..Default::default()
            }))],
            Self::Silent => Vec::new(),
            Self::Twice => vec![goes_on(), Act::reply(result(NextStep::Drop, None))],
            Self::ToNobody => {
                let nobody = Box::new(result(NextStep::Drop, None));
                vec![Act::ReplyTo(NOBODY, nobody), goes_on()]
            }
            Self::Drains => vec![Act::Drain, goes_on()],
            Self::Ends => vec![Act::End],
        }
    }
}

impl Change {
    fn of(&self, family: Family) -> v1::Changes {
        let leased = |lease: v1::LeaseChanges| v1::Changes {
            lease: Some(lease),
            ..Default::default()
        };
        match self {
            Self::Class => of_query(family, &[], &["random"]),
            Self::BadOption => of_query(family, &[edit(Action::Set, 65_536)], &[]),
            Self::Subnet(id) => v1::Changes {
                subnet_id: Some(*id),
                ..Default::default()
            },
            Self::Lifetime(seconds) => leased(v1::LeaseChanges {
                valid_lifetime: Some(*seconds),
                ..Default::default()
            }),
            Self::Address(last) => leased(v1::LeaseChanges {
                address: Some(address(family, *last).into()),
                ..Default::default()
            }),
            Self::OtherNet => leased(v1::LeaseChanges {
                address: Some(vec![10; address(family, 0).len()].into()),
                ..Default::default()
            }),
            Self::Name => leased(v1::LeaseChanges {
                hostname: Some("random.example".to_owned()),
                ..Default::default()
            }),
            Self::ResponseOption => of_response(family, edit(Action::Set, 224)),
            Self::LeaseTimeAway => of_response(family, edit(Action::Remove, 51)),
            Self::AddressInUse => v1::Changes {
                offer_address_in_use: Some(true),
                ..Default::default()
            },
        }
    }
}

fn address(family: Family, last: u8) -> Vec<u8> {
    match family {
        Family::V4 => vec![192, 0, 2, last],
        // 100 to 103 of the other family are ::100 to ::103 here.
        Family::V6 => [
            &[0x20, 1, 0xd, 0xb8][..],
            &[0; 10],
            &[1, last.wrapping_sub(100)],
        ]
        .concat(),
    }
}

fn edit(action: Action, code: u32) -> v1::OptionEdit {
    v1::OptionEdit {
        action: action.into(),
        path: vec![code],
        enterprise: 0,
        data: b"random".to_vec().into(),
    }
}

fn of_query(family: Family, options: &[v1::OptionEdit], classes: &[&str]) -> v1::Changes {
    let options = options.to_vec();
    let add_classes = classes.iter().map(|&class| class.to_owned()).collect();
    match family {
        Family::V4 => v1::Changes {
            query4: Some(v1::Packet4Changes {
                options,
                add_classes,
                ..Default::default()
            }),
            ..Default::default()
        },
        Family::V6 => v1::Changes {
            query6: Some(v1::Packet6Changes {
                options,
                add_classes,
                ..Default::default()
            }),
            ..Default::default()
        },
    }
}

fn of_response(family: Family, edit: v1::OptionEdit) -> v1::Changes {
    match family {
        Family::V4 => v1::Changes {
            response4: Some(v1::Packet4Changes {
                options: vec![edit],
                ..Default::default()
            }),
            ..Default::default()
        },
        Family::V6 => v1::Changes {
            response6: Some(v1::Packet6Changes {
                options: vec![edit],
                ..Default::default()
            }),
            ..Default::default()
        },
    }
}
