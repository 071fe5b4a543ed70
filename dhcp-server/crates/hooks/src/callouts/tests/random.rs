//! Whatever a reply says: nothing panics, and a refused reply changes nothing.

use super::super::v4::{Ddns4Update, Host4Identifier};
use super::super::v6::{Addr6Register, Lease6Renew};
use super::super::{FlexIdentifier, Names};
use super::*;
use crate::reply::{self, Context, Round};
use outrigger_config::diagnostic::Position;
use outrigger_config::model::{AtStart, Endpoint, HookService};
use outrigger_proto::Family as Protocol;
use outrigger_proto::NextStep;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use std::time::Duration;

const REPLIES: u64 = 80;

/// Replies of which some are valid.
struct Replies(StdRng);

impl Replies {
    /// Mostly nothing.
    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.0.random_ratio(1, 4).then(|| value(self))
    }

    fn bytes(&mut self) -> Bytes {
        const LENGTHS: [usize; 8] = [0, 1, 4, 6, 16, 40, 260, 70_000];
        let len = LENGTHS[self.0.random_range(0..LENGTHS.len())];
        let mut bytes = vec![0; len];
        if self.0.random() {
            self.0.fill_bytes(&mut bytes);
        }
        bytes.into()
    }

    fn number(&mut self) -> u32 {
        const NUMBERS: [u32; 12] = [0, 1, 2, 3, 5, 8, 9, 53, 82, 255, 65_536, u32::MAX];
        NUMBERS[self.0.random_range(0..NUMBERS.len())]
    }

    fn text(&mut self) -> String {
        const TEXTS: [&str; 6] = ["", "gold", "a b", "{}", r#"{"result": 0}"#, "\u{0}"];
        TEXTS[self.0.random_range(0..TEXTS.len())].to_owned()
    }

    fn edits(&mut self) -> Vec<v1::OptionEdit> {
        let count = self.0.random_range(0..3);
        let edit = |_| v1::OptionEdit {
            action: self.0.random_range(0..4),
            path: (0..self.0.random_range(0..4))
                .map(|_| self.number())
                .collect(),
            enterprise: self.0.random_range(0..2),
            data: self.bytes(),
        };
        (0..count).map(edit).collect()
    }

    fn options(&mut self) -> Vec<v1::Option> {
        let option = |_| v1::Option {
            code: self.number(),
            data: self.bytes(),
        };
        (0..2).map(option).collect()
    }

    fn link(&mut self) -> v1::LinkChanges {
        v1::LinkChanges {
            interface: self.maybe(Self::text),
            remote_address: self.maybe(Self::bytes),
            remote_port: self.maybe(Self::number),
            local_address: self.maybe(Self::bytes),
        }
    }

    fn hw_address(&mut self) -> v1::HwAddress {
        v1::HwAddress {
            htype: self.number(),
            address: self.bytes(),
        }
    }

    fn packet4(&mut self) -> v1::Packet4Changes {
        v1::Packet4Changes {
            options: self.edits(),
            secs: self.maybe(Self::number),
            flags: self.maybe(Self::number),
            ciaddr: self.maybe(Self::bytes),
            yiaddr: self.maybe(Self::bytes),
            siaddr: self.maybe(Self::bytes),
            sname: self.maybe(Self::bytes),
            file: self.maybe(Self::bytes),
            add_classes: self.maybe(Self::text).into_iter().collect(),
            wire: self.maybe(Self::bytes),
            message_type: self.maybe(Self::number),
            hops: self.maybe(Self::number),
            hw_address: self.maybe(Self::hw_address),
            link: self.maybe(Self::link),
            parsed: self.maybe(|replies| v1::Packet4 {
                message_type: replies.number(),
                hops: replies.number(),
                ciaddr: replies.bytes(),
                hw_address: replies.maybe(Self::hw_address),
                options: replies.options(),
                ..Default::default()
            }),
            add_additional_classes: self.maybe(Self::text).into_iter().collect(),
        }
    }

    fn packet6(&mut self) -> v1::Packet6Changes {
        let relay_edit = |replies: &mut Self| v1::RelayOptionEdit {
            relay: replies.number(),
            edit: replies.edits().pop(),
        };
        v1::Packet6Changes {
            options: self.edits(),
            add_classes: self.maybe(Self::text).into_iter().collect(),
            wire: self.maybe(Self::bytes),
            message_type: self.maybe(Self::number),
            link: self.maybe(Self::link),
            parsed: self.maybe(|replies| v1::Packet6 {
                message_type: replies.number(),
                options: replies.options(),
                relays: vec![v1::Relay6 {
                    peer_address: replies.bytes(),
                    options: replies.options(),
                    ..Default::default()
                }],
                ..Default::default()
            }),
            add_additional_classes: self.maybe(Self::text).into_iter().collect(),
            relay_options: self.maybe(relay_edit).into_iter().collect(),
        }
    }

    fn lease(&mut self) -> v1::LeaseChanges {
        v1::LeaseChanges {
            address: self.maybe(Self::bytes),
            valid_lifetime: self.maybe(Self::number),
            preferred_lifetime: self.maybe(Self::number),
            hostname: self.maybe(Self::text),
            fqdn_fwd: self.maybe(|replies| replies.0.random()),
            fqdn_rev: self.maybe(|replies| replies.0.random()),
            user_context: self.maybe(Self::text),
        }
    }

    /// Of the parts that the table lists for `point`, so that more than the first check is met.
    fn changes(&mut self, point: HookPoint) -> v1::Changes {
        let listed = |path: &str| {
            let mut rows = point.spec().changes.iter();
            rows.any(|row| row.starts_with(path))
        };
        let four = point.is_of(Protocol::V4);
        v1::Changes {
            query4: (four && listed("query")).then(|| self.packet4()),
            query6: (!four && listed("query")).then(|| self.packet6()),
            response4: (four && listed("response")).then(|| self.packet4()),
            response6: (!four && listed("response")).then(|| self.packet6()),
            lease: listed("lease").then(|| self.lease()),
            subnet_id: if listed("subnet") {
                self.maybe(Self::number)
            } else {
                None
            },
            host_identifier: if listed("identifier") {
                self.maybe(Self::bytes)
            } else {
                None
            },
            ia_options: if listed("ia") {
                self.edits()
            } else {
                Vec::new()
            },
            ..Default::default()
        }
    }

    fn reply(&mut self, point: HookPoint) -> v1::CalloutResult {
        v1::CalloutResult {
            next_step: Some(NextStep::Skip as i32),
            changes: Some(self.changes(point)),
            ..Default::default()
        }
    }
}

fn settings() -> HookService {
    let position = Position {
        file: "kea.conf".into(),
        line: 1,
        column: 1,
    };
    let text =
        r#"{ "Dhcp4": { "hook-services": [ { "name": "s", "endpoints": [ "unix:/run/s" ] } ] } }"#;
    let loaded = outrigger_config::load_text("test", text);
    let Some(outrigger_config::model::Config::V4(server)) = loaded.config else {
        panic!("{:?}", loaded.diagnostics);
    };
    HookService {
        endpoints: vec![Endpoint::Unix("/run/s".into())],
        at_start: AtStart::Serve,
        deadline: Duration::from_millis(50),
        position,
        ..server.hook_services[0].clone()
    }
}

/// Applies many replies to what `fresh` makes; `with` shows the callout of a state.
fn check<S: std::fmt::Debug>(
    point: HookPoint,
    fresh: impl Fn() -> S,
    with: impl Fn(&mut S, v1::Changes) -> Result<(), Refused>,
) {
    let settings = settings();
    let writes: Vec<String> = point
        .spec()
        .changes
        .iter()
        .map(|row| (*row).to_owned())
        .collect();
    let family = if point.is_of(Protocol::V4) {
        Protocol::V4
    } else {
        Protocol::V6
    };
    let before = format!("{:?}", fresh());
    let (mut applied, mut refused) = (0, 0);
    for seed in 0..REPLIES {
        let mut replies = Replies(StdRng::seed_from_u64(seed));
        let result = replies.reply(point);
        // A reply that the first check refuses is applied all the same: the callout must stand alone.
        let of = Context {
            family,
            point,
            settings: &settings,
            writes: &writes,
            round: Round::First,
        };
        let changes = match reply::check(of, result.clone()) {
            Ok(checked) => checked.changes,
            Err(_) => result.changes,
        };
        let mut state = fresh();
        match with(&mut state, changes.unwrap_or_default()) {
            Ok(()) => applied += 1,
            Err(why) => {
                refused += 1;
                assert_eq!(format!("{state:?}"), before, "{point}, seed {seed}: {why}");
            }
        }
    }
    assert!(
        applied > 0 && refused > 0,
        "{point}: {applied} applied, {refused} refused"
    );
}

#[test]
fn a_refused_reply_changes_nothing_of_a_dhcpv4_query() {
    let received = || (datagram4(), Classes::default(), Classes::default(), None);
    check(HookPoint::Buffer4Receive, received, |state, changes| {
        let (datagram, classes, additional_classes, parsed) = state;
        Buffer4Receive {
            datagram,
            classes,
            additional_classes,
            parsed,
        }
        .apply(changes)
    });
    check(HookPoint::Pkt4Receive, query4, |query, changes| {
        Pkt4Receive { query }.apply(changes)
    });
    check(
        HookPoint::Subnet4Select,
        || (query4(), Some(1)),
        |(query, subnet_id), changes| {
            Subnet4Select {
                query,
                subnet_id,
                subnet_ids: &[1, 2],
            }
            .apply(changes)
        },
    );
    let identified = || (query4(), FlexIdentifier::default());
    check(
        HookPoint::Host4Identifier,
        identified,
        |(query, identifier), changes| Host4Identifier { query, identifier }.apply(changes),
    );
    let named = || {
        (
            query4(),
            Reply4::to(&query4().packet, Type4::Ack),
            Names::default(),
        )
    };
    check(
        HookPoint::Ddns4Update,
        named,
        |(query, response, names), changes| {
            let (subnet_id, parameters) = (None, None);
            Ddns4Update {
                query,
                response,
                subnet_id,
                names,
                parameters,
            }
            .apply(changes)
        },
    );
    let selected = || (query4(), lease4());
    check(
        HookPoint::Lease4Select,
        selected,
        |(query, lease), changes| {
            let claim = &mut |_| Err("it is taken");
            let (fake_allocation, offer_lifetime, subnet_id) = (true, 0, 4);
            v4::Lease4Select {
                query,
                subnet_id,
                fake_allocation,
                offer_lifetime,
                lease,
                claim,
            }
            .apply(changes)
        },
    );
}

#[test]
fn a_refused_reply_changes_nothing_of_a_dhcpv4_reply() {
    let answered = || {
        (
            query4(),
            Reply4::to(&query4().packet, Type4::Ack),
            no_link(),
            None,
        )
    };
    check(
        HookPoint::Pkt4Send,
        answered,
        |(query, response, link, packed), changes| {
            Pkt4Send {
                query,
                response,
                subnet_id: None,
                packed,
                link,
            }
            .apply(changes)
        },
    );
    check(
        HookPoint::Leases4Committed,
        answered,
        |(query, response, link, _), changes| {
            let (leases, deleted) = (&[], &[]);
            Leases4Committed {
                query,
                response: Some(response),
                leases,
                deleted,
                link,
            }
            .apply(changes)
        },
    );
    check(
        HookPoint::Buffer4Send,
        || (outgoing4(), no_link()),
        |(outgoing, link), changes| Buffer4Send { outgoing, link }.apply(changes),
    );
}

#[test]
fn a_refused_reply_changes_nothing_of_a_dhcpv6_query() {
    let received = || (datagram6(), Classes::default(), Classes::default(), None);
    check(HookPoint::Buffer6Receive, received, |state, changes| {
        let (datagram, classes, additional_classes, parsed) = state;
        Buffer6Receive {
            datagram,
            classes,
            additional_classes,
            parsed,
        }
        .apply(changes)
    });
    check(HookPoint::Pkt6Receive, query6, |query, changes| {
        Pkt6Receive { query }.apply(changes)
    });
    let leased = || {
        let lease = lease6(Resource6::Address(Ipv6Addr::LOCALHOST));
        (
            query6(),
            Reply6::to(&query6().packet, Type6::Reply),
            no_link(),
            lease,
        )
    };
    check(
        HookPoint::Lease6Renew,
        || (leased(), Options::new()),
        |state, changes| {
            let ((query, _, _, lease), ia_options) = state;
            Lease6Renew {
                query,
                lease,
                ia_options,
            }
            .apply(changes)
        },
    );
    check(
        HookPoint::Addr6Register,
        leased,
        |(query, response, link, new_lease), changes| {
            let (address, old_lease) = (Ipv6Addr::LOCALHOST, None);
            Addr6Register {
                query,
                response,
                link,
                address,
                old_lease,
                new_lease,
            }
            .apply(changes)
        },
    );
}

#[test]
fn a_refused_reply_changes_nothing_of_a_dhcpv6_reply() {
    let answered = || {
        (
            query6(),
            Reply6::to(&query6().packet, Type6::Reply),
            no_link(),
            None,
        )
    };
    check(
        HookPoint::Pkt6Send,
        answered,
        |(query, response, link, packed), changes| {
            Pkt6Send {
                query,
                response,
                subnet_id: None,
                packed,
                link,
            }
            .apply(changes)
        },
    );
    check(
        HookPoint::Leases6Committed,
        answered,
        |(query, response, link, _), changes| {
            let (leases, deleted) = (&[], &[]);
            Leases6Committed {
                query,
                response: Some(response),
                leases,
                deleted,
                link,
            }
            .apply(changes)
        },
    );
}

fn datagram4() -> Datagram {
    Datagram {
        bytes: Buffer::copy_of(&[0; 240]),
        link: link(),
    }
}

fn datagram6() -> Datagram {
    let mut bytes = Vec::new();
    let reply = Reply6::to(&query6().packet, Type6::Reply);
    reply.encode(&mut bytes).unwrap();
    Datagram {
        bytes: Buffer::copy_of(&bytes),
        link: link(),
    }
}

fn outgoing4() -> Outgoing {
    Outgoing {
        bytes: Buffer::copy_of(&[0; 240]),
        link: link(),
        to_hardware: None,
    }
}
