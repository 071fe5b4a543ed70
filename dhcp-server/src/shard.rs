//! Shards: threads that each receive, serve and answer the packets of their clients.
//!
//! ```text
//! sockets ─► intake ─ hash of the client ─► mailbox of its shard ─► slots: poll each packet in place ─► transmit
//! ```
//!
//! A shard is a current-thread runtime around one loop. A turn of that loop receives a batch, polls the packets that
//! may go on, starts new ones, the urgent first, and sends everything that came of it in batches. What waits is bounded
//! everywhere, and every packet that gets no answer is reported to the [`Service`] with its reason.

mod ingress;
mod intake;
mod mailbox;
mod slots;
mod turn;

use crate::net::peek::Peek;
use crate::net::{Sockets, Tap, Transmitter, kernel_drops};
use ingress::Ingress;
use intake::{Dispatch, Intake};
use mailbox::Mailbox;
use outrigger_wire::{Datagram, Outgoing};
use slots::Slots;
use std::io;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio_util::sync::{CancellationToken, DropGuard};
use turn::Shard;

/// What is done with packets. Each shard has its own, made on the shard's thread, inside its runtime.
pub trait Service: 'static {
    /// Why a packet got no answer.
    type Discard: 'static;

    /// The life of one packet; `None`: it is served and wants no answer. Written as
    /// `async fn serve(self: Rc<Self>, datagram: Datagram) -> …`.
    ///
    /// It may await anything of tokio. It must not block: the other packets of the shard wait meanwhile. When the shard
    /// stops it may be dropped at any await.
    fn serve(
        self: Rc<Self>,
        datagram: Datagram,
    ) -> impl Future<Output = Result<Option<Outgoing>, Self::Discard>> + 'static;

    /// A packet got no answer although it wanted one.
    fn discarded(&self, discard: Self::Discard);

    /// `count` packets got no answer, for a reason outside [`Self::serve`].
    fn shed(&self, reason: ShedReason, count: u64);
}

/// Why a shard gave up on a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShedReason {
    /// The queue of its shard was full.
    Overload,
    /// Its future panicked.
    Panicked,
    /// It waited too long to be started; its client has sent again.
    Stale,
    /// It had not ended when the shard stopped.
    Stopped,
    /// Longer than any DHCP message.
    Truncated,
    /// The kernel did not say where it was sent to.
    Unaddressed,
    /// Its answer could not be sent.
    Unsent,
}

/// Bounds of one shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Packets that wait to be started, 4 KiB each.
    pub waiting: usize,
    /// Packets that have started and not ended.
    pub in_flight: usize,
    /// How long a packet may wait to be started.
    pub max_age: Duration,
}

impl Default for Limits {
    /// A queue of a fraction of a second, and room for 100,000 packets per second that wait 150 ms for hooks.
    fn default() -> Self {
        Self {
            waiting: 16_384,
            in_flight: 16_384,
            max_age: Duration::from_secs(10),
        }
    }
}

/// How to run shards.
#[derive(Clone)]
pub struct Options {
    /// Number of threads.
    pub shards: NonZeroUsize,
    /// Bounds of each.
    pub limits: Limits,
    /// Gets the answers to packets whose interface has no socket.
    pub tap: Option<Tap>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut options = f.debug_struct("Options");
        options
            .field("shards", &self.shards)
            .field("limits", &self.limits);
        options.finish_non_exhaustive()
    }
}

impl Default for Options {
    /// A shard for each core.
    fn default() -> Self {
        Self {
            shards: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            limits: Limits::default(),
            tap: None,
        }
    }
}

/// Starts the shards. `service` is called once on each shard's thread, with the shard's number.
///
/// # Errors
///
/// Where the system gives no more threads or descriptors; shards that were started are stopped again.
pub fn spawn<S, B>(options: &Options, sockets: Sockets, service: B) -> io::Result<ShardHandles>
where
    S: Service,
    B: Fn(usize) -> S + Send + Sync + 'static,
{
    let shards = options.shards.get();
    let limits = options.limits;
    let mailbox = |_| Arc::new(Mailbox::new(Ingress::new(limits.waiting, limits.max_age)));
    let mut handles = ShardHandles {
        mailboxes: (0..shards).map(mailbox).collect(),
        peek: Peek::new(),
        sockets: Arc::new(sockets),
        threads: Vec::new(),
        ended: CancellationToken::new(),
    };
    let service = Arc::new(service);
    for index in 0..shards {
        let seat = Seat {
            index,
            options: options.clone(),
            mailboxes: handles.mailboxes.clone(),
            peek: handles.peek.clone(),
            sockets: handles.sockets.clone(),
            _ended: handles.ended.clone().drop_guard(),
        };
        let service = service.clone();
        match start(seat, move |index| service(index)) {
            Ok(thread) => handles.threads.push(thread),
            Err(error) => {
                handles.stop(Duration::ZERO);
                return Err(error);
            }
        }
    }
    Ok(handles)
}

/// Where a shard sits among the others.
struct Seat {
    index: usize,
    options: Options,
    mailboxes: Arc<[Arc<Mailbox>]>,
    peek: Peek,
    sockets: Arc<Sockets>,
    _ended: DropGuard,
}

fn start<S: Service>(
    seat: Seat,
    service: impl FnOnce(usize) -> S + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Registered here, so that a failure is told to the caller.
    let watched = {
        let _inside = runtime.enter();
        let own = seat
            .sockets
            .udp
            .iter()
            .skip(seat.index)
            .step_by(seat.mailboxes.len());
        own.cloned()
            .map(intake::watch)
            .collect::<io::Result<Vec<_>>>()?
    };
    thread::Builder::new()
        .name(format!("shard-{}", seat.index))
        .spawn(move || {
            // All of it, with the guard that tells that this thread has ended.
            let seat = seat;
            runtime.block_on(async {
                let service = Rc::new(service(seat.index));
                let mailbox = seat.mailboxes[seat.index].clone();
                let packet = {
                    let service = service.clone();
                    move |datagram| service.clone().serve(datagram)
                };
                let intake = Intake::new(
                    watched,
                    Dispatch::new(seat.peek.clone(), seat.mailboxes.clone()),
                );
                let slots = Slots::new(seat.options.limits.in_flight, mailbox.clone());
                let transmitter = Transmitter::new(&seat.sockets, seat.options.tap.clone());
                Shard::new(service, packet, slots, (mailbox, intake), transmitter)
                    .run()
                    .await;
            });
        })
}

/// The running shards. Dropping it leaves them running.
#[derive(Debug)]
pub struct ShardHandles {
    mailboxes: Arc<[Arc<Mailbox>]>,
    peek: Peek,
    sockets: Arc<Sockets>,
    threads: Vec<JoinHandle<()>>,
    ended: CancellationToken,
}

/// A shard's own loop panicked: a bug, after which nothing of it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("shard {shard} has panicked")]
pub struct ShardPanicked {
    /// Its number.
    pub shard: usize,
}

impl ShardHandles {
    /// Serves `datagram` as if a socket had received it.
    pub fn inject(&self, datagram: Datagram) {
        let mut dispatch = Dispatch::new(self.peek.clone(), self.mailboxes.clone());
        dispatch.stage(datagram, Instant::now());
        dispatch.deliver();
    }

    /// Datagrams that the kernel dropped because a socket's buffer was full, since the sockets were opened. Costs two
    /// files of the kernel: for metrics.
    #[must_use]
    pub fn kernel_drops(&self) -> u64 {
        kernel_drops(self.sockets.udp.iter().map(|socket| &**socket))
    }

    /// Receive nothing more, serve what has arrived, and end when that is done or `grace` is over.
    pub fn stop(&self, grace: Duration) {
        let deadline = Instant::now() + grace;
        for mailbox in &*self.mailboxes {
            mailbox.stop(deadline);
        }
    }

    /// Waits until the first shard has ended: because it was stopped, or by a panic.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any time.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Waits for all shards to end; blocks the thread.
    ///
    /// # Errors
    ///
    /// The first shard that has panicked.
    pub fn join(self) -> Result<(), ShardPanicked> {
        let mut result = Ok(());
        for (shard, thread) in self.threads.into_iter().enumerate() {
            if thread.join().is_err() && result.is_ok() {
                result = Err(ShardPanicked { shard });
            }
        }
        result
    }
}

#[cfg(test)]
mod tests;
