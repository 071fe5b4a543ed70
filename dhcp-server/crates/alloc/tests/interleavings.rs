//! Whatever packets and services do in whatever order, no resource has two holders, and nobody is turned away while one is free.

use outrigger_alloc::{Allocator, ChangeSet, CommitError, Kind6, Origin, Plan, Ranged, Wish};
use outrigger_config::load_text;
use outrigger_config::model::{Config, Pool, Server, Subnet};
use outrigger_store::{Lease, LeaseState, Store};
use outrigger_wire::family::{LeaseOwner, Owner4, Owner6};
use outrigger_wire::{Classes, Duid, HwAddress, Iaid, V4, V6};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

const CLIENTS: u8 = 7;
const LIFETIME: u32 = 100;
const OFFER: u64 = 20;

/// A family with configurations and clients to test with.
trait Case: Ranged {
    const KINDS: &'static [Self::Kind];
    fn config(number: u8) -> Arc<Server<Self>>;
    fn owner(client: u8) -> Self::Owner;
    /// The first client's reservations in all configurations.
    fn reserved(cfg: &Server<Self>) -> Vec<Self::Resource>;
}

fn load(text: &str) -> Config {
    let loaded = load_text("test", text);
    loaded
        .config
        .unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

impl Case for V4 {
    const KINDS: &'static [()] = &[()];

    /// Pools that change, overlap, have guards, and have reservations in and outside them.
    fn config(number: u8) -> Arc<Server<Self>> {
        let subnets = [
            r#"{ "id": 1, "subnet": "192.0.2.0/24", "pools": [ { "pool": "192.0.2.10-192.0.2.12", "client-classes": [ "odd" ] },
                 { "pool": "192.0.2.20-192.0.2.21" } ],
                 "reservations": [ { "hw-address": "02:00:00:00:00:00", "ip-address": "192.0.2.11" } ] },
               { "id": 2, "subnet": "198.51.100.0/24", "client-classes": [ "odd" ], "pools": [ { "pool": "198.51.100.7/32" } ] }"#,
            r#"{ "id": 1, "subnet": "192.0.2.0/24", "pools": [ { "pool": "192.0.2.11-192.0.2.14" } ],
                 "reservations": [ { "hw-address": "02:00:00:00:00:00", "ip-address": "192.0.2.9" } ] },
               { "id": 2, "subnet": "192.0.2.0/25", "pools": [ { "pool": "192.0.2.12-192.0.2.20", "client-class": "odd" } ] }"#,
            r#"{ "id": 1, "subnet": "192.0.2.0/24", "pools": [ { "pool": "192.0.2.20-192.0.2.20" } ] },
               { "id": 2, "subnet": "10.0.0.0/8", "pools": [ { "pool": "10.0.0.0/8" } ] }"#,
        ];
        let text = format!(
            r#"{{ "Dhcp4": {{ "client-classes": [ {{ "name": "odd" }} ], "subnet4": [ {} ] }} }}"#,
            subnets[usize::from(number) % subnets.len()]
        );
        match load(&text) {
            Config::V4(cfg) => cfg,
            Config::V6(_) => unreachable!("it says Dhcp4"),
        }
    }

    fn owner(client: u8) -> Owner4 {
        Owner4 {
            hw_address: HwAddress::new(1, &[2, 0, 0, 0, 0, client]).expect("6 bytes"),
            client_id: None,
        }
    }

    fn reserved(cfg: &Server<Self>) -> Vec<Self::Resource> {
        let hosts = cfg
            .subnets
            .iter()
            .flat_map(|subnet| subnet.reservations.iter());
        hosts.flat_map(|host| host.resources.clone()).collect()
    }
}

impl Case for V6 {
    const KINDS: &'static [Kind6] = &[Kind6::Address, Kind6::Prefix];

    fn config(number: u8) -> Arc<Server<Self>> {
        let subnets = [
            r#"{ "id": 1, "subnet": "2001:db8:1::/64", "pools": [ { "pool": "2001:db8:1::8/126" } ],
                 "pd-pools": [ { "prefix": "2001:db8:f000::", "prefix-len": 62, "delegated-len": 64,
                                 "client-classes": [ "odd" ] } ],
                 "reservations": [ { "duid": "00:03:00:01:00:00", "ip-addresses": [ "2001:db8:1::9" ],
                                     "prefixes": [ "2001:db8:f000:1::/64" ] } ] }"#,
            r#"{ "id": 1, "subnet": "2001:db8:1::/64", "pools": [ { "pool": "2001:db8:1::a-2001:db8:1::c", "client-classes": [ "odd" ] } ],
                 "pd-pools": [ { "prefix": "2001:db8:f000::", "prefix-len": 61, "delegated-len": 64 } ],
                 "reservations": [ { "duid": "00:03:00:01:00:00", "ip-addresses": [ "2001:db8:1::77" ] } ] }"#,
            r#"{ "id": 1, "subnet": "2001:db8:1::/64", "pools": [ { "pool": "2001:db8:1::/64" } ],
                 "pd-pools": [ { "prefix": "2001:db8:f000::", "prefix-len": 62, "delegated-len": 63 } ] }"#,
        ];
        let text = format!(
            r#"{{ "Dhcp6": {{ "client-classes": [ {{ "name": "odd" }} ], "subnet6": [ {} ] }} }}"#,
            subnets[usize::from(number) % subnets.len()]
        );
        match load(&text) {
            Config::V6(cfg) => cfg,
            Config::V4(_) => unreachable!("it says Dhcp6"),
        }
    }

    fn owner(client: u8) -> Owner6 {
        Owner6 {
            duid: Duid::new(&[0, 3, 0, 1, 0, client]).expect("6 bytes"),
            iaid: Iaid(1),
        }
    }

    fn reserved(cfg: &Server<Self>) -> Vec<Self::Resource> {
        let hosts = cfg
            .subnets
            .iter()
            .flat_map(|subnet| subnet.reservations.iter());
        hosts.flat_map(|host| host.resources.clone()).collect()
    }
}

/// Clients with odd numbers are members of a class.
fn classes(client: u8) -> Classes {
    let mut classes = Classes::default();
    if client % 2 == 1 {
        classes.join("odd".into());
    }
    classes
}

/// What happens next. Numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Step {
    Plan {
        client: u8,
        kind: u8,
        hint: Option<u8>,
        only_hint: bool,
    },
    /// With the configuration before the last reload.
    PlanLate {
        client: u8,
    },
    Offer {
        packet: u8,
    },
    Commit {
        packet: u8,
    },
    Drop {
        packet: u8,
    },
    Release {
        lease: u8,
        affinity: bool,
    },
    Decline {
        lease: u8,
    },
    /// A service adds a lease, whatever packets are under way.
    Add {
        client: u8,
        kind: u8,
        resource: u8,
    },
    /// A service deletes one.
    Delete {
        lease: u8,
    },
    Pass {
        seconds: u8,
    },
    Reclaim,
    Reload {
        config: u8,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (any::<u8>(), any::<u8>(), any::<Option<u8>>(), prop::bool::weighted(0.2))
            .prop_map(|(client, kind, hint, only_hint)| Step::Plan { client, kind, hint, only_hint }),
        1 => any::<u8>().prop_map(|client| Step::PlanLate { client }),
        2 => any::<u8>().prop_map(|packet| Step::Offer { packet }),
        6 => any::<u8>().prop_map(|packet| Step::Commit { packet }),
        1 => any::<u8>().prop_map(|packet| Step::Drop { packet }),
        2 => any::<(u8, bool)>().prop_map(|(lease, affinity)| Step::Release { lease, affinity }),
        1 => any::<u8>().prop_map(|lease| Step::Decline { lease }),
        1 => any::<(u8, u8, u8)>().prop_map(|(client, kind, resource)| Step::Add { client, kind, resource }),
        1 => any::<u8>().prop_map(|lease| Step::Delete { lease }),
        2 => (1_u8..80).prop_map(|seconds| Step::Pass { seconds }),
        1 => Just(Step::Reclaim),
        1 => any::<u8>().prop_map(|config| Step::Reload { config }),
    ];
    prop::collection::vec(step, 1..120)
}

struct World<F: Case> {
    alloc: Arc<Allocator<F>>,
    cfg: Arc<Server<F>>,
    /// That of packets that came before the last reload.
    before: Arc<Server<F>>,
    now: u64,
    /// Packets under way, at most one for each client.
    packets: BTreeMap<u8, Plan<F>>,
    /// Offers that stand, by client.
    offers: BTreeMap<u8, (F::Resource, u64)>,
}

impl<F: Case> World<F> {
    fn new() -> Self {
        let cfg = F::config(0);
        Self {
            alloc: Allocator::new(Arc::new(Store::in_memory()), &cfg),
            before: Arc::clone(&cfg),
            cfg,
            now: 1_000_000,
            packets: BTreeMap::new(),
            offers: BTreeMap::new(),
        }
    }

    fn pools(&self, kind: F::Kind) -> impl Iterator<Item = (&Subnet<F>, &Pool<F>)> {
        let all = self
            .cfg
            .subnets
            .iter()
            .flat_map(|subnet| subnet.pools.iter().map(move |pool| (subnet, pool)));
        all.filter(move |(_, pool)| F::kind_of_pool(pool) == kind)
    }

    /// The first resources of each pool: all of a small one.
    fn resources(&self, kind: F::Kind) -> impl Iterator<Item = F::Resource> {
        self.pools(kind).flat_map(|(_, pool)| {
            let range = F::range(pool);
            (0..=range.last_index().min(20)).map(move |index| F::at(pool, range.number_at(index)))
        })
    }

    fn lease(&self, resource: &F::Resource) -> Option<Lease<F>> {
        self.alloc.store().lock().get(resource).cloned()
    }

    fn leases(&self) -> Vec<Lease<F>> {
        let mut leases: Vec<_> = self.alloc.store().lock().iter().cloned().collect();
        leases.sort_by_key(|lease| lease.resource);
        leases
    }

    fn is_claimed(&self, resource: &F::Resource) -> bool {
        self.packets
            .values()
            .any(|plan| plan.lease.resource == *resource)
    }

    fn is_running(&self, lease: &Lease<F>) -> bool {
        matches!(lease.state, LeaseState::Default | LeaseState::Declined)
            && !lease.is_expired(self.now)
    }

    fn reserved_for(&self, client: u8) -> Vec<F::Resource> {
        if client == 0 {
            F::reserved(&self.cfg)
        } else {
            Vec::new()
        }
    }

    /// Whether the resource is reserved for the client, in a pool that admits it, or in no pool.
    fn is_admitted(&self, client: u8, resource: &F::Resource) -> bool {
        let classes = classes(client);
        let kind = F::kind_of(resource);
        let has_it = |pool: &Pool<F>| {
            let range = F::range(pool);
            range.unit_len == F::unit_len(resource) && range.index_of(F::number(resource)).is_some()
        };
        let first = self.cfg.subnets.first().map(|subnet| subnet.id);
        let admits = |subnet: &Subnet<F>, pool: &Pool<F>| {
            pool.guard.admits(&classes)
                && (Some(subnet.id) == first || self.cfg.admits(subnet, &classes))
        };
        let mut holding = self.pools(kind).filter(|(_, pool)| has_it(pool)).peekable();
        self.reserved_for(client).contains(resource)
            || holding.peek().is_none()
            || holding.any(|(subnet, pool)| admits(subnet, pool))
    }

    /// Whether the client may have the resource at all.
    fn is_obtainable(&self, client: u8, resource: &F::Resource) -> bool {
        let mine = |lease: &Lease<F>| {
            lease.state == LeaseState::Default && lease.owner == F::owner(client)
        };
        let reserved = client != 0 && F::reserved(&self.cfg).contains(resource);
        let lease = self.lease(resource);
        !reserved
            && self.is_admitted(client, resource)
            && !self.is_claimed(resource)
            && lease.is_none_or(|lease| !self.is_running(&lease) || mine(&lease))
    }

    /// Nobody holds it, nobody waits for it, no lease of it has to end first.
    fn is_free(&self, client: u8, resource: &F::Resource) -> bool {
        let in_use =
            |lease: Lease<F>| matches!(lease.state, LeaseState::Default | LeaseState::Declined);
        let now = self.now;
        self.is_obtainable(client, resource)
            && !self.lease(resource).is_some_and(in_use)
            && !self
                .offers
                .values()
                .any(|(offered, until)| offered == resource && *until > now)
    }

    fn plan(&mut self, client: u8, kind: F::Kind, hint: Option<u8>, only_hint: bool) {
        if self.packets.contains_key(&client) {
            return;
        }
        let owner = F::owner(client);
        let known: Vec<_> = self.resources(kind).collect();
        let hint = hint.map(|hint| known[usize::from(hint) % known.len()]);
        let subnets: Vec<usize> = (0..self.cfg.subnets.len()).collect();
        let reserved = self.reserved_for(client);
        let wish = Wish {
            cfg: &self.cfg,
            subnets: &subnets,
            kind,
            owner: &owner,
            keys: &owner.keys(),
            is_mine: &|other| *other == owner,
            reserved: &reserved,
            hint,
            classes: &classes(client),
            only_hint: only_hint && hint.is_some(),
            skipped: &[],
            now: self.now,
        };
        let planned = self.alloc.plan(&wish);
        let restricted = wish.only_hint;
        self.check_plan(client, kind, restricted, planned.as_ref());
        let wished =
            |resource: &F::Resource| hint == Some(*resource) || reserved.contains(resource);
        if let Some(plan) = planned
            .as_ref()
            .filter(|plan| !wished(&plan.lease.resource))
        {
            self.check_patience(client, kind, plan);
        }
        if let Some(mut plan) = planned {
            plan.lease.valid_lifetime = LIFETIME;
            self.offers
                .retain(|_, (resource, _)| *resource != plan.lease.resource);
            self.packets.insert(client, plan);
        }
    }

    fn check_plan(&self, client: u8, kind: F::Kind, only_hint: bool, planned: Option<&Plan<F>>) {
        let Some(plan) = planned else {
            if !only_hint {
                let left = self
                    .resources(kind)
                    .find(|resource| self.is_obtainable(client, resource));
                assert_eq!(left, None, "client {client} was turned away");
            }
            return;
        };
        let resource = plan.lease.resource;
        assert!(
            self.is_obtainable(client, &resource),
            "{resource} is not for client {client}"
        );
        assert!(F::kind_of(&resource) == kind);
    }

    /// An expired lease of another is taken over only where nothing is free, but for what the client was offered.
    fn check_patience(&self, client: u8, kind: F::Kind, plan: &Plan<F>) {
        let resource = plan.lease.resource;
        let offered = self
            .offers
            .get(&client)
            .is_some_and(|(offered, _)| *offered == resource);
        let mine = plan
            .claim
            .previous()
            .is_some_and(|lease| lease.owner == F::owner(client));
        if plan.claim.origin() == Origin::Expired && !mine && !offered {
            let free = self
                .resources(kind)
                .find(|resource| self.is_free(client, resource));
            assert_eq!(free, None, "client {client} was given an expired lease");
        }
    }

    fn packet(&mut self, number: u8) -> Option<(u8, Plan<F>)> {
        let place = usize::from(number) % self.packets.len().max(1);
        let client = *self.packets.keys().nth(place)?;
        let plan = self.packets.remove(&client)?;
        Some((client, plan))
    }

    fn offer(&mut self, client: u8, plan: Plan<F>) {
        let held = plan.claim.origin() == Origin::Held;
        let until = self.now + OFFER;
        let lease = plan.offer(until);
        if !held {
            self.offers.insert(client, (lease.resource, until));
        }
    }

    fn commit(&mut self, client: u8, plan: Plan<F>) {
        let before = self.lease(&plan.lease.resource);
        let mine = before
            .as_ref()
            .is_some_and(|lease| lease.owner == F::owner(client));
        let mut changes = ChangeSet::default();
        changes.grant(plan);
        match self.alloc.commit(changes) {
            Ok(_) => assert!(
                mine || before.is_none_or(|lease| !self.is_running(&lease)),
                "client {client} was given another client's lease"
            ),
            Err(CommitError::Lost) => {}
            Err(CommitError::Store(error)) => panic!("{error}"),
        }
    }

    /// A lease that its client could give back: it runs, and no packet of the client is under way.
    fn own_lease(&self, number: u8) -> Option<Lease<F>> {
        let busy = |lease: &Lease<F>| {
            self.packets
                .keys()
                .any(|client| F::owner(*client) == lease.owner)
        };
        let mut leases = self.leases();
        leases.retain(|lease| lease.state == LeaseState::Default && !busy(lease));
        let place = usize::from(number) % leases.len().max(1);
        (place < leases.len()).then(|| leases.swap_remove(place))
    }

    fn change(&self, change: impl FnOnce(&mut ChangeSet<F>)) {
        let mut changes = ChangeSet::default();
        change(&mut changes);
        self.alloc
            .commit(changes)
            .expect("nobody else has changed it");
    }

    fn add(&self, client: u8, kind: F::Kind, resource: u8) {
        let known: Vec<_> = self.resources(kind).collect();
        let resource = known[usize::from(resource) % known.len()];
        let old = self.lease(&resource);
        let in_use =
            |lease: &Lease<F>| matches!(lease.state, LeaseState::Default | LeaseState::Declined);
        if old.as_ref().is_some_and(in_use) {
            return;
        }
        let added = Lease {
            resource,
            owner: F::owner(client),
            subnet_id: 1,
            pool_id: 0,
            state: LeaseState::Default,
            cltt: self.now,
            valid_lifetime: LIFETIME,
            preferred_lifetime: 0,
            hostname: Box::default(),
            fqdn_fwd: false,
            fqdn_rev: false,
            hw_address: HwAddress::EMPTY,
            user_context: Box::default(),
        };
        self.change(|changes| changes.write(old.as_ref(), added));
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Plan {
                client,
                kind,
                hint,
                only_hint,
            } => {
                let kind = F::KINDS[usize::from(kind) % F::KINDS.len()];
                self.plan(client % CLIENTS, kind, hint, only_hint);
            }
            Step::PlanLate { client } => {
                std::mem::swap(&mut self.cfg, &mut self.before);
                self.plan(client % CLIENTS, F::KINDS[0], None, false);
                std::mem::swap(&mut self.cfg, &mut self.before);
            }
            Step::Offer { packet } => {
                if let Some((client, plan)) = self.packet(packet) {
                    self.offer(client, plan);
                }
            }
            Step::Commit { packet } => {
                if let Some((client, plan)) = self.packet(packet) {
                    self.commit(client, plan);
                }
            }
            Step::Drop { packet } => drop(self.packet(packet)),
            Step::Release { lease, affinity } => {
                if let Some(lease) = self.own_lease(lease) {
                    self.change(|changes| changes.release(&lease, affinity));
                }
            }
            Step::Decline { lease } => {
                if let Some(lease) = self.own_lease(lease) {
                    let now = self.now;
                    self.change(|changes| drop(changes.decline(&lease, LIFETIME, now)));
                }
            }
            Step::Add {
                client,
                kind,
                resource,
            } => {
                let kind = F::KINDS[usize::from(kind) % F::KINDS.len()];
                self.add(client % CLIENTS, kind, resource);
            }
            Step::Delete { lease } => {
                let leases = self.leases();
                if let Some(lease) = leases.get(usize::from(lease) % leases.len().max(1)) {
                    self.change(|changes| changes.remove(lease));
                }
            }
            Step::Pass { seconds } => self.now += u64::from(seconds),
            Step::Reclaim => self.reclaim(),
            Step::Reload { config } => {
                self.before = std::mem::replace(&mut self.cfg, F::config(config));
                self.alloc.reload(&self.cfg);
            }
        }
    }

    fn reclaim(&mut self) {
        for lease in self.leases() {
            if lease.is_expired(self.now) && !self.is_claimed(&lease.resource) {
                self.change(|changes| changes.remove(&lease));
            }
        }
    }
}

fn run<F: Case>(steps: Vec<Step>) {
    let mut world = World::<F>::new();
    for step in steps {
        world.take(step);
    }
    // Everything ends, and everything is free again.
    world.packets.clear();
    world.now += 2 * u64::from(LIFETIME);
    world.reclaim();
    world.cfg = F::config(0);
    world.alloc.reload(&world.cfg);
    for kind in F::KINDS {
        let count = world.resources(*kind).count();
        // The one with reservations, and others that every pool admits.
        let count = u8::try_from(count).expect("small pools");
        for client in (0..count).map(|number| (2 * number).saturating_sub(1)) {
            world.packets.clear();
            world.plan(client, *kind, None, false);
            let (client, plan) = world.packet(0).expect("one is free for each");
            world.commit(client, plan);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_address_has_two_holders_and_a_free_one_is_always_found(steps in steps()) {
        run::<V4>(steps);
    }

    #[test]
    fn no_address_or_prefix_has_two_holders_and_a_free_one_is_always_found(steps in steps()) {
        run::<V6>(steps);
    }
}

/// Every candidate of a pool too large for a bitmap is found, however many of its neighbours are taken.
#[test]
fn sparse_pool_is_searched_past_whatever_is_taken() {
    let cfg = <V6 as Case>::config(2);
    let alloc = Allocator::new(Arc::new(Store::in_memory()), &cfg);
    let owner = <V6 as Case>::owner(1);
    let mut skipped = Vec::new();
    for _ in 0..300 {
        let plan = alloc.plan(&Wish {
            cfg: &cfg,
            subnets: &[0],
            kind: Kind6::Address,
            owner: &owner,
            keys: &owner.keys(),
            is_mine: &|other| *other == owner,
            reserved: &[],
            hint: None,
            classes: &classes(1),
            only_hint: false,
            skipped: &skipped,
            now: 1000,
        });
        let resource = plan.expect("the pool has 2^64 addresses").lease.resource;
        assert!(!skipped.contains(&resource));
        skipped.push(resource);
    }
}
