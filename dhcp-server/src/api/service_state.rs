//! Whether the server serves.

use super::{ApiFamily, Shared};
use outrigger_config::model::Grant;
use outrigger_proto::server_v1::service_state_server::ServiceState;
use outrigger_proto::server_v1::{
    DisableRequest, Disabled, EnableRequest, GetServiceStateReply, GetServiceStateRequest,
};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tonic::{Request, Response, Status};

/// Longest period, seconds: a year.
const MAX_PERIOD: u32 = 365 * 24 * 3600;

pub(super) struct ServiceStateApi<F: ApiFamily>(pub(super) Arc<Shared<F>>);

type Replied = Result<Response<GetServiceStateReply>, Status>;

#[tonic::async_trait]
impl<F: ApiFamily> ServiceState for ServiceStateApi<F> {
    async fn get(&self, request: Request<GetServiceStateRequest>) -> Replied {
        let _call = self.0.access.call(&request, Grant::ServiceStateRead)?;
        Ok(Response::new(self.0.state(Instant::now())))
    }

    async fn disable(&self, request: Request<DisableRequest>) -> Replied {
        let call = self.0.access.call(&request, Grant::ServiceStateWrite)?;
        let period = match request.get_ref().max_period_seconds {
            0 => None,
            seconds if seconds <= MAX_PERIOD => Some(Duration::from_secs(seconds.into())),
            _ => {
                let text = format!("max_period_seconds: at most {MAX_PERIOD}");
                return Err(Status::invalid_argument(text));
            }
        };
        let now = Instant::now();
        self.0.common.network.disable(&call.service, now, period);
        tracing::warn!(family = F::NAME, origin = %call.service, ?period, "SERVICE_DISABLED");
        Ok(Response::new(self.0.state(now)))
    }

    async fn enable(&self, request: Request<EnableRequest>) -> Replied {
        let call = self.0.access.call(&request, Grant::ServiceStateWrite)?;
        self.0.common.network.enable(&call.service);
        tracing::info!(family = F::NAME, origin = %call.service, "SERVICE_ENABLED");
        Ok(Response::new(self.0.state(Instant::now())))
    }
}

impl<F: ApiFamily> Shared<F> {
    fn state(&self, now: Instant) -> GetServiceStateReply {
        let disabled = self.common.network.disabled(now);
        GetServiceStateReply {
            enabled: disabled.is_empty(),
            disabled: disabled.into_iter().map(message).collect(),
        }
    }
}

fn message(disabled: super::Disabled) -> Disabled {
    let rounded_up = |left: Duration| left.as_millis().div_ceil(1000);
    let seconds = disabled.remaining.map_or(0, rounded_up);
    Disabled {
        origin: disabled.origin,
        remaining_seconds: u32::try_from(seconds).unwrap_or(u32::MAX),
    }
}
