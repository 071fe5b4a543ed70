use super::*;
use crate::net::peek::Peek;
use crate::net::testing::sockets4;
use crate::shard::ingress::Ingress;
use crate::shard::intake::{Dispatch, watch};
use std::net::UdpSocket as StdSocket;
use std::time::Duration;

struct Mirror;

impl Service for Mirror {
    type Discard = ();

    async fn serve(self: Rc<Self>, datagram: Datagram) -> Result<Option<Outgoing>, ()> {
        Ok(Some(Outgoing {
            bytes: datagram.bytes,
            link: datagram.link,
            to_hardware: None,
        }))
    }

    fn discarded(&self, (): ()) {}

    fn shed(&self, reason: ShedReason, count: u64) {
        panic!("{count} packets: {reason:?}");
    }
}

#[tokio::test]
async fn steady_traffic_of_a_shard_allocates_nothing() {
    let sockets = sockets4();
    let server = ("127.0.0.1", sockets.udp[0].port());
    let mailbox = Arc::new(Mailbox::new(Ingress::new(1000, Duration::from_secs(10))));
    let dispatch = Dispatch::new(Peek::new(), [mailbox.clone()].into());
    let intake = Intake::new(vec![watch(sockets.udp[0].clone()).unwrap()], dispatch);
    let service = Rc::new(Mirror);
    let packet = {
        let service = service.clone();
        move |datagram| service.clone().serve(datagram)
    };
    let slots = Slots::new(1000, mailbox.clone());
    let transmitter = Transmitter::new(&sockets, None);
    let mut shard = Shard::new(service, packet, slots, (mailbox, intake), transmitter);

    let client = StdSocket::bind("127.0.0.1:0").unwrap();
    client.set_nonblocking(true).unwrap();
    let mut allocated = Vec::new();
    for _ in 0..20 {
        for _ in 0..100 {
            client.send_to(&[1; 300], server).unwrap();
        }
        let mut answered = 0;
        let mut allocations = 0;
        while answered < 100 {
            poll_fn(|context| {
                let turn = || assert!(shard.turn(context).is_pending());
                allocations += allocation_counter::measure(turn).count_total;
                Poll::Ready(())
            })
            .await;
            // Lets the runtime look at its descriptors.
            tokio::task::yield_now().await;
            answered += std::iter::from_fn(|| client.recv(&mut [0; 512]).ok()).count();
        }
        allocated.push(allocations);
    }
    assert!(allocated[0] > 0, "buffers and slots are made once");
    assert!(
        allocated[2..].iter().all(|count| *count == 0),
        "{allocated:?}"
    );
}
