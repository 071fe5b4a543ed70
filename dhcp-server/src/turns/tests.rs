use super::*;
use proptest::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::Wake;

const DISCOVER: TurnRequest = TurnRequest {
    xid: 1,
    message_type: 1,
    kind: TurnKind::Opening,
};
const REQUEST: TurnRequest = TurnRequest {
    xid: 1,
    message_type: 3,
    kind: TurnKind::Other,
};
const RELEASE: TurnRequest = TurnRequest {
    xid: 2,
    message_type: 7,
    kind: TurnKind::Ending,
};

/// Says whether the packet was woken since it was last polled.
#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A packet in [`Turns::wait_for`].
struct Packet<'a> {
    future: Pin<Box<dyn Future<Output = Result<Turn<'a>, TurnError>> + 'a>>,
    woken: Arc<Flag>,
}

impl<'a> Packet<'a> {
    fn new(turns: &'a Turns, keys: TurnKeys, request: TurnRequest) -> Self {
        Self {
            future: Box::pin(turns.wait_for(keys, request)),
            woken: Arc::default(),
        }
    }

    fn poll(&mut self) -> Poll<Result<Turn<'a>, TurnError>> {
        self.woken.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(self.woken.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn is_woken(&self) -> bool {
        self.woken.0.load(Ordering::SeqCst)
    }
}

fn keys(turns: &Turns, numbers: &[u8]) -> TurnKeys {
    match *numbers {
        [one] => turns.key(one).into(),
        [one, two] => [turns.key(one), turns.key(two)].into(),
        _ => unreachable!("a client has one or two keys"),
    }
}

fn enter<'a>(turns: &'a Turns, numbers: &[u8], request: TurnRequest) -> Packet<'a> {
    Packet::new(turns, keys(turns, numbers), request)
}

fn granted<'a>(packet: &mut Packet<'a>) -> Turn<'a> {
    let Poll::Ready(Ok(turn)) = packet.poll() else {
        panic!("no turn")
    };
    turn
}

fn refused(packet: &mut Packet<'_>) -> Option<TurnError> {
    match packet.poll() {
        Poll::Ready(result) => result.err(),
        Poll::Pending => None,
    }
}

fn is_unused(turns: &Turns) -> bool {
    turns.stripes.iter().all(|stripe| lock(stripe).is_empty())
}

#[test]
fn second_packet_of_a_client_waits_until_the_first_has_ended() {
    let turns = Turns::new();
    let first = granted(&mut enter(&turns, &[1], DISCOVER));
    let mut second = enter(&turns, &[1], REQUEST);
    assert!(second.poll().is_pending() && !second.is_woken());
    drop(first);
    assert!(second.is_woken());
    drop(granted(&mut second));
    assert!(is_unused(&turns));
}

#[test]
fn clients_do_not_wait_for_each_other() {
    let turns = Turns::new();
    let held: Vec<_> = (0..=u8::MAX)
        .map(|client| granted(&mut enter(&turns, &[client], DISCOVER)))
        .collect();
    assert_eq!(held.len(), 256);
    drop(held);
    assert!(is_unused(&turns));
}

#[test]
fn turn_covers_both_keys_of_a_client() {
    let turns = Turns::new();
    let first = granted(&mut enter(&turns, &[1, 2], DISCOVER));
    let mut by_one = enter(&turns, &[1, 3], REQUEST);
    let mut by_other = enter(&turns, &[4, 2], REQUEST);
    assert!(by_one.poll().is_pending() && by_other.poll().is_pending());
    drop(first);
    let held = [granted(&mut by_one), granted(&mut by_other)];
    drop(held);
    assert!(is_unused(&turns));
}

#[test]
fn packet_with_two_keys_waits_until_both_are_free() {
    let turns = Turns::new();
    let one = granted(&mut enter(&turns, &[1], DISCOVER));
    let two = granted(&mut enter(&turns, &[2], DISCOVER));
    let mut both = enter(&turns, &[1, 2], REQUEST);
    assert!(both.poll().is_pending());
    drop(two);
    assert!(both.poll().is_pending() && !both.is_woken());
    drop(one);
    assert!(both.is_woken());
    drop(granted(&mut both));
    assert!(is_unused(&turns));
}

#[test]
fn third_packet_takes_the_place_of_the_waiting_one() {
    let turns = Turns::new();
    let first = granted(&mut enter(&turns, &[1, 2], DISCOVER));
    let mut second = enter(&turns, &[1, 2], REQUEST);
    assert!(second.poll().is_pending());
    let mut third = enter(&turns, &[2, 3], DISCOVER.with_xid(9));
    assert!(third.poll().is_pending());
    assert!(second.is_woken());
    assert_eq!(refused(&mut second), Some(TurnError::Replaced));
    drop(first);
    drop(granted(&mut third));
    assert!(is_unused(&turns));
}

#[test]
fn newer_packet_replaces_a_waiting_one_even_where_its_own_keys_are_free() {
    let turns = Turns::new();
    let first = granted(&mut enter(&turns, &[1], DISCOVER));
    let mut second = enter(&turns, &[1, 2], REQUEST);
    assert!(second.poll().is_pending());
    let third = granted(&mut enter(&turns, &[2], REQUEST));
    assert_eq!(refused(&mut second), Some(TurnError::Replaced));
    drop((first, third));
    assert!(is_unused(&turns));
}

#[test]
fn retransmission_of_the_running_packet_is_a_duplicate() {
    let turns = Turns::new();
    let first = granted(&mut enter(&turns, &[1, 2], REQUEST));
    assert_eq!(
        refused(&mut enter(&turns, &[1, 2], REQUEST)),
        Some(TurnError::Duplicate)
    );
    assert_eq!(
        refused(&mut enter(&turns, &[2], REQUEST)),
        Some(TurnError::Duplicate)
    );
    assert!(enter(&turns, &[2], REQUEST.with_xid(5)).poll().is_pending());
    assert!(enter(&turns, &[2], DISCOVER).poll().is_pending());
    drop(first);
    assert!(is_unused(&turns));
}

#[test]
fn waiting_release_gives_way_to_a_request_but_not_to_a_discover() {
    let turns = Turns::new();
    let first = granted(&mut enter(&turns, &[1], DISCOVER));
    let mut release = enter(&turns, &[1], RELEASE);
    assert!(release.poll().is_pending());
    assert_eq!(
        refused(&mut enter(&turns, &[1], DISCOVER.with_xid(3))),
        Some(TurnError::Outranked)
    );
    assert!(release.poll().is_pending());
    let mut request = enter(&turns, &[1], REQUEST);
    assert!(request.poll().is_pending());
    assert_eq!(refused(&mut release), Some(TurnError::Replaced));
    drop(first);
    drop(granted(&mut request));
    assert!(is_unused(&turns));
}

#[test]
fn packet_dropped_while_it_waits_leaves_nothing_behind() {
    let turns = Turns::new();
    let first = granted(&mut enter(&turns, &[1, 2], DISCOVER));
    let mut second = enter(&turns, &[2, 3], REQUEST);
    assert!(second.poll().is_pending());
    drop(second);
    drop(first);
    assert!(is_unused(&turns));
}

#[test]
fn turn_given_to_a_packet_that_is_dropped_passes_on() {
    let turns = Turns::new();
    let first = granted(&mut enter(&turns, &[1], DISCOVER));
    let mut second = enter(&turns, &[1], REQUEST);
    assert!(second.poll().is_pending());
    drop(first);
    let mut third = enter(&turns, &[1], REQUEST.with_xid(3));
    assert!(
        third.poll().is_pending(),
        "the second has the turn, though it does not know yet"
    );
    drop(second);
    drop(granted(&mut third));
    assert!(is_unused(&turns));
}

#[test]
fn two_equal_keys_are_one() {
    let turns = Turns::new();
    drop(granted(&mut enter(&turns, &[1, 1], DISCOVER)));
    assert!(is_unused(&turns));
}

#[test]
fn turns_that_nobody_waits_for_allocate_nothing() {
    let turns = Turns::new();
    let round = || {
        for client in 0..1000_u32 {
            let keys = [turns.key((1, client)), turns.key((2, client))];
            let entered = turns.enter(keys.into(), DISCOVER);
            assert!(matches!(entered, Ok(Entered::Granted(_))));
        }
    };
    round();
    round();
    assert_eq!(allocation_counter::measure(round).count_total, 0);
}

#[test]
fn threads_never_hold_one_key_together_and_all_come_through() {
    const KEYS: usize = 5;
    let turns = Turns::new();
    let holders: [AtomicU32; KEYS] = Default::default();
    std::thread::scope(|scope| {
        for thread in 0..4_u32 {
            let (turns, holders) = (&turns, &holders);
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .build()
                    .unwrap();
                runtime.block_on(contend(turns, holders, thread));
            });
        }
    });
    assert!(is_unused(&turns));
}

/// Takes turns of changing keys, in every third round without waiting for the outcome.
async fn contend(turns: &Turns, holders: &[AtomicU32], thread: u32) {
    let mut random = thread.wrapping_mul(2_654_435_761).wrapping_add(1);
    for xid in 0..3000 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [a, b, ..] = random
            .to_be_bytes()
            .map(|byte| usize::from(byte) % holders.len());
        let keys = TurnKeys::from([turns.key(a), turns.key(b)]);
        let request = TurnRequest {
            xid: thread << 16 | xid,
            ..REQUEST
        };
        if xid % 3 == 0 {
            let mut abandoned = Packet::new(turns, keys, request);
            let _ = abandoned.poll();
            continue;
        }
        if let Ok(_turn) = turns.wait_for(keys, request).await {
            let held = if a == b { vec![a] } else { vec![a, b] };
            for key in &held {
                assert_eq!(holders[*key].fetch_add(1, Ordering::SeqCst), 0);
            }
            std::thread::yield_now();
            for key in &held {
                holders[*key].fetch_sub(1, Ordering::SeqCst);
            }
        }
    }
}

impl TurnRequest {
    fn with_xid(self, xid: u32) -> Self {
        Self { xid, ..self }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Enter(Vec<u8>, TurnRequest),
    /// The n-th of those that have a turn ends it.
    Leave(usize),
    /// The n-th of those that wait is dropped.
    Cancel(usize),
    /// The n-th of those that wait is polled, woken or not.
    Poll(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let request = (
        0_u32..3,
        prop::sample::select(vec![DISCOVER, REQUEST, RELEASE]),
    )
        .prop_map(|(xid, request)| request.with_xid(xid));
    let step = prop_oneof![
        4 => (prop::collection::vec(0_u8..5, 1..=2), request).prop_map(|(keys, request)| Step::Enter(keys, request)),
        2 => (0_usize..8).prop_map(Step::Leave),
        1 => (0_usize..8).prop_map(Step::Cancel),
        1 => (0_usize..8).prop_map(Step::Poll),
    ];
    prop::collection::vec(step, 0..80)
}

/// All packets that have not ended.
#[derive(Default)]
struct World<'a> {
    waiting: Vec<(Vec<u8>, Packet<'a>)>,
    held: Vec<(Vec<u8>, Turn<'a>)>,
}

impl<'a> World<'a> {
    fn take(&mut self, turns: &'a Turns, step: Step) {
        match step {
            Step::Enter(keys, request) => {
                let packet = enter(turns, &keys, request);
                self.poll(keys, packet);
            }
            Step::Leave(n) if n < self.held.len() => drop(self.held.remove(n)),
            Step::Cancel(n) if n < self.waiting.len() => drop(self.waiting.remove(n)),
            Step::Poll(n) if n < self.waiting.len() => {
                let (keys, packet) = self.waiting.remove(n);
                self.poll(keys, packet);
            }
            Step::Leave(_) | Step::Cancel(_) | Step::Poll(_) => {}
        }
    }

    fn poll(&mut self, keys: Vec<u8>, mut packet: Packet<'a>) {
        match packet.poll() {
            Poll::Pending => self.waiting.push((keys, packet)),
            Poll::Ready(Ok(turn)) => self.held.push((keys, turn)),
            Poll::Ready(Err(_)) => {}
        }
    }

    fn poll_woken(&mut self) {
        while let Some(n) = self
            .waiting
            .iter()
            .position(|(_, packet)| packet.is_woken())
        {
            let (keys, packet) = self.waiting.remove(n);
            self.poll(keys, packet);
        }
    }

    fn no_key_is_held_twice(&self) -> bool {
        let mut held: Vec<u8> = Vec::new();
        for (keys, _) in &self.held {
            let mut keys = keys.clone();
            keys.dedup();
            held.extend(keys);
        }
        let count = held.len();
        held.sort_unstable();
        held.dedup();
        held.len() == count
    }
}

proptest! {
    #[test]
    fn no_key_is_held_twice_and_every_packet_is_woken_to_its_turn_or_its_refusal(steps in steps()) {
        let turns = Turns::new();
        let mut world = World::default();
        for step in steps {
            world.take(&turns, step);
            prop_assert!(world.no_key_is_held_twice());
        }
        world.poll_woken();
        while let Some(ended) = world.held.pop() {
            drop(ended);
            world.poll_woken();
            prop_assert!(world.no_key_is_held_twice());
        }
        prop_assert_eq!(world.waiting.len(), 0, "woken neither by a turn nor by a refusal");
        drop(world);
        prop_assert!(is_unused(&turns));
    }
}
