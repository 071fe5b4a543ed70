use super::*;
use crate::battery::Sample;
use outrigger_wire::family::{Owner4, OwnerKey4};
use outrigger_wire::{ClientId, HwAddress, V4};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Few holders, who share names: three hardware addresses, three client identifiers or none.
fn holder(n: u8) -> Owner4 {
    let hw_address = HwAddress::new(1, &[n % 3; 6]).unwrap();
    let id = n / 3 % 4;
    let client_id = ClientId::new(&[id; 30]).filter(|_| id > 0);
    Owner4 {
        hw_address,
        client_id,
    }
}

fn names() -> impl Iterator<Item = OwnerKey4> {
    (0..12).flat_map(|n| holder(n).keys())
}

#[derive(Debug, Clone)]
enum Step {
    Put(Lease<V4>),
    Assign(Lease<V4>),
    Remove(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let lease =
        (0_u32..10, 0_u8..12, 0_u8..4, 0_u64..50).prop_map(|(n, owner, state, cltt)| Lease {
            owner: holder(owner),
            state: LeaseState::try_from(state).unwrap(),
            cltt,
            valid_lifetime: if n == 9 { u32::MAX } else { 10 },
            ..V4::lease(n)
        });
    let removed = (0_u32..10).prop_map(Step::Remove);
    prop_oneof![
        lease.clone().prop_map(Step::Put),
        lease.prop_map(Step::Assign),
        removed
    ]
}

type Model = BTreeMap<Ipv4Addr, Lease<V4>>;

fn take(step: Step, leases: &mut Leases<V4>, model: &mut Model) {
    match step {
        Step::Put(lease) => assert_eq!(
            leases.put(lease.clone()),
            model.insert(lease.resource, lease)
        ),
        Step::Assign(lease) => {
            leases.assign(&lease);
            model.insert(lease.resource, lease);
        }
        Step::Remove(n) => {
            let resource = V4::lease(n).resource;
            assert_eq!(leases.remove(&resource), model.remove(&resource));
        }
    }
}

fn sorted(found: impl Iterator<Item = Ipv4Addr>) -> Vec<Ipv4Addr> {
    let mut found: Vec<Ipv4Addr> = found.collect();
    found.sort_unstable();
    found
}

fn of_model(model: &Model, wanted: impl Fn(&Lease<V4>) -> bool) -> Vec<Ipv4Addr> {
    model
        .values()
        .filter(|lease| wanted(lease))
        .map(|lease| lease.resource)
        .collect()
}

proptest! {
    #[test]
    fn every_index_equals_a_search(steps in prop::collection::vec(step(), 0..120)) {
        let (mut leases, mut model) = (Leases::default(), Model::new());
        for step in steps {
            take(step, &mut leases, &mut model);
            prop_assert_eq!(leases.len(), model.len());
            for name in names() {
                let found = sorted(leases.by_owner(&name).map(|lease| lease.resource));
                prop_assert_eq!(found, of_model(&model, |lease| lease.owner.keys().contains(&name)));
            }
            let expired: Vec<Ipv4Addr> = leases.expired(30, 99).collect();
            prop_assert!(expired.iter().map(|resource| model[resource].expires_at()).is_sorted());
            let is_reclaimed = |lease: &Lease<V4>| lease.state == LeaseState::ExpiredReclaimed;
            let wanted = of_model(&model, |lease| lease.is_expired(30) && !is_reclaimed(lease));
            prop_assert_eq!(sorted(expired.into_iter()), wanted);
            let is_kept = |lease: &Lease<V4>| is_reclaimed(lease) || lease.state == LeaseState::Released;
            let wanted = of_model(&model, |lease| lease.is_expired(30) && is_kept(lease));
            prop_assert_eq!(sorted(leases.reclaimed_before(30, 99)), wanted);
        }
        let all = sorted(leases.iter().map(|lease| lease.resource));
        prop_assert_eq!(all, of_model(&model, |_| true));
    }
}

#[test]
fn a_walk_in_steps_sees_what_stays() {
    let mut leases = Leases::<V4>::default();
    (0..100).for_each(|n| drop(leases.put(V4::lease(n))));
    let mut seen = Vec::new();
    let mut from = Some(0);
    while let Some(start) = from {
        from = leases.visit(start, 7, |lease| seen.push(lease.resource));
        leases.remove(&V4::lease(start / 2).resource);
        leases.put(V4::lease(200 + start));
    }
    assert!((50..100).all(|n| seen.contains(&V4::lease(n).resource)));
}

#[test]
fn many_leases_of_one_hardware_address_cost_no_more_than_others() {
    let mut leases = Leases::<V4>::default();
    let shared = V4::lease(0).owner.hw_address;
    for n in 0..50_000_u32 {
        let client_id = ClientId::new(&n.to_be_bytes());
        leases.put(Lease {
            owner: Owner4 {
                hw_address: shared,
                client_id,
            },
            ..V4::lease(n)
        });
    }
    // With a search per lease this would take minutes.
    for n in (0..50_000).rev() {
        assert!(leases.remove(&V4::lease(n).resource).is_some());
    }
    assert_eq!(leases.by_owner(&OwnerKey4::HwAddress(shared)).count(), 0);
}
