//! One family's side of what the tests say of both.

use crate::common::{Page, Page4, Page6, at4, at6};
use outrigger_proto::v1::{self, arguments::Point};
use outrigger_proto::{HookPoint, v1::option_edit::Action};
use outrigger_server::served::Served;
use outrigger_server::telemetry::DiscardReason;
use outrigger_testkit::{Client4, Client6, Ia, Reply4Seen, Reply6Seen};
use outrigger_wire::buffer::Buffer;
use outrigger_wire::{Datagram, V4, V6};
use std::net::{IpAddr, Ipv4Addr};

/// The option that callouts mark answers with: one for private use, and one that nobody has.
const MARK4: u8 = 224;
const MARK6: u16 = 65_000;

/// What matters of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) address: Option<IpAddr>,
    pub(crate) valid: Option<u32>,
    pub(crate) mark: Option<Vec<u8>>,
}

/// Whether a packet is answered.
pub(crate) type Come = Result<(), DiscardReason>;

/// What is told of a packet to services.
pub(crate) struct Shown {
    pub(crate) classes: Vec<String>,
    pub(crate) mark: Option<Vec<u8>>,
}

/// A family whose packets go through the same hook points under other names.
pub(crate) trait Side: Served {
    /// `pktN_receive`.
    const RECEIVE: HookPoint;
    /// `subnetN_select`.
    const SUBNET: HookPoint;
    /// `leaseN_select`.
    const SELECT: HookPoint;
    /// `leasesN_committed`.
    const COMMITTED: HookPoint;
    /// `pktN_send`.
    const SEND: HookPoint;
    /// Every hook point that a packet meets on its way to a first lease, in their order.
    const WAY: &[HookPoint];

    /// How addresses of the first subnet begin.
    const NET: &str;

    /// A page with two subnets, of which clients are on the first, and these further members.
    fn chained(members: &str) -> Page<Self>;

    /// DISCOVER or SOLICIT of a client without lease.
    fn ask(page: &Page<Self>, client: u8) -> Result<Seen, DiscardReason>;

    /// The whole exchange; the first packet that gets no answer ends it.
    fn leased(page: &Page<Self>, client: u8) -> Result<Seen, DiscardReason>;

    /// The first message of a client as it arrives.
    fn first(client: u8) -> Datagram;

    /// What the first messages of two clients come to that arrive together.
    fn ask_at_once(page: &Page<Self>, clients: [u8; 2]) -> (Come, Come) {
        let [first, second] = clients.map(|client| async move {
            let served = Self::serve(&page.page, &page.cfg, &page.hooks, Self::first(client));
            served.await.map(drop).map_err(|discard| discard.reason)
        });
        page.runtime.block_on(async { tokio::join!(first, second) })
    }

    /// As much of the exchange as it takes to meet `point` once.
    fn meet(page: &Page<Self>, point: HookPoint, client: u8) -> Come {
        let met = if point == Self::COMMITTED {
            Self::leased(page, client)
        } else {
            Self::ask(page, client)
        };
        met.map(drop)
    }

    /// Changes of the query.
    fn of_query(mark: Option<&[u8]>, classes: &[&str]) -> v1::Changes;

    /// Changes of the response.
    fn of_response(mark: &[u8]) -> v1::Changes;

    /// The query of a call that has one.
    fn query(call: &v1::CalloutRequest) -> Shown;

    /// The response at [`Self::SEND`].
    fn response(call: &v1::CalloutRequest) -> Shown;

    /// The lease at [`Self::SELECT`].
    fn selected(call: &v1::CalloutRequest) -> v1::Lease;

    /// The subnet at [`Self::SUBNET`].
    fn subnet(call: &v1::CalloutRequest) -> u32;
}

fn point(call: &v1::CalloutRequest) -> &Point {
    let arguments = call.arguments.as_ref().expect("every call has arguments");
    arguments.point.as_ref().expect("of its hook point")
}

fn edit(code: u32, data: &[u8]) -> v1::OptionEdit {
    v1::OptionEdit {
        action: Action::Set.into(),
        path: vec![code],
        enterprise: 0,
        data: data.to_vec().into(),
    }
}

fn owned(classes: &[&str]) -> Vec<String> {
    classes.iter().map(|&class| class.to_owned()).collect()
}

fn shown(classes: &[String], options: &[v1::Option], code: u32) -> Shown {
    let mark = options.iter().find(|option| option.code == code);
    Shown {
        classes: classes.to_vec(),
        mark: mark.map(|option| option.data.to_vec()),
    }
}

fn shown4(packet: Option<&v1::Packet4>) -> Shown {
    let packet = packet.expect("all was asked for");
    shown(&packet.classes, &packet.options, MARK4.into())
}

fn shown6(packet: Option<&v1::Packet6>) -> Shown {
    let packet = packet.expect("all was asked for");
    shown(&packet.classes, &packet.options, MARK6.into())
}

fn seen4(reply: &Reply4Seen) -> Seen {
    Seen {
        address: Some(reply.yiaddr.into()),
        valid: reply.number(51),
        mark: reply.option(MARK4).map(<[u8]>::to_vec),
    }
}

fn seen6(reply: &Reply6Seen) -> Seen {
    let first = reply.addresses().next();
    Seen {
        address: first.map(|seen| seen.address.into()),
        valid: first.map(|seen| seen.valid),
        mark: reply.option(MARK6).map(<[u8]>::to_vec),
    }
}

fn client6(number: u8) -> Client6 {
    let duid = Client6::duid_ll([2, 0, 0, 0, 0, number]);
    Client6::new(duid, vec![Ia::na(1)])
}

impl Side for V4 {
    const RECEIVE: HookPoint = HookPoint::Pkt4Receive;
    const SUBNET: HookPoint = HookPoint::Subnet4Select;
    const SELECT: HookPoint = HookPoint::Lease4Select;
    const COMMITTED: HookPoint = HookPoint::Leases4Committed;
    const SEND: HookPoint = HookPoint::Pkt4Send;
    const WAY: &[HookPoint] = &[
        HookPoint::Buffer4Receive,
        HookPoint::Pkt4Receive,
        HookPoint::Subnet4Select,
        HookPoint::Ddns4Update,
        HookPoint::Lease4Select,
        HookPoint::Lease4Offer,
        HookPoint::Leases4Committed,
        HookPoint::Pkt4Send,
        HookPoint::Buffer4Send,
    ];

    const NET: &str = "192.0.2.";

    fn chained(members: &str) -> Page4 {
        Page4::new(&format!(
            r#""valid-lifetime": 1000, {members}, "subnet4": [
                {{ "id": 1, "subnet": "192.0.2.0/24", "interface": "eth0",
                   "pools": [ {{ "pool": "192.0.2.100-192.0.2.199" }} ] }},
                {{ "id": 2, "subnet": "198.51.100.0/24",
                   "pools": [ {{ "pool": "198.51.100.100-198.51.100.199" }} ] }} ]"#
        ))
    }

    fn ask(page: &Page4, client: u8) -> Result<Seen, DiscardReason> {
        let mut client = Client4::new([2, 0, 0, 0, 0, client]);
        page.ask(&client.discover()).map(|offer| seen4(&offer))
    }

    fn leased(page: &Page4, client: u8) -> Result<Seen, DiscardReason> {
        let mut client = Client4::new([2, 0, 0, 0, 0, client]);
        let offer = page.ask(&client.discover())?;
        let ack = page.ask(&client.request_selecting(&offer))?;
        Ok(seen4(&ack))
    }

    fn first(client: u8) -> Datagram {
        let discover = Client4::new([2, 0, 0, 0, 0, client]).discover();
        Datagram {
            bytes: Buffer::copy_of(&discover),
            link: at4(Ipv4Addr::BROADCAST, Ipv4Addr::UNSPECIFIED, 68),
        }
    }

    fn of_query(mark: Option<&[u8]>, classes: &[&str]) -> v1::Changes {
        v1::Changes {
            query4: Some(v1::Packet4Changes {
                options: mark
                    .map(|mark| edit(MARK4.into(), mark))
                    .into_iter()
                    .collect(),
                add_classes: owned(classes),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    fn of_response(mark: &[u8]) -> v1::Changes {
        v1::Changes {
            response4: Some(v1::Packet4Changes {
                options: vec![edit(MARK4.into(), mark)],
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    fn query(call: &v1::CalloutRequest) -> Shown {
        match point(call) {
            Point::Pkt4Receive(seen) => shown4(seen.query.as_ref()),
            Point::Subnet4Select(seen) => shown4(seen.query.as_ref()),
            Point::Pkt4Send(seen) => shown4(seen.query.as_ref()),
            other => panic!("{other:?}"),
        }
    }

    fn response(call: &v1::CalloutRequest) -> Shown {
        match point(call) {
            Point::Pkt4Send(seen) => shown4(seen.response.as_ref()),
            other => panic!("{other:?}"),
        }
    }

    fn selected(call: &v1::CalloutRequest) -> v1::Lease {
        match point(call) {
            Point::Lease4Select(seen) => seen.lease.clone().expect("all was asked for"),
            other => panic!("{other:?}"),
        }
    }

    fn subnet(call: &v1::CalloutRequest) -> u32 {
        match point(call) {
            Point::Subnet4Select(seen) => seen.subnet_id,
            other => panic!("{other:?}"),
        }
    }
}

impl Side for V6 {
    const RECEIVE: HookPoint = HookPoint::Pkt6Receive;
    const SUBNET: HookPoint = HookPoint::Subnet6Select;
    const SELECT: HookPoint = HookPoint::Lease6Select;
    const COMMITTED: HookPoint = HookPoint::Leases6Committed;
    const SEND: HookPoint = HookPoint::Pkt6Send;
    const WAY: &[HookPoint] = &[
        HookPoint::Buffer6Receive,
        HookPoint::Pkt6Receive,
        HookPoint::Subnet6Select,
        HookPoint::Lease6Select,
        HookPoint::Leases6Committed,
        HookPoint::Pkt6Send,
        HookPoint::Buffer6Send,
    ];

    const NET: &str = "2001:db8:1:";

    fn chained(members: &str) -> Page6 {
        Page6::new(&format!(
            r#""preferred-lifetime": 500, "valid-lifetime": 1000, {members}, "subnet6": [
                {{ "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
                   "pools": [ {{ "pool": "2001:db8:1::100-2001:db8:1::1ff" }} ] }},
                {{ "id": 2, "subnet": "2001:db8:2::/64",
                   "pools": [ {{ "pool": "2001:db8:2::100-2001:db8:2::1ff" }} ] }} ]"#
        ))
    }

    fn ask(page: &Page6, client: u8) -> Result<Seen, DiscardReason> {
        let solicit = client6(client).solicit();
        page.ask(&solicit).map(|advertise| seen6(&advertise))
    }

    fn leased(page: &Page6, client: u8) -> Result<Seen, DiscardReason> {
        let mut client = client6(client);
        let advertise = page.ask(&client.solicit())?;
        let reply = page.ask(&client.request(&advertise))?;
        Ok(seen6(&reply))
    }

    fn first(client: u8) -> Datagram {
        Datagram {
            bytes: Buffer::copy_of(&client6(client).solicit()),
            link: at6("ff02::1:2", "fe80::7"),
        }
    }

    fn of_query(mark: Option<&[u8]>, classes: &[&str]) -> v1::Changes {
        v1::Changes {
            query6: Some(v1::Packet6Changes {
                options: mark
                    .map(|mark| edit(MARK6.into(), mark))
                    .into_iter()
                    .collect(),
                add_classes: owned(classes),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    fn of_response(mark: &[u8]) -> v1::Changes {
        v1::Changes {
            response6: Some(v1::Packet6Changes {
                options: vec![edit(MARK6.into(), mark)],
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    fn query(call: &v1::CalloutRequest) -> Shown {
        match point(call) {
            Point::Pkt6Receive(seen) => shown6(seen.query.as_ref()),
            Point::Subnet6Select(seen) => shown6(seen.query.as_ref()),
            Point::Pkt6Send(seen) => shown6(seen.query.as_ref()),
            other => panic!("{other:?}"),
        }
    }

    fn response(call: &v1::CalloutRequest) -> Shown {
        match point(call) {
            Point::Pkt6Send(seen) => shown6(seen.response.as_ref()),
            other => panic!("{other:?}"),
        }
    }

    fn selected(call: &v1::CalloutRequest) -> v1::Lease {
        match point(call) {
            Point::Lease6Select(seen) => seen.lease.clone().expect("all was asked for"),
            other => panic!("{other:?}"),
        }
    }

    fn subnet(call: &v1::CalloutRequest) -> u32 {
        match point(call) {
            Point::Subnet6Select(seen) => seen.subnet_id,
            other => panic!("{other:?}"),
        }
    }
}
