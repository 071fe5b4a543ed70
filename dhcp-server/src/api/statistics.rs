//! Counters of services.

use super::{ApiFamily, Shared, page_size};
use outrigger_config::model::Grant;
use outrigger_proto::server_v1::statistics_server::Statistics;
use outrigger_proto::server_v1::{
    AddStatisticsReply, AddStatisticsRequest, GetStatisticRequest, ListStatisticsReply,
    ListStatisticsRequest, Statistic,
};
use std::sync::Arc;
use tonic::{Request, Response, Status};

pub(super) struct StatisticsApi<F: ApiFamily>(pub(super) Arc<Shared<F>>);

#[tonic::async_trait]
impl<F: ApiFamily> Statistics for StatisticsApi<F> {
    async fn get(
        &self,
        request: Request<GetStatisticRequest>,
    ) -> Result<Response<Statistic>, Status> {
        let _call = self.0.access.call(&request, Grant::StatisticsRead)?;
        let name = request.into_inner().name;
        let all = self.0.counters.all();
        let found = all.into_iter().find(|statistic| statistic.name == name);
        let found = found.ok_or_else(|| Status::not_found(format!("nobody counts as {name:?}")))?;
        Ok(Response::new(found))
    }

    async fn list(
        &self,
        request: Request<ListStatisticsRequest>,
    ) -> Result<Response<ListStatisticsReply>, Status> {
        let _call = self.0.access.call(&request, Grant::StatisticsRead)?;
        let request = request.into_inner();
        let mut found = self.0.counters.all();
        found.retain(|Statistic { name, .. }| {
            name.starts_with(&request.prefix) && *name > request.after
        });
        let size = page_size(request.page_size);
        let more = found.len() > size;
        found.truncate(size);
        Ok(Response::new(ListStatisticsReply {
            statistics: found,
            more,
        }))
    }

    async fn add(
        &self,
        request: Request<AddStatisticsRequest>,
    ) -> Result<Response<AddStatisticsReply>, Status> {
        let call = self.0.access.call(&request, Grant::StatisticsWrite)?;
        let statistics = self
            .0
            .counters
            .add(&call.service, &request.get_ref().increments)?;
        Ok(Response::new(AddStatisticsReply { statistics }))
    }
}
