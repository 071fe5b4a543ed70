//! One page, packet by packet, on the test's own thread.

use super::{config, hooks};
use outrigger_alloc::Allocator;
use outrigger_config::model::Server;
use outrigger_hooks::{Hooks, ShardHooks};
use outrigger_server::clock::Clock;
use outrigger_server::pipeline::v4::Server4;
use outrigger_server::pipeline::v6::Server6;
use outrigger_server::served::{Common, Served};
use outrigger_server::telemetry::DiscardReason;
use outrigger_server::turns::Turns;
use outrigger_server::upkeep;
use outrigger_store::{Lease, Store};
use outrigger_testkit::client4::message;
use outrigger_testkit::{Client4, Client6, Reply4Seen, Reply6Seen};
use outrigger_wire::buffer::Buffer;
use outrigger_wire::{Datagram, Duid, Link, Outgoing, V4, V6};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// The server's address.
pub(crate) const SERVER4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// A relay's address in the same subnet.
pub(crate) const RELAY4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

/// A page that serves one packet after the other, with the services that its configuration names and a clock that the
/// test moves.
pub(crate) struct Page<F: Served> {
    pub(crate) common: Arc<Common<F>>,
    pub(crate) page: F::Page,
    pub(crate) cfg: Arc<Server<F>>,
    pub(crate) services: Arc<Hooks>,
    pub(crate) hooks: ShardHooks,
    pub(crate) runtime: Runtime,
}

/// The DHCPv4 page.
pub(crate) type Page4 = Page<V4>;

/// The DHCPv6 page.
pub(crate) type Page6 = Page<V6>;

impl<F: Served> Page<F> {
    fn made_of(
        members: &str,
        store: Store<F>,
        identity: F::Identity,
        page: impl Fn(&Common<F>) -> F::Page,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let cfg = config::<F>(members);
        let common = Arc::new(Common {
            alloc: Allocator::new(Arc::new(store), &cfg),
            turns: Arc::new(Turns::new()),
            clock: Clock::default(),
            network: Arc::default(),
            ports: F::PORTS,
            identity,
        });
        let services = hooks(&cfg);
        let hooks = services.shard(runtime.handle());
        runtime.block_on(services.ready()).unwrap();
        let page = page(&common);
        Self {
            common,
            page,
            cfg,
            services,
            hooks,
            runtime,
        }
    }

    /// Serves a packet to its end.
    pub(crate) fn serve(
        &self,
        bytes: &[u8],
        link: Link,
    ) -> Result<Option<Outgoing>, DiscardReason> {
        self.runtime.block_on(self.serving(bytes, link))
    }

    /// As [`Self::serve`], beside others.
    pub(crate) async fn serving(
        &self,
        bytes: &[u8],
        link: Link,
    ) -> Result<Option<Outgoing>, DiscardReason> {
        let datagram = Datagram {
            bytes: Buffer::copy_of(bytes),
            link,
        };
        let served = F::serve(&self.page, &self.cfg, &self.hooks, datagram).await;
        served.map_err(|discard| discard.reason)
    }

    /// Takes a new configuration.
    pub(crate) fn reload(&mut self, members: &str) {
        self.cfg = config::<F>(members);
        self.common.alloc.reload(&self.cfg);
    }

    /// Time passes.
    pub(crate) fn advance(&self, seconds: u64) {
        self.common.clock.advance(seconds);
    }

    /// One reclamation pass.
    pub(crate) fn reclaim(&self) -> upkeep::Pass {
        let now = self.common.clock.now();
        let pass = upkeep::reclaim(&self.cfg, &self.common.alloc, &self.hooks, now);
        self.runtime.block_on(pass).unwrap()
    }

    /// The lease of a resource, in whatever state.
    pub(crate) fn lease(&self, resource: F::Resource) -> Option<Lease<F>> {
        self.common.alloc.store().lock().get(&resource).cloned()
    }

    /// How many leases there are, in whatever state.
    pub(crate) fn leases(&self) -> usize {
        self.common.alloc.store().lock().len()
    }
}

/// A link on `eth0` between the server's address and a remote one.
pub(crate) fn at4(local: Ipv4Addr, remote: Ipv4Addr, remote_port: u16) -> Link {
    Link {
        interface: "eth0".into(),
        interface_index: 1,
        local: (local, 67).into(),
        remote: (remote, remote_port).into(),
    }
}

impl Page4 {
    /// Leases live in memory.
    pub(crate) fn new(members: &str) -> Self {
        Self::with(members, Store::in_memory())
    }

    pub(crate) fn with(members: &str, store: Store<V4>) -> Self {
        Self::made_of(members, store, (), |common| Server4 {
            alloc: Arc::clone(&common.alloc),
            turns: Arc::clone(&common.turns),
            clock: common.clock.clone(),
            addresses: [(1, SERVER4)].into(),
            interfaces: [("eth0".into(), 1), ("eth1".into(), 2)].into(),
            ports: common.ports,
        })
    }

    /// Serves a message the way it would have come.
    pub(crate) fn send(&self, bytes: &[u8]) -> Result<Option<Outgoing>, DiscardReason> {
        self.serve(bytes, Self::way(bytes))
    }

    /// The way a message comes: from its relay, by unicast where the client has an address, else by broadcast.
    pub(crate) fn way(bytes: &[u8]) -> Link {
        let field = |at: usize| {
            let octets: [u8; 4] = bytes[at..at + 4].try_into().unwrap();
            Some(Ipv4Addr::from(octets)).filter(|addr| !addr.is_unspecified())
        };
        match (field(24), field(12)) {
            (Some(giaddr), _) => at4(SERVER4, giaddr, 67),
            (None, Some(ciaddr)) => at4(SERVER4, ciaddr, 68),
            (None, None) => at4(Ipv4Addr::BROADCAST, Ipv4Addr::UNSPECIFIED, 68),
        }
    }

    /// The answer to a message, checked to be one.
    pub(crate) fn ask(&self, bytes: &[u8]) -> Result<Reply4Seen, DiscardReason> {
        let outgoing = self.send(bytes)?.expect("an answer");
        let reply = Reply4Seen::parse(&outgoing.bytes).unwrap();
        reply.check_answers(bytes).unwrap();
        Ok(reply)
    }

    /// What a message without an answer comes to.
    pub(crate) fn tell(&self, bytes: &[u8]) -> Result<(), DiscardReason> {
        self.send(bytes).map(|answer| assert!(answer.is_none()))
    }

    /// DISCOVER, OFFER, REQUEST, ACK.
    pub(crate) fn lease_to(&self, client: &mut Client4) -> Reply4Seen {
        let offer = self.ask(&client.discover()).unwrap();
        assert_eq!(offer.message_type, message::OFFER);
        let ack = self.ask(&client.request_selecting(&offer)).unwrap();
        assert_eq!(ack.message_type, message::ACK);
        assert_eq!(ack.yiaddr, offer.yiaddr);
        ack
    }
}

/// A link on `eth0`, from a client by multicast or from a relay by unicast.
pub(crate) fn at6(local: &str, remote: &str) -> Link {
    let with_port =
        |address: &str, port| SocketAddr::from((address.parse::<Ipv6Addr>().unwrap(), port));
    Link {
        interface: "eth0".into(),
        interface_index: 1,
        local: with_port(local, 547),
        remote: with_port(remote, 546),
    }
}

impl Page6 {
    /// Leases live in memory.
    pub(crate) fn new(members: &str) -> Self {
        Self::with(members, Store::in_memory())
    }

    pub(crate) fn with(members: &str, store: Store<V6>) -> Self {
        Self::made_of(members, store, Self::duid(), |common| Server6 {
            alloc: Arc::clone(&common.alloc),
            turns: Arc::clone(&common.turns),
            server_id: common.identity.clone(),
            clock: common.clock.clone(),
            client_port: common.ports.client,
            interfaces: Arc::from([("eth0".into(), 1), ("eth1".into(), 2)]),
        })
    }

    /// The server's DUID.
    pub(crate) fn duid() -> Duid {
        Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0, 0xff]).expect("long enough")
    }

    /// Serves a message as it would have come: from its relay, else by multicast on `eth0`.
    pub(crate) fn send(&self, bytes: &[u8]) -> Result<Option<Outgoing>, DiscardReason> {
        const RELAY_FORWARD: u8 = 12;
        let link = if bytes.first() == Some(&RELAY_FORWARD) {
            at6("2001:db8::1", "2001:db8::2")
        } else {
            at6("ff02::1:2", "fe80::7")
        };
        self.serve(bytes, link)
    }

    /// The answer to a message, checked to be one.
    pub(crate) fn ask(&self, bytes: &[u8]) -> Result<Reply6Seen, DiscardReason> {
        let outgoing = self.send(bytes)?.expect("an answer");
        let reply = Reply6Seen::parse(&outgoing.bytes).unwrap();
        reply.check_answers(bytes).unwrap();
        Ok(reply)
    }

    /// SOLICIT, ADVERTISE, REQUEST, REPLY.
    pub(crate) fn lease_to(&self, client: &mut Client6) -> Reply6Seen {
        let advertise = self.ask(&client.solicit()).unwrap();
        self.ask(&client.request(&advertise)).unwrap()
    }
}
