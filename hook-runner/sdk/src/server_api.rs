//! The server's own API, as one service may use it.

use crate::{ConnectError, Endpoint, EndpointError};
use outrigger_proto::v1;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// A connection to the API of the server that loads this service: leases, hosts, statistics and more, as far as the
/// configuration grants them to the service.
///
/// It belongs to one start of the server: connect in [`Service::load`](crate::Service::load), and keep it in the callouts
/// that are made there. Clients of the API's services are made from [`channel`](Self::channel).
///
/// ```
/// use outrigger_hook_sdk::server_v1::leases_client::LeasesClient;
/// use outrigger_hook_sdk::server_v1::{GetLeaseRequest, LeaseKey};
/// use outrigger_hook_sdk::{HookError, ServerApi};
///
/// /// The name in the lease of this address.
/// async fn name_of(api: &ServerApi, address: Vec<u8>) -> Result<String, HookError> {
///     let key = Some(LeaseKey { address: address.into(), prefix_length: 0 });
///     let mut leases = LeasesClient::new(api.channel());
///     let found = leases.get(GetLeaseRequest { key }).await?.into_inner();
///     Ok(found.lease.unwrap_or_default().hostname)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct ServerApi {
    channel: ApiChannel,
    grants: Vec<String>,
}

/// What clients of the API's gRPC services are made from; it sends the service's token with every call.
pub type ApiChannel = InterceptedService<Channel, Bearer>;

/// Adds the token to each call.
#[derive(Debug, Clone)]
pub struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let token = self.0.clone();
        request.metadata_mut().insert("authorization", token);
        Ok(request)
    }
}

/// The server's API cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ServerApiError {
    /// The configuration grants the service nothing there.
    #[error(
        "the server grants this service nothing of its API: see \"hook-services\" in its configuration"
    )]
    NotGranted,
    /// The server names an endpoint that this SDK does not know.
    #[error("the server's API is at no endpoint")]
    Endpoint(#[from] EndpointError),
    /// The server's token cannot be sent.
    #[error("the server's token has characters that no header can have")]
    Token,
    /// Nobody answers there, or the service may not open the socket.
    #[error("the server's API cannot be reached")]
    Connect(#[from] ConnectError),
}

impl ServerApi {
    /// Connects to the server that loads the service.
    ///
    /// # Errors
    /// The server offers nothing to this service, or is not there.
    pub async fn connect(request: &v1::LoadRequest) -> Result<Self, ServerApiError> {
        let offered = request.server_api.as_ref();
        let offered = offered.ok_or(ServerApiError::NotGranted)?;
        let endpoint: Endpoint = offered.endpoint.parse()?;
        let token = format!("Bearer {}", offered.token).parse();
        let mut token: MetadataValue<Ascii> = token.map_err(|_| ServerApiError::Token)?;
        // It is not for logs.
        token.set_sensitive(true);
        let channel = endpoint.connect().await?;
        Ok(Self {
            channel: InterceptedService::new(channel, Bearer(token)),
            grants: offered.grants.clone(),
        })
    }

    /// For clients of the API's gRPC services; cheap to clone.
    #[must_use]
    pub fn channel(&self) -> ApiChannel {
        self.channel.clone()
    }

    /// Whether the configuration grants this: `"leases:read"`.
    #[must_use]
    pub fn is_granted(&self, grant: &str) -> bool {
        self.grants.iter().any(|known| known == grant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UnixListener;
    use tokio_stream::wrappers::UnixListenerStream;
    use tonic::service::InterceptorLayer;
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;

    fn request(endpoint: &str, token: &str) -> v1::LoadRequest {
        v1::LoadRequest {
            server_api: Some(v1::ServerApi {
                endpoint: endpoint.to_owned(),
                token: token.to_owned(),
                grants: vec!["leases:read".to_owned()],
            }),
            ..Default::default()
        }
    }

    #[tokio::test]
    async fn every_call_carries_the_token() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("api.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let knows_token = |request: Request<()>| match request.metadata().get("authorization") {
            Some(token) if token == "Bearer secret" => Ok(request),
            _ => Err(Status::unauthenticated("who is it?")),
        };
        let (_reporter, health) = tonic_health::server::health_reporter();
        let server = tonic::transport::Server::builder()
            .layer(InterceptorLayer::new(knows_token))
            .add_service(health)
            .serve_with_incoming(UnixListenerStream::new(listener));
        let serving = tokio::spawn(server);
        let endpoint = format!("unix:{}", socket.display());

        let api = ServerApi::connect(&request(&endpoint, "secret"))
            .await
            .unwrap();
        assert!(api.is_granted("leases:read") && !api.is_granted("leases:write"));
        assert!(!format!("{api:?}").contains("secret"));
        for _ in 0..2 {
            let mut client = HealthClient::new(api.channel());
            client.check(HealthCheckRequest::default()).await.unwrap();
        }
        let api = ServerApi::connect(&request(&endpoint, "guess"))
            .await
            .unwrap();
        let mut client = HealthClient::new(api.channel());
        let status = client
            .check(HealthCheckRequest::default())
            .await
            .unwrap_err();
        assert_eq!(status.message(), "who is it?");
        serving.abort();
    }

    #[tokio::test]
    async fn what_cannot_be_used_says_why() {
        let nothing = ServerApi::connect(&v1::LoadRequest::default()).await;
        assert!(matches!(nothing, Err(ServerApiError::NotGranted)));
        let endpoint = ServerApi::connect(&request("/run/api.sock", "x")).await;
        assert!(matches!(endpoint, Err(ServerApiError::Endpoint(_))));
        let token = ServerApi::connect(&request("unix:/nonexistent/s", "a\nb")).await;
        assert!(matches!(token, Err(ServerApiError::Token)));
        let absent = ServerApi::connect(&request("unix:/nonexistent/s", "x")).await;
        assert!(matches!(absent, Err(ServerApiError::Connect(_))));
    }
}
