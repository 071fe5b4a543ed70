//! Boot files for clients that name their vendor class, on the generated stubs alone: `bench-rust-bare unix:/path`.

use outrigger_proto::v1::arguments::Point;
use outrigger_proto::v1::callouts_server::{Callouts, CalloutsServer};
use outrigger_proto::{HookPoint, v1};
use std::error::Error;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_stream::Empty;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{Request, Response, Status, Streaming};

const URL: &[u8] = b"http://boot.example.org/image";

struct BootFiles;

fn has(options: &[v1::Option], code: u32) -> bool {
    options.iter().any(|option| option.code == code)
}

fn boot_file(code: u32) -> Vec<v1::OptionEdit> {
    vec![v1::OptionEdit {
        action: v1::option_edit::Action::Set.into(),
        path: vec![code],
        data: URL.into(),
        ..Default::default()
    }]
}

fn changes(arguments: v1::Arguments) -> Option<v1::Changes> {
    let mut changes = v1::Changes::default();
    match arguments.point? {
        Point::Pkt4Send(send)
            if send
                .query
                .as_ref()
                .is_some_and(|query| has(&query.options, 60)) =>
        {
            changes.response4 = Some(v1::Packet4Changes {
                options: boot_file(67),
                ..Default::default()
            });
        }
        Point::Pkt6Send(send)
            if send
                .query
                .as_ref()
                .is_some_and(|query| has(&query.options, 16)) =>
        {
            changes.response6 = Some(v1::Packet6Changes {
                options: boot_file(59),
                ..Default::default()
            });
        }
        _ => return None,
    }
    Some(changes)
}

#[tonic::async_trait]
impl Callouts for BootFiles {
    async fn load(
        &self,
        _request: Request<v1::LoadRequest>,
    ) -> Result<Response<v1::LoadReply>, Status> {
        let subscription = |point: HookPoint| v1::Subscription {
            hook_point: point.number().into(),
            writes: vec!["response.options".to_owned()],
            ..Default::default()
        };
        let loaded = v1::Loaded {
            protocol_version: 1,
            name: "bench-rust-bare".to_owned(),
            version: "1.0.0".to_owned(),
            subscriptions: vec![
                subscription(HookPoint::Pkt4Send),
                subscription(HookPoint::Pkt6Send),
            ],
            ..Default::default()
        };
        Ok(Response::new(v1::LoadReply {
            result: Some(v1::load_reply::Result::Loaded(loaded)),
        }))
    }

    type SessionStream = Empty<Result<v1::ServiceMessage, Status>>;

    async fn session(
        &self,
        _request: Request<Streaming<v1::ServerMessage>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        Err(Status::unimplemented("there are no sessions"))
    }

    async fn call(
        &self,
        request: Request<v1::CalloutRequest>,
    ) -> Result<Response<v1::CalloutReply>, Status> {
        let request = request.into_inner();
        let result = v1::CalloutResult {
            changes: request.arguments.and_then(changes),
            ..Default::default()
        };
        Ok(Response::new(v1::CalloutReply {
            id: request.id,
            outcome: Some(v1::callout_reply::Outcome::Result(result)),
        }))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let endpoint = std::env::args().nth(1).unwrap_or_default();
    let path = endpoint
        .strip_prefix("unix:")
        .ok_or("write: bench-rust-bare unix:/path")?;
    let incoming = UnixListenerStream::new(UnixListener::bind(path)?);
    let mut stopped = signal(SignalKind::terminate())?;
    tonic::transport::Server::builder()
        .add_service(CalloutsServer::new(BootFiles))
        .serve_with_incoming_shutdown(incoming, async { stopped.recv().await.unwrap_or_default() })
        .await?;
    Ok(())
}
