//! Addresses that a callout chooses at `lease4_select` (DHCPv4).

use crate::common::{Page4, Service, changes, goes_on};
use outrigger_hooks::Cause;
use outrigger_proto::v1::arguments::Point;
use outrigger_proto::{HookPoint, v1};
use outrigger_store::LeaseState;
use outrigger_testkit::Client4;
use outrigger_testkit::client4::message;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

/// Ten addresses, one of them reserved, and one reserved address outside of them.
const NET: &str = r#"
    "valid-lifetime": 1000,
    "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24", "interface": "eth0",
                   "pools": [ { "pool": "192.0.2.100-192.0.2.109" } ],
                   "reservations": [ { "hw-address": "02:00:00:00:00:63", "ip-address": "192.0.2.105" },
                                     { "hw-address": "02:00:00:00:00:64", "ip-address": "192.0.2.8" } ] } ]"#;

fn client(number: u8) -> Client4 {
    Client4::new([2, 0, 0, 0, 0, number])
}

fn addr(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, last)
}

/// A page whose callout chooses what the test writes there.
struct Chooser {
    page: Page4,
    service: Service,
    choice: Arc<Mutex<Option<Ipv4Addr>>>,
}

impl Chooser {
    fn new(members: &str) -> Self {
        let choice: Arc<Mutex<Option<Ipv4Addr>>> = Arc::default();
        let chosen = Arc::clone(&choice);
        let points = [HookPoint::Lease4Select, HookPoint::Lease4Renew];
        let service = Service::start(&points, move |point| {
            match (point, *chosen.lock().unwrap()) {
                (Point::Lease4Select(_), Some(address)) => changes(v1::Changes {
                    lease: Some(v1::LeaseChanges {
                        address: Some(address.octets().to_vec().into()),
                        ..Default::default()
                    }),
                    ..Default::default()
                }),
                _ => goes_on(),
            }
        });
        let page = Page4::new(&format!("{members}, {}", service.member()));
        Self {
            page,
            service,
            choice,
        }
    }

    fn choose(&self, address: Option<Ipv4Addr>) {
        *self.choice.lock().unwrap() = address;
    }

    /// What the client is offered when the callout chooses `address`.
    fn offered(&self, client: &mut Client4, address: Ipv4Addr) -> Ipv4Addr {
        self.choose(Some(address));
        self.page.ask(&client.discover()).unwrap().yiaddr
    }
}

#[test]
fn address_outside_the_pools_is_leased_and_stays_its_clients() {
    let chooser = Chooser::new(NET);
    chooser.choose(Some(addr(5)));
    let mut client = client(1);
    assert_eq!(chooser.page.lease_to(&mut client).yiaddr, addr(5));
    let lease = chooser.page.lease(addr(5)).unwrap();
    assert_eq!((lease.subnet_id, lease.state), (1, LeaseState::Default));
    // From here on nobody has to choose it again.
    chooser.choose(None);
    chooser.service.forget();
    let renewed = chooser.page.ask(&client.request_renewing(addr(5))).unwrap();
    assert_eq!(
        (renewed.message_type, renewed.yiaddr),
        (message::ACK, addr(5))
    );
    assert_eq!(chooser.page.lease_to(&mut client).yiaddr, addr(5));
    assert_eq!(chooser.service.order(), [HookPoint::Lease4Renew; 3]);
    chooser.page.tell(&client.release(&renewed)).unwrap();
    assert_eq!(
        chooser.page.lease(addr(5)).unwrap().state,
        LeaseState::Released
    );
}

#[test]
fn address_that_is_not_to_be_had_is_refused_and_the_planned_one_is_offered() {
    let chooser = Chooser::new(&format!(r#"{NET}, "decline-probation-period": 300"#));
    let mut other = client(1);
    chooser.choose(Some(addr(5)));
    chooser.page.lease_to(&mut other);
    let mut owner = client(2);
    chooser.choose(Some(addr(6)));
    let declined = chooser.page.lease_to(&mut owner);
    chooser.page.tell(&owner.decline(&declined)).unwrap();
    let pool = addr(100)..=addr(109);
    for (address, why) in [
        (addr(5), "leased to another"),
        (addr(6), "declined"),
        (addr(8), "reserved for another, outside the pools"),
        (addr(105), "reserved for another, in a pool"),
        (Ipv4Addr::new(198, 51, 100, 5), "outside the subnet"),
    ] {
        let offered = chooser.offered(&mut client(3), address);
        assert!(
            pool.contains(&offered) && offered != addr(105),
            "{why}: {offered}"
        );
    }
    let counters = chooser.page.services.counters().remove(0);
    assert_eq!(counters.failed(Cause::RefusedChange), 5);
}

#[test]
fn address_that_another_client_was_just_offered_is_refused() {
    let chooser = Chooser::new(NET);
    assert_eq!(chooser.offered(&mut client(1), addr(5)), addr(5));
    assert_ne!(chooser.offered(&mut client(2), addr(5)), addr(5));
    assert_eq!(
        chooser.offered(&mut client(1), addr(5)),
        addr(5),
        "it is still the first one's"
    );
}

#[test]
fn lease_outside_the_pools_that_has_expired_is_taken_over_by_choice_alone() {
    let chooser = Chooser::new(NET);
    chooser.choose(Some(addr(5)));
    chooser.page.lease_to(&mut client(1));
    chooser.page.advance(1001);
    chooser.choose(None);
    assert_ne!(
        chooser.page.ask(&client(2).discover()).unwrap().yiaddr,
        addr(5)
    );
    assert_eq!(chooser.offered(&mut client(3), addr(5)), addr(5));
}
