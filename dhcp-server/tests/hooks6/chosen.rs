//! Addresses and prefixes that a callout chooses at `lease6_select`.

use super::*;
use outrigger_hooks::Cause;
use outrigger_wire::Prefix6;
use std::sync::{Arc, Mutex};

/// One reserved address in the pool, one outside of it.
const RESERVED: &str = r#"
    "valid-lifetime": 1000, "decline-probation-period": 300,
    "subnet6": [ { "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
                   "pools": [ { "pool": "2001:db8:1::10-2001:db8:1::1f" } ],
                   "pd-pools": [ { "prefix": "2001:db8:1:0:8000::", "prefix-len": 76, "delegated-len": 80 } ],
                   "reservations": [ { "duid": "00:03:00:01:02:00:00:00:00:63", "ip-addresses": [ "2001:db8:1::15" ] },
                                     { "duid": "00:03:00:01:02:00:00:00:00:64", "ip-addresses": [ "2001:db8:1::8" ] } ] } ]"#;

/// A page whose callout chooses what the test writes there.
struct Chooser {
    page: Page6,
    service: Service,
    choice: Arc<Mutex<Option<Ipv6Addr>>>,
}

impl Chooser {
    fn new() -> Self {
        let choice: Arc<Mutex<Option<Ipv6Addr>>> = Arc::default();
        let chosen = Arc::clone(&choice);
        let points = [
            HookPoint::Lease6Select,
            HookPoint::Lease6Renew,
            HookPoint::Lease6Rebind,
        ];
        let (service, page) = hooked(RESERVED, &points, move |point| {
            match (point, *chosen.lock().unwrap()) {
                (Point::Lease6Select(_), Some(address)) => changes(v1::Changes {
                    lease: Some(v1::LeaseChanges {
                        address: Some(address.octets().to_vec().into()),
                        ..Default::default()
                    }),
                    ..Default::default()
                }),
                _ => goes_on(),
            }
        });
        Self {
            page,
            service,
            choice,
        }
    }

    fn choose(&self, address: Option<Ipv6Addr>) {
        *self.choice.lock().unwrap() = address;
    }

    /// What the client is advertised when the callout chooses `address`.
    fn advertised(&self, client: &mut Client6, address: Ipv6Addr) -> Ipv6Addr {
        self.choose(Some(address));
        only_address(&self.page.ask(&client.solicit()).unwrap())
    }
}

#[test]
fn address_outside_the_pools_is_leased_and_stays_its_clients() {
    let chooser = Chooser::new();
    chooser.choose(Some(addr(5)));
    let mut client = wants_address(1);
    let reply = chooser.page.lease_to(&mut client);
    assert_eq!(only_address(&reply), addr(5));
    let lease = chooser.page.lease(Resource6::Address(addr(5))).unwrap();
    assert_eq!((lease.subnet_id, lease.state), (1, LeaseState::Default));
    // From here on nobody has to choose it again.
    chooser.choose(None);
    chooser.service.forget();
    for message in [
        client.renew(&reply),
        client.rebind(&reply),
        client.solicit(),
    ] {
        assert_eq!(only_address(&chooser.page.ask(&message).unwrap()), addr(5));
    }
    let extended = [HookPoint::Lease6Renew, HookPoint::Lease6Rebind];
    assert_eq!(chooser.service.order(), extended);
}

#[test]
fn address_that_is_not_to_be_had_is_refused_and_the_planned_one_is_advertised() {
    let chooser = Chooser::new();
    chooser.choose(Some(addr(5)));
    chooser.page.lease_to(&mut wants_address(1));
    let mut owner = wants_address(2);
    chooser.choose(Some(addr(6)));
    let declined = chooser.page.lease_to(&mut owner);
    chooser.page.ask(&owner.decline(&declined)).unwrap();
    let pool = addr(0x10)..=addr(0x1f);
    let elsewhere = "2001:db8:2::5".parse().unwrap();
    for (address, why) in [
        (addr(5), "leased to another"),
        (addr(6), "declined"),
        (addr(8), "reserved for another, outside the pools"),
        (addr(0x15), "reserved for another, in a pool"),
        (elsewhere, "outside the subnet"),
    ] {
        let got = chooser.advertised(&mut wants_address(3), address);
        assert!(pool.contains(&got) && got != addr(0x15), "{why}: {got}");
    }
    let counters = chooser.page.services.counters().remove(0);
    assert_eq!(counters.failed(Cause::RefusedChange), 5);
}

#[test]
fn prefix_outside_the_pools_is_delegated_where_it_is_free() {
    let chooser = Chooser::new();
    let prefix = "2001:db8:1:0:7000::".parse().unwrap();
    chooser.choose(Some(prefix));
    let mut first = client(1, &[Ia::pd(1)]);
    let reply = chooser.page.lease_to(&mut first);
    let seen = |reply: &Reply6Seen| reply.prefixes().next().unwrap().prefix;
    assert_eq!(seen(&reply), prefix);
    let resource = Resource6::Prefix(Prefix6::new(prefix, 80).unwrap());
    assert!(chooser.page.lease(resource).is_some());
    let renewed = chooser.page.ask(&first.renew(&reply)).unwrap();
    assert_eq!(seen(&renewed), prefix);
    // In use, then outside of the subnet.
    let elsewhere = "2001:db8:2::".parse().unwrap();
    for choice in [prefix, elsewhere] {
        chooser.choose(Some(choice));
        let other = chooser
            .page
            .ask(&client(2, &[Ia::pd(1)]).solicit())
            .unwrap();
        assert_ne!(seen(&other), choice);
    }
}
