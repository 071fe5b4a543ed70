//! The running configuration.

use super::access::Call;
use super::{ApiFamily, Shared};
use outrigger_config::model::Grant;
use outrigger_proto::server_v1::configuration_server::Configuration;
use outrigger_proto::server_v1::{
    ConfigurationRevision, GetConfigurationReply, GetConfigurationRequest, SubscribeRequest,
};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// Longest document, so that clients with usual limits take it.
const MAX_JSON: usize = (4 << 20) - 1024;

pub(super) struct ConfigurationApi<F: ApiFamily>(pub(super) Arc<Shared<F>>);

#[tonic::async_trait]
impl<F: ApiFamily> Configuration for ConfigurationApi<F> {
    async fn get(
        &self,
        request: Request<GetConfigurationRequest>,
    ) -> Result<Response<GetConfigurationReply>, Status> {
        let _call = self.0.access.call(&request, Grant::ConfigurationRead)?;
        let pointer = &request.get_ref().pointer;
        let cfg = self.0.cfg();
        let part = cfg.json.pointer(pointer);
        let part = part
            .ok_or_else(|| Status::not_found(format!("pointer: {pointer:?} points to nothing")))?;
        let json = part.to_string();
        if json.len() > MAX_JSON {
            let text = format!(
                "{} bytes of JSON are more than {MAX_JSON}: ask for a part",
                json.len()
            );
            return Err(Status::out_of_range(text));
        }
        Ok(Response::new(GetConfigurationReply {
            revision: cfg.revision,
            json,
        }))
    }

    type SubscribeStream = ReceiverStream<Result<ConfigurationRevision, Status>>;

    async fn subscribe(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let call = self.0.access.stream(&request, Grant::ConfigurationRead)?;
        // A reader that does not read holds up its own task alone, and has one revision waiting.
        let (revisions, stream) = mpsc::channel(1);
        tokio::spawn(tell(Arc::clone(&self.0), call, revisions));
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

/// Tells each revision, as long as somebody listens who may.
async fn tell<F: ApiFamily>(
    shared: Arc<Shared<F>>,
    call: Call,
    revisions: mpsc::Sender<Result<ConfigurationRevision, Status>>,
) {
    let mut cfg = shared.cfg.clone();
    loop {
        let revision = cfg.borrow_and_update().revision;
        let told = ConfigurationRevision { revision };
        if revisions.send(Ok(told)).await.is_err() {
            return;
        }
        tokio::select! {
            changed = cfg.changed() => if changed.is_err() {
                return;
            },
            () = revisions.closed() => return,
        }
        if !shared
            .access
            .is_granted(&call.service, Grant::ConfigurationRead)
        {
            let ended = Status::permission_denied("configuration:read is not granted any more");
            // A listener that is gone does not want to know.
            let _ = revisions.send(Err(ended)).await;
            return;
        }
    }
}
