//! Counts and measures requests.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{Error, HttpRequest};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

use crate::metrics::{Registry, seconds};

/// The metrics of all requests. The labels have few values, and no token: never a path, only the pattern of its route.
#[derive(Debug, Clone)]
struct HttpMetrics {
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

/// Registers the metrics, and returns the configuration with which [`measure`] knows them.
pub(crate) fn configuration(
    registry: &mut Registry,
) -> impl Fn(&mut ServiceConfig) + Clone + use<> {
    let metrics = HttpMetrics {
        requests: Family::default(),
        durations: Family::new_with_constructor(seconds),
    };
    registry.register(
        "http_requests",
        "Requests, by route and status",
        metrics.requests.clone(),
    );
    registry.register(
        "http_request_duration_seconds",
        "Time until a response begins, by route",
        metrics.durations.clone(),
    );
    let metrics = Data::new(metrics);
    move |config| {
        config.app_data(metrics.clone());
    }
}

/// Middleware that counts and measures requests.
pub(crate) async fn measure(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody + 'static>, Error> {
    let start = Instant::now();
    let metrics = request.app_data::<Data<HttpMetrics>>().cloned();
    let method = method_label(request.method());
    let response = next.call(request).await?;
    if let Some(metrics) = metrics {
        let route = route(response.request());
        let duration = start.elapsed().as_secs_f64();
        let labels = RouteLabels {
            route: route.clone(),
        };
        metrics.durations.get_or_create(&labels).observe(duration);
        let status = u32::from(response.status().as_u16());
        let labels = RequestLabels {
            method,
            route,
            status,
        };
        metrics.requests.get_or_create(&labels).inc();
    }
    Ok(response)
}

/// The pattern of the route of a request, such as `/image/{id}`; `none` if there is none. Unlike the path, it may be
/// logged: that of a link contains its token.
pub(crate) fn route(request: &HttpRequest) -> String {
    request.match_pattern().unwrap_or_else(|| "none".to_owned())
}

fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        _ => "other",
    }
}
