//! A whole server on a link that the test holds the other end of, with its main loop on a thread of its own.

use super::service::{Api, Asker};
use outrigger_proto::server_v1::LeaseKey;
use outrigger_server::clock::Clock;
use outrigger_server::control::{Change, MAX_ORDERS, Order, Wish};
use outrigger_server::server::{Chain, FamilyServer, LifeHooks, Options};
use outrigger_server::shard;
use outrigger_wire::buffer::Buffer;
use outrigger_wire::{Datagram, Link, Outgoing};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;

/// Long for any machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What the test asks of the main loop.
enum Ask {
    Inject(Datagram),
    Discards(oneshot::Sender<u64>),
    Change(String, oneshot::Sender<()>),
}

/// A running server and its hook service.
pub(crate) struct Stage {
    pub(crate) service: Asker,
    asks: mpsc::UnboundedSender<Ask>,
    answers: Mutex<std::sync::mpsc::Receiver<Outgoing>>,
    main_loop: Option<JoinHandle<()>>,
    pub(crate) runtime: Runtime,
    pub(crate) directory: Arc<TempDir>,
}

impl Stage {
    /// A server with these members of its configuration, that grants the service everything.
    pub(crate) fn start<F: LifeHooks>(service: Asker, members: &str) -> Self {
        Self::granting::<F>(service, &super::service::ALL, members)
    }

    pub(crate) fn granting<F: LifeHooks>(service: Asker, grants: &[&str], members: &str) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        Self::in_directory::<F>(directory, service, grants, members)
    }

    pub(crate) fn in_directory<F: LifeHooks>(
        directory: Arc<TempDir>,
        service: Asker,
        grants: &[&str],
        members: &str,
    ) -> Self {
        let text = document::<F>(&directory, &service, grants, members);
        let (asks, asked) = mpsc::unbounded_channel();
        let (answer, answers) = std::sync::mpsc::channel();
        let (ready, is_ready) = std::sync::mpsc::channel();
        let main_loop = std::thread::spawn(move || {
            let work = main_loop::<F>(text, asked, answer, ready);
            runtime().block_on(LocalSet::new().run_until(work));
        });
        is_ready.recv_timeout(PATIENCE).expect("the server starts");
        Self {
            service,
            asks,
            answers: Mutex::new(answers),
            main_loop: Some(main_loop),
            runtime: runtime(),
            directory,
        }
    }

    /// Has another configuration taken.
    pub(crate) fn change<F: LifeHooks>(&self, grants: &[&str], members: &str) {
        let text = document::<F>(&self.directory, &self.service, grants, members);
        let (tell, told) = oneshot::channel();
        self.asks.send(Ask::Change(text, tell)).ok().unwrap();
        self.run(told).unwrap();
    }

    /// The API with everything that the service was told.
    pub(crate) fn api(&self) -> Api {
        // Its connection belongs to a runtime.
        let _runtime = self.runtime.enter();
        self.service.api()
    }

    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let in_time = self
            .runtime
            .block_on(async { tokio::time::timeout(PATIENCE, work).await });
        in_time.expect("in time")
    }

    pub(crate) fn inject(&self, bytes: &[u8], link: Link) {
        let bytes = Buffer::copy_of(bytes);
        self.asks
            .send(Ask::Inject(Datagram { bytes, link }))
            .ok()
            .unwrap();
    }

    /// The answer to a packet; `None` where it is discarded.
    pub(crate) fn exchange(&self, bytes: &[u8], link: Link) -> Option<Outgoing> {
        self.exchange_all([(bytes.to_vec(), link)]).pop()
    }

    /// Injects packets that want answers and waits until each is answered or counted as a discard.
    pub(crate) fn exchange_all(
        &self,
        packets: impl IntoIterator<Item = (Vec<u8>, Link)>,
    ) -> Vec<Outgoing> {
        let before = self.discards();
        let mut sent = 0;
        for (bytes, link) in packets {
            self.inject(&bytes, link);
            sent += 1;
        }
        let mut seen = Vec::new();
        let deadline = Instant::now() + PATIENCE;
        while seen.len() as u64 + self.discards() - before < sent {
            assert!(Instant::now() < deadline, "packets have vanished");
            seen.extend(
                self.answers
                    .lock()
                    .unwrap()
                    .recv_timeout(Duration::from_millis(1)),
            );
        }
        seen
    }

    /// Waits until it is so.
    pub(crate) fn until(&self, what: &str, so: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !so() {
            assert!(Instant::now() < deadline, "not in time: {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Packets that got no answer.
    pub(crate) fn discards(&self) -> u64 {
        let (tell, told) = oneshot::channel();
        self.asks.send(Ask::Discards(tell)).ok().unwrap();
        self.run(told).unwrap()
    }

    /// Stops the server in order.
    pub(crate) fn stop(mut self) -> Arc<TempDir> {
        self.end();
        Arc::clone(&self.directory)
    }

    fn end(&mut self) {
        let (nobody, _) = mpsc::unbounded_channel();
        drop(std::mem::replace(&mut self.asks, nobody));
        if let Some(main_loop) = self.main_loop.take() {
            let ended = main_loop.join();
            if !std::thread::panicking() {
                ended.unwrap();
            }
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.end();
    }
}

fn document<F: LifeHooks>(
    directory: &TempDir,
    service: &Asker,
    grants: &[&str],
    members: &str,
) -> String {
    format!(
        r#"{{ "{}": {{ "lease-database": {{ "type": "memfile", "name": "{}/leases.csv" }}, {}, {members} }} }}"#,
        F::TOP_LEVEL,
        directory.path().display(),
        service.member(grants),
    )
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

async fn main_loop<F: LifeHooks>(
    text: String,
    mut asked: mpsc::UnboundedReceiver<Ask>,
    answer: std::sync::mpsc::Sender<Outgoing>,
    ready: std::sync::mpsc::Sender<()>,
) {
    let loaded = outrigger_config::load_text("test", &text);
    let config = loaded
        .config
        .unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
    let options = Options {
        shards: shard::Options {
            shards: NonZeroUsize::new(2).unwrap(),
            // A test that has ended reads no more.
            tap: Some(Arc::new(move |outgoing| drop(answer.send(outgoing)))),
            ..shard::Options::default()
        },
        ..Options::default()
    };
    let (sender, mut orders) = mpsc::channel(MAX_ORDERS);
    let cfg = F::of(&config).unwrap();
    let started = FamilyServer::<F>::start(cfg, &options, Clock::default(), sender).await;
    let mut server = started.unwrap_or_else(|error| panic!("{}", Chain(&error)));
    ready.send(()).unwrap();
    loop {
        tokio::select! {
            Some(Order { wish, done }) = orders.recv() => {
                let Wish::Change(change) = wish else {
                    panic!("{wish:?}");
                };
                let changed = server.change(change).await;
                let _ = done.send(changed.map_err(|error| Chain(&error).to_string()));
            }
            ask = asked.recv() => match ask {
                Some(Ask::Inject(datagram)) => {
                    server.instance().handles().inject(datagram);
                }
                Some(Ask::Discards(tell)) => {
                    let _ = tell.send(server.discards().iter().map(|(_, count)| count).sum());
                }
                Some(Ask::Change(document, tell)) => {
                    let change = Change {
                        family: F::FAMILY,
                        document,
                        entries: Vec::new(),
                        based_on: None,
                    };
                    server.change(change).await.unwrap();
                    let _ = tell.send(());
                }
                None => break,
            },
        }
    }
    server.stop(true).await.unwrap();
}

/// Names the lease of an address.
pub(crate) fn key(address: &str) -> Option<LeaseKey> {
    let (address, prefix_length) = match address.split_once('/') {
        Some((address, length)) => (address, length.parse().unwrap()),
        None => (address, 0),
    };
    let address = match address.parse().unwrap() {
        std::net::IpAddr::V4(address) => address.octets().to_vec(),
        std::net::IpAddr::V6(address) => address.octets().to_vec(),
    };
    Some(LeaseKey {
        address: address.into(),
        prefix_length,
    })
}
