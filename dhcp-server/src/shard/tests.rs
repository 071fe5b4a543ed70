use super::*;
use crate::net::testing::{sockets4, sockets6};
use outrigger_wire::Link;
use outrigger_wire::buffer::Buffer;
use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket as StdSocket};
use std::sync::{Mutex, mpsc};

/// Why [`Echo`] stayed silent, over all shards.
type Silence = Arc<Mutex<HashMap<String, u64>>>;

/// Sends packets back, by what their first byte says.
struct Echo {
    silence: Silence,
}

const AT_ONCE: u8 = b'a';
const LATER: u8 = b'b';
const DISCARD: u8 = b'c';
const PANIC: u8 = b'd';
const NEVER: u8 = b'e';

impl Service for Echo {
    type Discard = &'static str;

    async fn serve(self: Rc<Self>, datagram: Datagram) -> Result<Option<Outgoing>, &'static str> {
        match datagram.bytes.first().copied() {
            Some(LATER) => {
                let millis = u64::from(datagram.bytes.last().copied().unwrap_or(0)) % 20;
                tokio::time::sleep(Duration::from_millis(millis)).await;
            }
            Some(DISCARD) => return Err("discarded"),
            Some(PANIC) => panic!("as the packet asked"),
            Some(NEVER) => std::future::pending().await,
            _ => {}
        }
        Ok(Some(Outgoing {
            bytes: datagram.bytes,
            link: datagram.link,
            to_hardware: None,
        }))
    }

    fn discarded(&self, discard: &'static str) {
        *self
            .silence
            .lock()
            .unwrap()
            .entry(discard.to_owned())
            .or_default() += 1;
    }

    fn shed(&self, reason: ShedReason, count: u64) {
        *self
            .silence
            .lock()
            .unwrap()
            .entry(format!("{reason:?}"))
            .or_default() += count;
    }
}

fn options(shards: usize, limits: Limits) -> Options {
    Options {
        shards: NonZeroUsize::new(shards).unwrap(),
        limits,
        tap: None,
    }
}

fn echo(options: &Options, sockets: Sockets) -> (ShardHandles, Silence) {
    let silence = Silence::default();
    let shared = silence.clone();
    let handles = spawn(options, sockets, move |_| Echo {
        silence: shared.clone(),
    })
    .unwrap();
    (handles, silence)
}

fn datagram(kind: u8, client: u8) -> Datagram {
    // Enough of a DHCPv4 header to have a hardware address: its last byte is the client.
    let mut bytes = Buffer::copy_of(&[kind, 1, 6]);
    bytes.resize(240, 0);
    bytes[33] = client;
    let address = ([192, 0, 2, 1], 67).into();
    let link = Link {
        interface: "test".into(),
        interface_index: 1000,
        local: address,
        remote: address,
    };
    Datagram { bytes, link }
}

/// Shards without sockets, and what they answer.
fn simulated(shards: usize, limits: Limits) -> (ShardHandles, Silence, mpsc::Receiver<Outgoing>) {
    let (sender, answers) = mpsc::channel();
    let tap: Tap = Arc::new(move |outgoing| sender.send(outgoing).unwrap());
    let options = Options {
        tap: Some(tap),
        ..options(shards, limits)
    };
    let (handles, silence) = echo(&options, Sockets::default());
    (handles, silence, answers)
}

fn count(silence: &Silence, reason: &str) -> u64 {
    silence.lock().unwrap().get(reason).copied().unwrap_or(0)
}

fn answer(answers: &mpsc::Receiver<Outgoing>) -> Outgoing {
    answers
        .recv_timeout(Duration::from_secs(5))
        .expect("an answer")
}

fn ask_many(server: SocketAddr, bind: &str) {
    const PACKETS: u16 = 2500;
    const WINDOW: u16 = 100;
    let client = StdSocket::bind(bind).unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut seen = vec![false; usize::from(PACKETS)];
    let mut bytes = [0; 64];
    let send = |number: u16| {
        let [high, low] = number.to_be_bytes();
        let kind = if number.is_multiple_of(2) {
            LATER
        } else {
            AT_ONCE
        };
        client.send_to(&[kind, high, low], server).unwrap();
    };
    (0..WINDOW).for_each(send);
    for sent in WINDOW..PACKETS + WINDOW {
        assert_eq!(client.recv(&mut bytes).unwrap(), 3);
        let number = u16::from_be_bytes([bytes[1], bytes[2]]);
        assert!(
            !std::mem::replace(&mut seen[usize::from(number)], true),
            "{number} answered twice"
        );
        if sent < PACKETS {
            send(sent);
        }
    }
    assert!(seen.iter().all(|seen| *seen));
}

#[test]
fn ten_thousand_datagrams_over_loopback_are_each_answered_once() {
    let sockets = sockets4().and(sockets6());
    let [v4, v6] = [0, 1].map(|at| sockets.udp[at].port());
    let (handles, silence) = echo(&options(2, Limits::default()), sockets);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| ask_many(([127, 0, 0, 1], v4).into(), "127.0.0.1:0"));
            scope.spawn(|| ask_many((std::net::Ipv6Addr::LOCALHOST, v6).into(), "[::1]:0"));
        }
    });
    handles.stop(Duration::from_secs(5));
    assert_eq!(handles.join(), Ok(()));
    assert_eq!(*silence.lock().unwrap(), HashMap::new());
}

#[test]
fn shard_outlives_panics_and_discards_and_counts_them() {
    let (handles, silence, answers) = simulated(1, Limits::default());
    for kind in [PANIC, DISCARD, PANIC, AT_ONCE] {
        handles.inject(datagram(kind, 1));
    }
    assert_eq!(answer(&answers).bytes[0], AT_ONCE);
    assert_eq!(
        (count(&silence, "Panicked"), count(&silence, "discarded")),
        (2, 1)
    );
    handles.stop(Duration::from_secs(5));
    assert_eq!(handles.join(), Ok(()));
}

#[test]
fn stop_lets_packets_in_flight_end_and_gives_up_on_the_others_after_the_grace_period() {
    let (handles, silence, answers) = simulated(2, Limits::default());
    for client in 0..20 {
        handles.inject(datagram(LATER, client));
    }
    handles.inject(datagram(NEVER, 1));
    handles.stop(Duration::from_secs(1));
    let started = Instant::now();
    assert_eq!(handles.join(), Ok(()));
    assert!(
        started.elapsed() >= Duration::from_millis(250),
        "it waited for the one that never ends"
    );
    assert_eq!(answers.iter().count(), 20);
    assert_eq!(
        *silence.lock().unwrap(),
        HashMap::from([("Stopped".to_owned(), 1)])
    );
}

#[test]
fn packets_wait_while_all_slots_are_taken_and_the_surplus_is_shed() {
    let limits = Limits {
        waiting: 5,
        in_flight: 3,
        max_age: Duration::from_secs(10),
    };
    let (handles, silence, _answers) = simulated(1, limits);
    for client in 0..20 {
        handles.inject(datagram(NEVER, client));
    }
    handles.stop(Duration::from_millis(50));
    assert_eq!(handles.join(), Ok(()));
    // How many had started when the queue was full depends on the threads; that each is counted once does not.
    let silence = silence.lock().unwrap();
    assert_eq!(silence.values().sum::<u64>(), 20, "{silence:?}");
    assert!((3..=8).contains(&silence["Stopped"]), "{silence:?}");
}

#[test]
fn packet_that_is_too_old_when_there_is_room_is_not_served() {
    let limits = Limits {
        waiting: 5,
        in_flight: 1,
        max_age: Duration::from_millis(5),
    };
    let (handles, silence, answers) = simulated(1, limits);
    let mut holds_the_slot = datagram(LATER, 1);
    *holds_the_slot.bytes.last_mut().unwrap() = 19;
    handles.inject(holds_the_slot);
    handles.inject(datagram(AT_ONCE, 1));
    handles.stop(Duration::from_secs(5));
    assert_eq!(handles.join(), Ok(()));
    let answered: Vec<u8> = answers.iter().map(|answer| answer.bytes[0]).collect();
    assert!(!answered.contains(&AT_ONCE));
    assert_eq!(count(&silence, "Stale"), 2 - answered.len() as u64);
}

#[test]
fn clients_are_spread_over_shards_and_each_stays_on_its_own() {
    struct Named(usize);
    impl Service for Named {
        type Discard = ();
        async fn serve(self: Rc<Self>, datagram: Datagram) -> Result<Option<Outgoing>, ()> {
            let mut bytes = datagram.bytes;
            bytes[0] = u8::try_from(self.0).unwrap();
            Ok(Some(Outgoing {
                bytes,
                link: datagram.link,
                to_hardware: None,
            }))
        }
        fn discarded(&self, (): ()) {}
        fn shed(&self, reason: ShedReason, _: u64) {
            panic!("{reason:?}");
        }
    }
    let (sender, answers) = mpsc::channel();
    let tap: Tap = Arc::new(move |outgoing: Outgoing| sender.send(outgoing).unwrap());
    let options = Options {
        tap: Some(tap),
        ..options(3, Limits::default())
    };
    let handles = spawn(&options, Sockets::default(), Named).unwrap();
    for client in (0..=u8::MAX).cycle().take(1024) {
        handles.inject(datagram(AT_ONCE, client));
    }
    let mut shard_of: HashMap<u8, u8> = HashMap::new();
    for _ in 0..1024 {
        let answer = answer(&answers);
        let (client, shard) = (answer.bytes[33], answer.bytes[0]);
        assert_eq!(
            *shard_of.entry(client).or_insert(shard),
            shard,
            "client {client}"
        );
    }
    for shard in 0..3 {
        assert!(
            shard_of.values().filter(|at| **at == shard).count() > 40,
            "{shard_of:?}"
        );
    }
    handles.stop(Duration::ZERO);
    assert_eq!(handles.join(), Ok(()));
}

#[test]
fn panic_outside_of_packets_ends_the_shard_and_is_told() {
    struct Broken;
    impl Service for Broken {
        type Discard = ();
        async fn serve(self: Rc<Self>, _: Datagram) -> Result<Option<Outgoing>, ()> {
            Err(())
        }
        fn discarded(&self, (): ()) {
            panic!("a bug of the server");
        }
        fn shed(&self, _: ShedReason, _: u64) {}
    }
    let handles = spawn(&options(1, Limits::default()), Sockets::default(), |_| {
        Broken
    })
    .unwrap();
    handles.inject(datagram(AT_ONCE, 1));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(handles.ended());
    assert_eq!(handles.join(), Err(ShardPanicked { shard: 0 }));
}
