//! Draining: a request that only waits for something to happen does not hold up a stop.

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use tokio_util::sync::CancellationToken;

/// Ends long polls (`next`, `?wait=`) with 503 once `stop` is asked for; all else runs to its end.
pub fn polls_end(router: Router, stop: CancellationToken) -> Router {
    router.layer(from_fn(move |request: Request, next: Next| {
        let stop = stop.clone();
        async move {
            let waits = request.uri().path() == "/next"
                || request.uri().query().is_some_and(|query| query.contains("wait="));
            if !waits {
                return next.run(request).await;
            }
            tokio::select! {
                answer = next.run(request) => answer,
                () = stop.cancelled() => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            }
        }
    }))
}
