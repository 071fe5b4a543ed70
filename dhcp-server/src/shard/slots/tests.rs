use super::*;
use crate::shard::ingress::Ingress;
use crate::shard::mailbox::Inbox;
use std::cell::RefCell;
use std::future::{pending, poll_fn, ready};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

fn mailbox() -> Arc<Mailbox> {
    Arc::new(Mailbox::new(Ingress::new(10, Duration::from_secs(10))))
}

/// Polls what the mailbox names, in order; yields what ended.
fn resume_all<F: Future>(slots: &mut Slots<F>, mailbox: &Mailbox) -> Vec<Polled<F::Output>> {
    let mut inbox = Inbox::default();
    mailbox.take(&mut inbox, 0, Instant::now());
    let polled = inbox.ready.iter().filter_map(|index| slots.resume(*index));
    polled
        .filter(|polled| !matches!(polled, Polled::Waits))
        .collect()
}

#[test]
fn packet_that_is_ready_at_once_allocates_nothing() {
    let mut slots = Slots::new(4, mailbox());
    assert_eq!(slots.start(|| ready(1)), Polled::Ended(1));
    let allocated = allocation_counter::measure(|| {
        for i in 0..1000 {
            assert_eq!(slots.start(|| ready(i)), Polled::Ended(i));
        }
    });
    assert_eq!((allocated.count_total, slots.in_flight()), (0, 0));
}

#[test]
fn packet_that_waits_resumes_when_woken_and_only_then() {
    let mailbox = mailbox();
    let mut slots = Slots::new(4, mailbox.clone());
    let (sender, receiver) = oneshot::channel();
    assert_eq!(
        slots.start(|| async { receiver.await.unwrap() }),
        Polled::Waits
    );
    assert_eq!(resume_all(&mut slots, &mailbox), []);
    sender.send("reply").unwrap();
    assert_eq!(resume_all(&mut slots, &mailbox), [Polled::Ended("reply")]);
    assert_eq!(slots.in_flight(), 0);
}

#[test]
fn thousands_of_packets_wait_and_resume_in_any_order() {
    const COUNT: usize = 5000;
    let mailbox = mailbox();
    let mut slots = Slots::new(COUNT, mailbox.clone());
    let mut senders = Vec::new();
    for i in 0..COUNT {
        let (sender, receiver) = oneshot::channel();
        senders.push((i, sender));
        assert_eq!(
            slots.start(|| async { receiver.await.unwrap() }),
            Polled::Waits
        );
    }
    assert_eq!((slots.in_flight(), slots.room()), (COUNT, 0));
    senders.sort_by_key(|(i, _)| i * 7919 % COUNT);
    let order: Vec<usize> = senders.iter().map(|(i, _)| *i).collect();
    for (i, sender) in senders {
        sender.send(i).unwrap();
    }
    let ended = resume_all(&mut slots, &mailbox);
    let expected: Vec<_> = order.into_iter().map(Polled::Ended).collect();
    assert_eq!(ended, expected);
    assert_eq!(slots.in_flight(), 0);
}

#[test]
fn woken_twice_is_named_once() {
    let mailbox = mailbox();
    let mut slots = Slots::new(1, mailbox.clone());
    let waker: Rc<RefCell<Option<Waker>>> = Rc::default();
    let keep = waker.clone();
    let packet = poll_fn(move |context| {
        *keep.borrow_mut() = Some(context.waker().clone());
        Poll::<()>::Pending
    });
    assert_eq!(slots.start(|| packet), Polled::Waits);
    let waker = waker.take().unwrap();
    for _ in 0..3 {
        waker.wake_by_ref();
    }
    let mut inbox = Inbox::default();
    mailbox.take(&mut inbox, 0, Instant::now());
    assert_eq!(inbox.ready, [0]);
}

#[test]
fn late_wake_up_of_a_packet_that_ended_is_harmless() {
    let mailbox = mailbox();
    let mut slots: Slots<Pin<Box<dyn Future<Output = u8>>>> = Slots::new(1, mailbox.clone());
    let (waker_out, waker_in) = std::sync::mpsc::channel();
    let first = poll_fn(move |context| {
        waker_out.send(context.waker().clone()).unwrap();
        Poll::Ready(1)
    });
    assert_eq!(slots.start(|| Box::pin(first)), Polled::Ended(1));
    let late = waker_in.recv().unwrap();
    late.wake_by_ref();
    assert_eq!(
        resume_all(&mut slots, &mailbox),
        [],
        "nobody is in the slot"
    );
    assert_eq!(slots.start(|| Box::pin(pending())), Polled::Waits);
    late.wake();
    assert_eq!(
        resume_all(&mut slots, &mailbox),
        [],
        "the next packet still waits"
    );
    assert_eq!(slots.in_flight(), 1);
}

#[test]
fn panic_ends_one_packet_and_frees_its_slot() {
    let mailbox = mailbox();
    let mut slots: Slots<Pin<Box<dyn Future<Output = u8>>>> = Slots::new(2, mailbox.clone());
    let (sender, receiver) = oneshot::channel::<()>();
    let later = async {
        receiver.await.unwrap();
        panic!("in a later poll");
    };
    assert_eq!(slots.start(|| Box::pin(later)), Polled::Waits);
    assert_eq!(slots.start(|| panic!("while it is made")), Polled::Panicked);
    assert_eq!(
        slots.start(|| Box::pin(async { panic!("in the first poll") })),
        Polled::Panicked
    );
    assert_eq!(slots.in_flight(), 1);
    sender.send(()).unwrap();
    assert_eq!(resume_all(&mut slots, &mailbox), [Polled::Panicked]);
    assert_eq!(slots.start(|| Box::pin(ready(7))), Polled::Ended(7));
    assert_eq!((slots.in_flight(), slots.room()), (0, 2));
}

#[test]
fn panic_while_a_packet_is_dropped_frees_its_slot() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }
    let mut slots = Slots::new(1, mailbox());
    let bomb = Bomb;
    let packet = poll_fn(move |_| {
        let _keep = &bomb;
        Poll::Ready(1)
    });
    assert_eq!(slots.start(|| packet), Polled::Ended(1));
    assert_eq!((slots.in_flight(), slots.room()), (0, 1));
}

#[test]
fn clear_drops_what_waits() {
    let dropped = Rc::new(());
    let mut slots = Slots::new(3, mailbox());
    for _ in 0..3 {
        let keep = dropped.clone();
        let packet = async move {
            pending::<()>().await;
            drop(keep);
        };
        assert_eq!(slots.start(|| packet), Polled::Waits);
    }
    assert_eq!(Rc::strong_count(&dropped), 4);
    assert_eq!(slots.clear(), 3);
    assert_eq!(
        (Rc::strong_count(&dropped), slots.in_flight(), slots.clear()),
        (1, 0, 0)
    );
}
