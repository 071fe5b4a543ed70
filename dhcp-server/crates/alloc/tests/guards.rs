//! Who may use a pool, and what becomes of a lease in it.

use outrigger_alloc::{Allocator, ChangeSet, Kind6, Ranged, Wish};
use outrigger_config::load_text;
use outrigger_config::model::{Config, Server};
use outrigger_store::Store;
use outrigger_wire::family::{LeaseOwner, Owner4, Owner6, Resource6};
use outrigger_wire::{Classes, Duid, Family, HwAddress, Iaid, V4, V6};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// One client and all it may say.
struct Client<F: Ranged> {
    cfg: Arc<Server<F>>,
    alloc: Arc<Allocator<F>>,
    owner: F::Owner,
    kind: F::Kind,
    reserved: Vec<F::Resource>,
}

impl<F: Ranged> Client<F> {
    fn new(cfg: Arc<Server<F>>, owner: F::Owner, kind: F::Kind) -> Self {
        let alloc = Allocator::new(Arc::new(Store::in_memory()), &cfg);
        Self {
            cfg,
            alloc,
            owner,
            kind,
            reserved: Vec::new(),
        }
    }

    /// What it gets as a member of the class; written where `commit` says so.
    fn asks(
        &self,
        class: Option<&str>,
        hint: Option<F::Resource>,
        only_hint: bool,
        commit: bool,
    ) -> Option<<F as Family>::Resource> {
        self.plans(class, hint, only_hint, commit)
            .map(|(resource, _)| resource)
    }

    /// As above, with the id of the pool.
    fn plans(
        &self,
        class: Option<&str>,
        hint: Option<F::Resource>,
        only_hint: bool,
        commit: bool,
    ) -> Option<(F::Resource, u32)> {
        let mut classes = Classes::default();
        if let Some(class) = class {
            classes.join(class.into());
        }
        let subnets: Vec<_> = (0..self.cfg.subnets.len()).collect();
        let mut plan = self.alloc.plan(&Wish {
            cfg: &self.cfg,
            subnets: &subnets,
            kind: self.kind,
            owner: &self.owner,
            keys: &self.owner.keys(),
            is_mine: &|other| *other == self.owner,
            reserved: &self.reserved,
            hint,
            classes: &classes,
            only_hint,
            skipped: &[],
            now: 1000,
        })?;
        let planned = (plan.lease.resource, plan.lease.pool_id);
        if commit {
            plan.lease.valid_lifetime = 100;
            let mut changes = ChangeSet::default();
            changes.grant(plan);
            self.alloc.commit(changes).expect("nobody else is there");
        }
        Some(planned)
    }
}

fn client4() -> Client<V4> {
    let text = r#"{ "Dhcp4": { "client-classes": [ { "name": "gold" } ], "shared-networks": [ { "name": "n", "subnet4": [
        { "id": 1, "subnet": "192.0.2.0/24", "pools": [
            { "pool": "192.0.2.10-192.0.2.10", "pool-id": 5, "client-classes": [ "gold" ] }, { "pool": "192.0.2.20-192.0.2.20" } ] },
        { "id": 2, "subnet": "198.51.100.0/24", "client-classes": [ "gold" ],
          "pools": [ { "pool": "198.51.100.7-198.51.100.7" } ] } ] } ] } }"#;
    let Some(Config::V4(cfg)) = load_text("test", text).config else {
        panic!("{:?}", load_text("test", text).diagnostics)
    };
    let owner = Owner4 {
        hw_address: HwAddress::new(1, &[2, 0, 0, 0, 0, 1]).expect("6 bytes"),
        client_id: None,
    };
    Client::new(cfg, owner, ())
}

fn client6(kind: Kind6) -> Client<V6> {
    let text = r#"{ "Dhcp6": { "client-classes": [ { "name": "gold" } ], "subnet6": [
        { "id": 1, "subnet": "2001:db8:1::/64",
          "pools": [ { "pool": "2001:db8:1::1/128", "client-classes": [ "gold" ] }, { "pool": "2001:db8:1::2/128" } ],
          "pd-pools": [ { "prefix": "2001:db8:f::", "prefix-len": 56, "delegated-len": 56, "client-class": "gold" },
                        { "prefix": "2001:db8:e::", "prefix-len": 56, "delegated-len": 56 } ] } ] } }"#;
    let Some(Config::V6(cfg)) = load_text("test", text).config else {
        panic!("{:?}", load_text("test", text).diagnostics)
    };
    let owner = Owner6 {
        duid: Duid::new(&[0, 3, 0, 1, 0, 1]).expect("6 bytes"),
        iaid: Iaid(1),
    };
    Client::new(cfg, owner, kind)
}

const GUARDED: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);
const OPEN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 20);
const OTHER_SUBNET: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
const GOLD: Option<&str> = Some("gold");

#[test]
fn guarded_pool_is_searched_for_members_only() {
    assert_eq!(client4().asks(GOLD, None, false, false), Some(GUARDED));
    assert_eq!(client4().asks(None, None, false, false), Some(OPEN));
    for kind in [Kind6::Address, Kind6::Prefix] {
        let client = client6(kind);
        let (member, stranger) = (
            client.asks(GOLD, None, false, false),
            client.asks(None, None, false, false),
        );
        assert!(member.is_some() && stranger.is_some() && member != stranger);
    }
}

#[test]
fn address_of_a_guarded_pool_is_not_granted_on_request() {
    let client = client4();
    assert_eq!(client.asks(None, Some(GUARDED), true, false), None);
    assert_eq!(client.asks(None, Some(OTHER_SUBNET), true, false), None);
    assert_eq!(
        client.asks(GOLD, Some(OTHER_SUBNET), true, false),
        Some(OTHER_SUBNET)
    );
}

#[test]
fn lease_in_a_pool_that_the_client_may_not_use_any_more_is_not_extended() {
    let client = client4();
    assert_eq!(client.asks(GOLD, Some(GUARDED), true, true), Some(GUARDED));
    assert_eq!(client.asks(GOLD, Some(GUARDED), true, false), Some(GUARDED));
    assert_eq!(client.asks(None, Some(GUARDED), true, false), None);
    assert_eq!(client.asks(None, None, false, false), Some(OPEN));

    let client = client6(Kind6::Address);
    let guarded = Resource6::Address(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1));
    assert_eq!(client.asks(GOLD, None, false, true), Some(guarded));
    let open = Resource6::Address(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 2));
    assert_eq!(client.asks(None, Some(guarded), false, false), Some(open));
}

#[test]
fn other_subnets_of_a_shared_network_have_guards_too() {
    let client = client4();
    assert_eq!(client.asks(None, None, false, true), Some(OPEN));
    let other = Owner4 {
        hw_address: HwAddress::new(1, &[2, 0, 0, 0, 0, 2]).expect("6 bytes"),
        client_id: None,
    };
    let client = Client {
        owner: other,
        ..client
    };
    assert_eq!(client.asks(None, None, false, false), None);
    assert_eq!(client.asks(GOLD, None, false, true), Some(GUARDED));
}

#[test]
fn what_is_reserved_for_a_client_is_its_own_whomever_the_pool_is_for() {
    let client = Client {
        reserved: vec![GUARDED],
        ..client4()
    };
    assert_eq!(client.plans(None, None, false, true), Some((GUARDED, 5)));
    assert_eq!(client.asks(None, Some(GUARDED), true, false), Some(GUARDED));
}

/// The configuration before did not reserve it.
#[test]
fn what_was_offered_to_another_goes_to_whom_it_is_reserved_for() {
    let client = client4();
    let mut classes = Classes::default();
    classes.join("gold".into());
    let other = Owner4 {
        hw_address: HwAddress::new(1, &[2, 0, 0, 0, 0, 2]).expect("6 bytes"),
        client_id: None,
    };
    let plan = client.alloc.plan(&Wish {
        cfg: &client.cfg,
        subnets: &[0],
        kind: (),
        owner: &other,
        keys: &other.keys(),
        is_mine: &|owner| *owner == other,
        reserved: &[],
        hint: None,
        classes: &classes,
        only_hint: false,
        skipped: &[],
        now: 1000,
    });
    let offered = plan.expect("both pools are free").offer(1060);
    assert_eq!(offered.resource, GUARDED);
    let client = Client {
        reserved: vec![GUARDED],
        ..client
    };
    assert_eq!(client.asks(None, None, false, false), Some(GUARDED));
}
