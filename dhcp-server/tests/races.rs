//! Two shards and clients that all want something at once.

use crate::common::{Page6, RELAY4, SERVER4, Whole, at4, at6};
use devices::{Device, Device4, Device6, serve_all};
use outrigger_server::telemetry::DiscardReason;
use outrigger_testkit::client4::message;
use outrigger_testkit::{Client4, Reply4Seen};
use outrigger_wire::{V4, V6};
use std::collections::BTreeSet;

mod devices;

fn pool_of(last: &str) -> String {
    format!(
        r#""valid-lifetime": 100, "subnet4": [ {{ "id": 1, "subnet": "192.0.0.0/16",
            "pools": [ {{ "pool": "192.0.3.1-{last}" }} ] }} ]"#
    )
}

fn acked(answers: &[outrigger_wire::Outgoing]) -> Vec<Reply4Seen> {
    let replies = answers
        .iter()
        .map(|answer| Reply4Seen::parse(&answer.bytes).unwrap());
    replies
        .filter(|reply| reply.message_type == message::ACK)
        .collect()
}

#[test]
fn exactly_one_of_many_clients_gets_the_only_address() {
    let server = Whole::<V4>::start(&pool_of("192.0.3.1"), ());
    let link = at4(SERVER4, RELAY4, 67);
    for round in 0..200 {
        // New clients in each round, so that they come to the shards anew.
        let mut clients: Vec<Client4> = (0..8)
            .map(|number| Device4::new(round * 8 + number, None).client)
            .collect();
        let discovers: Vec<_> = clients
            .iter_mut()
            .map(|client| (client.discover(), link.clone()))
            .collect();
        let offers = server.exchange(discovers);
        let offers: Vec<_> = offers
            .iter()
            .map(|offer| Reply4Seen::parse(&offer.bytes).unwrap())
            .collect();
        assert!(
            !offers.is_empty(),
            "round {round}: somebody is offered the address"
        );
        let requests: Vec<_> = clients
            .iter_mut()
            .filter_map(|client| {
                let offer = offers
                    .iter()
                    .find(|offer| offer.hw_address == client.hw_address)?;
                Some((client.request_selecting(offer), link.clone()))
            })
            .collect();
        let acks = acked(&server.exchange(requests));
        assert_eq!(acks.len(), 1, "round {round}");
        let lease = server
            .common
            .alloc
            .store()
            .lock()
            .get(&acks[0].yiaddr)
            .cloned()
            .unwrap();
        assert_eq!(lease.owner.hw_address.bytes(), acks[0].hw_address);
        server.common.clock.advance(101);
    }
}

#[test]
fn thousand_clients_get_the_thousand_addresses() {
    // 192.0.3.1 to 192.0.6.232 are a thousand.
    let server = Whole::<V4>::start(&pool_of("192.0.6.232"), ());
    let devices = (0..1000).map(|number| Device4::new(number, None)).collect();
    let leased = serve_all(&server, devices, &at4(SERVER4, RELAY4, 67), 15);
    assert_eq!(leased.len(), 1000);
    assert_eq!(
        leased.iter().collect::<BTreeSet<_>>().len(),
        1000,
        "nobody twice"
    );
}

#[test]
fn thousand_clients_get_the_thousand_prefixes() {
    let members = r#""subnet6": [ { "id": 1, "subnet": "2001:db8:1::/64",
        "pd-pools": [ { "prefix": "2001:db8:f000::", "prefix-len": 54, "delegated-len": 64 } ] } ]"#;
    let server = Whole::<V6>::start(members, Page6::duid());
    let devices = (0..1024).map(Device6::new).collect();
    let leased = serve_all(&server, devices, &at6("2001:db8::1", "2001:db8:1::1"), 15);
    assert_eq!(
        leased.iter().collect::<BTreeSet<_>>().len(),
        1024,
        "everybody one, nobody the same"
    );
}

/// PXE and the operating system of a machine name themselves differently: to the server they are two clients.
#[test]
fn clients_that_share_a_hardware_address_do_not_share_a_lease() {
    for os_first in [false, true] {
        let server = Whole::<V4>::start(&pool_of("192.0.3.200"), ());
        let devices = (0..100).flat_map(|number| {
            let mut both = [Some(b"\0pxe".to_vec()), Some(b"\xff-os".to_vec())];
            if os_first {
                both.reverse();
            }
            both.map(|id| Device4::new(number, id))
        });
        let leased = serve_all(&server, devices.collect(), &at4(SERVER4, RELAY4, 67), 10);
        assert_eq!(
            leased.iter().collect::<BTreeSet<_>>().len(),
            200,
            "each has one of its own"
        );
    }
}

#[test]
fn machine_whose_pxe_holds_the_last_address_gets_none_for_its_system_unless_that_has_no_identifier()
{
    let server = Whole::<V4>::start(&pool_of("192.0.3.1"), ());
    let link = at4(SERVER4, RELAY4, 67);
    let pxe = Device4::new(1, Some(b"\0pxe".to_vec()));
    let held = serve_all(&server, vec![pxe], &link, 0);
    let mut named = Device4::new(1, Some(b"\xff-os".to_vec()));
    assert!(server.exchange([(named.next(), link.clone())]).is_empty());
    assert_eq!(server.discards.of(DiscardReason::NoneLeft), 1);
    // Kea: where one side has no identifier the hardware address tells that it is the same client.
    let nameless = Device4::new(1, None);
    assert_eq!(serve_all(&server, vec![nameless], &link, 0), held);
    // And back: the lease has no identifier now.
    let pxe = Device4::new(1, Some(b"\0pxe".to_vec()));
    assert_eq!(serve_all(&server, vec![pxe], &link, 0), held);
}
