//! One set of tests that every store passes, whatever is below it.

use crate::lease::INFINITE;
use crate::stored::StoredFamily;
use crate::{Change, Lease, LeaseState, Store};
use outrigger_wire::family::{LeaseOwner, Owner4, Owner6, Resource6};
use outrigger_wire::{ClientId, Duid, HwAddress, Iaid, Prefix6, V4, V6};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A family with leases to test with.
pub trait Sample: StoredFamily + PartialEq {
    /// Lease number `n`: its own resource, its own holder, nothing left at its default. Granted at second 1000 for
    /// 100 seconds.
    fn lease(n: u32) -> Lease<Self>;
}

impl Sample for V4 {
    fn lease(n: u32) -> Lease<Self> {
        let [.., c, d] = n.to_be_bytes();
        let owner = Owner4 {
            hw_address: HwAddress::new(1, &[2, 0, 0, 0, c, d]).expect("6 bytes"),
            client_id: Some(ClientId::new(&[0xff, c, d]).expect("3 bytes")),
        };
        lease(
            n,
            Ipv4Addr::from_bits(0xc000_0200 + n),
            owner,
            HwAddress::EMPTY,
        )
    }
}

/// Every second lease is a prefix.
impl Sample for V6 {
    fn lease(n: u32) -> Lease<Self> {
        let addr = Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(n) << 64);
        let resource = if n.is_multiple_of(2) {
            Resource6::Address(addr)
        } else {
            Resource6::Prefix(Prefix6 { addr, len: 64 })
        };
        let [a, b, c, d] = n.to_be_bytes();
        let duid = Duid::new(&[0, 3, 0, 1, 2, 0, a, b, c, d]).expect("10 bytes");
        let hw_address = HwAddress::new(1, &[2, 0, a, b, c, d]).expect("6 bytes");
        lease(
            n,
            resource,
            Owner6 {
                duid,
                iaid: Iaid(n),
            },
            hw_address,
        )
    }
}

fn lease<F: StoredFamily>(
    n: u32,
    resource: F::Resource,
    owner: F::Owner,
    hw_address: HwAddress,
) -> Lease<F> {
    Lease {
        resource,
        owner,
        subnet_id: 1000 + n,
        pool_id: n,
        state: LeaseState::Default,
        cltt: 1000,
        valid_lifetime: 100,
        preferred_lifetime: 60,
        hostname: format!("host-{n}.example.org").into(),
        fqdn_fwd: true,
        fqdn_rev: n.is_multiple_of(2),
        hw_address,
        user_context: "{\"site\": \"north\"}".into(),
    }
}

/// Every lease of a store, by resource.
#[must_use]
pub fn contents<F: StoredFamily>(store: &Store<F>) -> BTreeMap<F::Resource, Lease<F>> {
    let guard = store.lock();
    let contents: BTreeMap<_, _> = guard
        .iter()
        .map(|lease| (lease.resource, lease.clone()))
        .collect();
    assert_eq!(contents.len(), guard.len(), "a resource is leased twice");
    contents
}

/// Runs every test. `open` yields an empty store; `again` is what the store at hand promises to survive, such as
/// being closed and opened.
pub fn run<F: Sample>(open: impl Fn() -> Store<F>, again: impl Fn(Store<F>) -> Store<F>) {
    let tests: [fn(&mut Subject<'_, F>); 9] = [
        every_field_is_kept,
        a_lease_is_found_by_every_name_of_its_holder,
        another_holder_takes_the_place_of_the_first,
        a_removed_lease_is_not_found_by_anything,
        a_holder_may_have_many_leases,
        a_change_set_applies_in_order,
        leases_expire_in_order_of_their_end,
        reclaimed_leases_wait_to_be_flushed,
        an_infinite_lease_never_expires,
    ];
    for test in tests {
        test(&mut Subject {
            store: Some(open()),
            again: &again,
        });
    }
}

struct Subject<'a, F: StoredFamily> {
    store: Option<Store<F>>,
    again: &'a dyn Fn(Store<F>) -> Store<F>,
}

impl<F: Sample> Subject<'_, F> {
    /// Applies changes, waits until they are durable, and puts the store to its test.
    fn apply(&mut self, changes: &[Change<F>]) -> &Store<F> {
        let store = self.store.take().expect("put back below");
        let ticket = store
            .lock()
            .apply(changes)
            .expect("the store takes changes");
        store.wait(ticket).expect("the store keeps changes");
        self.store.insert((self.again)(store))
    }
}

fn put<F: Sample>(n: u32, change: impl FnOnce(&mut Lease<F>)) -> Change<F> {
    let mut lease = F::lease(n);
    change(&mut lease);
    Change::Put(lease)
}

fn resources<F: Sample>(numbers: &[u32]) -> Vec<F::Resource> {
    numbers.iter().map(|n| F::lease(*n).resource).collect()
}

fn every_field_is_kept<F: Sample>(subject: &mut Subject<'_, F>) {
    let guard_of = subject.apply(&[
        put(1, |_| {}),
        put(2, |lease| lease.state = LeaseState::Declined),
    ]);
    let guard = guard_of.lock();
    assert_eq!(guard.get(&F::lease(1).resource), Some(&F::lease(1)));
    let declined = Lease {
        state: LeaseState::Declined,
        ..F::lease(2)
    };
    assert_eq!(guard.get(&declined.resource), Some(&declined));
    assert_eq!(guard.len(), 2);
}

fn a_lease_is_found_by_every_name_of_its_holder<F: Sample>(subject: &mut Subject<'_, F>) {
    let store = subject.apply(&[put(1, |_| {}), put(2, |_| {})]);
    for key in F::lease(1).owner.keys() {
        let found: Vec<F::Resource> = store
            .lock()
            .by_owner(&key)
            .map(|lease| lease.resource)
            .collect();
        assert_eq!(found, resources::<F>(&[1]));
    }
}

fn another_holder_takes_the_place_of_the_first<F: Sample>(subject: &mut Subject<'_, F>) {
    subject.apply(&[put(1, |_| {})]);
    let store = subject.apply(&[put(1, |lease| lease.owner = F::lease(2).owner)]);
    let guard = store.lock();
    for (n, found) in [(1, 0), (2, 1)] {
        for key in F::lease(n).owner.keys() {
            assert_eq!(guard.by_owner(&key).count(), found);
        }
    }
    assert_eq!(guard.len(), 1);
}

fn a_removed_lease_is_not_found_by_anything<F: Sample>(subject: &mut Subject<'_, F>) {
    subject.apply(&[put(1, |_| {})]);
    let store = subject.apply(&[Change::Remove(F::lease(1).resource)]);
    let guard = store.lock();
    assert!(guard.is_empty() && guard.get(&F::lease(1).resource).is_none());
    assert!(
        F::lease(1)
            .owner
            .keys()
            .iter()
            .all(|key| guard.by_owner(key).next().is_none())
    );
    assert_eq!(guard.expired(u64::MAX - 1, 9).count(), 0);
}

fn a_holder_may_have_many_leases<F: Sample>(subject: &mut Subject<'_, F>) {
    let owner = F::lease(0).owner;
    let taken: Vec<Change<F>> = (0..5)
        .map(|n| put(n, |lease| lease.owner = owner.clone()))
        .collect();
    subject.apply(&taken);
    let store = subject.apply(&[
        Change::Remove(F::lease(0).resource),
        Change::Remove(F::lease(2).resource),
    ]);
    for key in owner.keys() {
        let mut found: Vec<F::Resource> = store
            .lock()
            .by_owner(&key)
            .map(|lease| lease.resource)
            .collect();
        found.sort_unstable();
        let mut wanted = resources::<F>(&[1, 3, 4]);
        wanted.sort_unstable();
        assert_eq!(found, wanted);
    }
}

fn a_change_set_applies_in_order<F: Sample>(subject: &mut Subject<'_, F>) {
    let resource = F::lease(1).resource;
    let store = subject.apply(&[
        put(1, |_| {}),
        Change::Remove(resource),
        put(1, |lease| lease.cltt = 7),
    ]);
    assert_eq!(store.lock().get(&resource).map(|lease| lease.cltt), Some(7));
    let store = subject.apply(&[]);
    assert_eq!(store.lock().len(), 1);
}

fn leases_expire_in_order_of_their_end<F: Sample>(subject: &mut Subject<'_, F>) {
    subject.apply(&[
        put(1, |lease| lease.valid_lifetime = 30),
        put(2, |lease| lease.valid_lifetime = 10),
        put(3, |lease| lease.valid_lifetime = 20),
        put(4, |lease| lease.state = LeaseState::ExpiredReclaimed),
    ]);
    let store = subject.apply(&[put(1, |lease| lease.valid_lifetime = 15)]);
    let guard = store.lock();
    let expired = |now, limit| guard.expired(now, limit).collect::<Vec<_>>();
    assert_eq!(expired(1009, 9), []);
    assert_eq!(expired(1015, 9), resources::<F>(&[2, 1]));
    assert_eq!(expired(9999, 9), resources::<F>(&[2, 1, 3]));
    assert_eq!(expired(9999, 1), resources::<F>(&[2]));
}

fn reclaimed_leases_wait_to_be_flushed<F: Sample>(subject: &mut Subject<'_, F>) {
    let reclaimed = |lifetime| {
        move |lease: &mut Lease<F>| {
            (lease.state, lease.valid_lifetime) = (LeaseState::ExpiredReclaimed, lifetime)
        }
    };
    subject.apply(&[
        put(1, |_| {}),
        put(2, reclaimed(20)),
        put(3, |lease| lease.state = LeaseState::Declined),
    ]);
    let store = subject.apply(&[
        put(1, reclaimed(10)),
        put(4, |lease| lease.state = LeaseState::Released),
    ]);
    let guard = store.lock();
    assert_eq!(
        guard.reclaimed_before(1010, 9).collect::<Vec<_>>(),
        resources::<F>(&[1])
    );
    assert_eq!(
        guard.reclaimed_before(1100, 9).collect::<Vec<_>>(),
        resources::<F>(&[1, 2, 4])
    );
    assert_eq!(guard.expired(1100, 9).count(), 2);
}

fn an_infinite_lease_never_expires<F: Sample>(subject: &mut Subject<'_, F>) {
    subject.apply(&[put(1, |_| {})]);
    let store = subject.apply(&[put(1, |lease| lease.valid_lifetime = INFINITE)]);
    assert_eq!(store.lock().expired(u64::MAX, 9).count(), 0);
    let store = subject.apply(&[put(1, |_| {})]);
    assert_eq!(store.lock().expired(u64::MAX, 9).count(), 1);
}
