//! Bodies that pass while somebody listens.

use super::tap::{Frames, From, Method, Tap};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::HeaderMap;
use hyper::body::Incoming;
use outrigger_proto::v1;
use prost::Message as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::{Code, Status};

/// One direction of an RPC.
#[derive(Debug)]
pub(super) struct Passing {
    body: Incoming,
    from: From,
    tap: Option<Tap>,
    frames: Frames,
    /// Resolves when the session is to be drained; gone once it was.
    drain: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

impl Passing {
    /// What a server sends.
    pub(super) fn request(body: Incoming, tap: Option<Tap>) -> Self {
        Self {
            body,
            from: From::Server,
            tap,
            frames: Frames::default(),
            drain: None,
        }
    }

    /// What a service answers. A session is asked to drain when `draining` is cancelled.
    pub(super) fn reply(
        body: Incoming,
        tap: Option<Tap>,
        headers: &HeaderMap,
        draining: &CancellationToken,
    ) -> Self {
        if let Some(tap) = &tap {
            say_status(tap, headers);
        }
        let is_session = tap
            .as_ref()
            .is_some_and(|tap| tap.method == Method::Session);
        let drain = is_session.then(|| Box::pin(draining.clone().cancelled_owned()));
        Self {
            body,
            from: From::Service,
            tap,
            frames: Frames::default(),
            drain,
        }
    }

    fn listen(&mut self, frame: &Frame<Bytes>) {
        let Some(tap) = &self.tap else {
            return;
        };
        if let Some(chunk) = frame.data_ref() {
            self.frames.push(chunk, |message| match message {
                Some(message) => tap.message(self.from, message),
                None => tap.unreadable(),
            });
        }
        if let Some(trailers) = frame.trailers_ref() {
            say_status(tap, trailers);
        }
    }

    /// What the service would say if it were to stop: the proxy is.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Option<Frame<Bytes>> {
        let drain = self.drain.as_mut()?;
        if !self.frames.is_between_messages() || drain.as_mut().poll(cx).is_pending() {
            return None;
        }
        self.drain = None;
        let message = v1::ServiceMessage {
            message: Some(v1::service_message::Message::Drain(v1::Drain {})),
        };
        let message = message.encode_to_vec();
        // The prefix of gRPC: not compressed, and the length.
        let length = u32::try_from(message.len()).ok()?.to_be_bytes();
        let framed = [&[0][..], &length, &message].concat();
        Some(Frame::data(framed.into()))
    }
}

fn say_status(tap: &Tap, headers: &HeaderMap) {
    if let Some(status) = Status::from_header_map(headers)
        && status.code() != Code::Ok
    {
        tap.status(&format!("{:?}", status.code()), status.message());
    }
}

impl Body for Passing {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(drain) = self.poll_drain(cx) {
            return Poll::Ready(Some(Ok(drain)));
        }
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.listen(frame);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.drain {
            // It may become longer than the service says.
            Some(_) => SizeHint::default(),
            None => self.body.size_hint(),
        }
    }
}

/// The RPC is over when its reply is, or when nobody wants it any more.
impl Drop for Passing {
    fn drop(&mut self) {
        if let (From::Service, Some(tap)) = (self.from, &self.tap) {
            tap.end();
        }
    }
}

/// What the server gets.
#[derive(Debug)]
pub(super) enum Reply {
    Passing(Box<Passing>),
    Empty,
}

impl Body for Reply {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Passing(body) => Pin::new(body.as_mut()).poll_frame(cx),
            Self::Empty => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Passing(body) => body.is_end_stream(),
            Self::Empty => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Passing(body) => body.size_hint(),
            Self::Empty => SizeHint::with_exact(0),
        }
    }
}
