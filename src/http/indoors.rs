//! The pages for callers inside the process: a command that came another way is read, judged and answered
//! by the same code as one that came over HTTP.

use axum::body::Body;
use axum::http::{Method, Request, header};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

use super::{App, BODY_LIMIT, router};

/// Gives commands; cheap to clone.
#[derive(Debug, Clone)]
pub struct Indoors(TowerToHyperService<axum::Router>);

impl Indoors {
    /// The pages of `app`.
    pub fn new(app: App) -> Self {
        let this_machine = (std::net::Ipv4Addr::LOCALHOST, 0).into();
        Self(TowerToHyperService::new(router(app, this_machine)))
    }

    /// Posts a JSON `body` to `path`, which is percent-encoded; gives the JSON answer, whatever it says.
    /// Takes as long as a page may.
    pub async fn post(&self, path: String, body: String) -> Vec<u8> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body));
        let Ok(request) = request else {
            return Vec::new();
        };
        let Ok(response) = self.0.call(request).await;
        let answer = axum::body::to_bytes(response.into_body(), BODY_LIMIT).await;
        answer.unwrap_or_default().into()
    }
}
