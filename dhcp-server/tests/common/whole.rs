//! Shards without sockets: what is injected is served, and the answers are here.

use super::{config, hooks};
use outrigger_alloc::Allocator;
use outrigger_server::clock::Clock;
use outrigger_server::instance::Instance;
use outrigger_server::net::Sockets;
use outrigger_server::served::{Common, Served};
use outrigger_server::shard::{Limits, Options};
use outrigger_server::telemetry::{DiscardReason, Discards};
use outrigger_server::turns::Turns;
use outrigger_store::Store;
use outrigger_wire::buffer::Buffer;
use outrigger_wire::{Datagram, Link, Outgoing};
use std::num::NonZeroUsize;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// A whole server of two shards on a link that the test holds both ends of.
pub(crate) struct Whole<F: Served> {
    pub(crate) common: Arc<Common<F>>,
    pub(crate) discards: Arc<Discards>,
    pub(crate) instance: Instance<F>,
    pub(crate) answers: mpsc::Receiver<Outgoing>,
    runtime: tokio::runtime::Runtime,
}

impl<F: Served> Whole<F> {
    pub(crate) fn start(members: &str, identity: F::Identity) -> Self {
        let (sender, answers) = mpsc::channel();
        let options = Options {
            shards: NonZeroUsize::new(2).expect("not zero"),
            limits: Limits::default(),
            // A test that has ended reads no more.
            tap: Some(Arc::new(move |outgoing| drop(sender.send(outgoing)))),
        };
        let cfg = config::<F>(members);
        let common = Arc::new(Common {
            alloc: Allocator::new(Arc::new(Store::in_memory()), &cfg),
            turns: Arc::new(Turns::new()),
            clock: Clock::default(),
            network: Arc::default(),
            ports: F::PORTS,
            identity,
        });
        let discards = Arc::new(Discards::default());
        let sockets = Sockets::default();
        let instance = Instance::start(
            Arc::clone(&common),
            sockets,
            &options,
            Arc::clone(&discards),
        )
        .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let whole = Self {
            common,
            discards,
            instance,
            answers,
            runtime,
        };
        whole.serve_with(members);
        whole
    }

    /// Takes a configuration.
    pub(crate) fn serve_with(&self, members: &str) {
        let cfg = config::<F>(members);
        let hooks = hooks(&cfg);
        let taken = self.instance.serve_with(&cfg, &hooks);
        self.runtime.block_on(taken).unwrap();
    }

    pub(crate) fn inject(&self, bytes: &[u8], link: Link) {
        let bytes = Buffer::copy_of(bytes);
        self.instance.handles().inject(Datagram { bytes, link });
    }

    /// Injects packets that want answers and waits until each is answered or counted as a discard.
    pub(crate) fn exchange(
        &self,
        packets: impl IntoIterator<Item = (Vec<u8>, Link)>,
    ) -> Vec<Outgoing> {
        let discarded = || self.discards.iter().map(|(_, count)| count).sum::<u64>();
        let before = discarded();
        let mut sent = 0;
        for (bytes, link) in packets {
            self.inject(&bytes, link);
            sent += 1;
        }
        let mut answers = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(20);
        while answers.len() as u64 + discarded() - before < sent {
            assert!(Instant::now() < deadline, "packets have vanished");
            answers.extend(self.answers.recv_timeout(Duration::from_millis(1)));
        }
        answers
    }

    /// The next answer; `None` where none comes within a time that is long for any machine.
    pub(crate) fn answer(&self) -> Option<Outgoing> {
        self.answers.recv_timeout(Duration::from_secs(10)).ok()
    }

    /// Serves what has arrived, for no longer than `grace`, and ends; what was answered and was not read yet, and every discard.
    pub(crate) fn stop(self, grace: Duration) -> (Vec<Outgoing>, Vec<(DiscardReason, u64)>) {
        let handles = self.instance.into_handles();
        handles.stop(grace);
        handles.join().unwrap();
        let discards = self.discards.iter().collect();
        (self.answers.try_iter().collect(), discards)
    }
}
