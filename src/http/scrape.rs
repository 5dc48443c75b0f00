//! `GET /metrics`. Answers whatever else is broken: when the engine does not, the series of points
//! and alarms are absent and everything else is there.
//!
//! Many scrapers cost no more than one: a page is made once a second at most, and who comes meanwhile
//! gets the last one. With thousands of points a page is megabytes. Such a one lives only while
//! somebody reads it, and who comes later within the second waits for the next.

use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Mutex;

use super::App;
use super::reply::Refusal;
use crate::clock;
use crate::engine::time::Mono;

/// The engine is asked for the present this long.
const ENGINE_DEADLINE: Duration = Duration::from_secs(1);

/// A page this young is given again.
const YOUNG: Duration = Duration::from_secs(1);

/// A page up to this size is kept until the next one is made, bytes.
const SMALL: usize = 256 * 1024;

/// The text format 0.0.4.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The last page. The lock is held while a new one is made, so that scrapers that come together
/// wait for one and the same.
#[derive(Debug, Default)]
pub(super) struct Scrape {
    last: Mutex<Option<Page>>,
}

/// A page that was made.
#[derive(Debug)]
struct Page {
    made: Mono,
    /// Gone when nobody reads it any more.
    text: Weak<String>,
    /// So that a small one is not.
    _kept: Option<Arc<String>>,
}

/// A page in the hands of one reader.
struct Reader(Arc<String>);

impl AsRef<[u8]> for Reader {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Scrape {
    /// The last page while it is young and there; else one that `make` makes, if it can.
    async fn page(&self, make: impl AsyncFnOnce() -> Option<String>) -> Option<Bytes> {
        let mut last = self.last.lock().await;
        if let Some(page) = &*last {
            let age = clock::monotonic().since(page.made);
            match page.text.upgrade().filter(|_| age < YOUNG) {
                Some(text) => return Some(Bytes::from_owner(Reader(text))),
                None => tokio::time::sleep(YOUNG.saturating_sub(age)).await,
            }
        }
        *last = None;
        let text = Arc::new(make().await?);
        *last = Some(Page {
            made: clock::monotonic(),
            text: Arc::downgrade(&text),
            _kept: (text.len() <= SMALL).then(|| Arc::clone(&text)),
        });
        Some(Bytes::from_owner(Reader(text)))
    }
}

/// Everything in Prometheus' text format.
pub(super) async fn metrics(State(app): State<App>) -> Result<Response, Refusal> {
    let page = app.scrape.page(async || write(&app).await).await;
    let page = page.ok_or_else(|| {
        Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "no_metrics",
            "the metrics could not be written",
        )
    })?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], page).into_response())
}

async fn write(app: &App) -> Option<String> {
    let snapshot = tokio::time::timeout(ENGINE_DEADLINE, app.desk.snapshot()).await;
    let snapshot = snapshot.ok().and_then(Result::ok);
    let metrics = Arc::clone(&app.metrics);
    // Milliseconds of work with thousands of points, and reads from /proc.
    let page = tokio::task::spawn_blocking(move || metrics.render(snapshot.as_ref())).await;
    page.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks for a page; a new one has `length` bytes. Says whether a new one was made.
    async fn ask(scrape: &Scrape, length: usize) -> (Bytes, bool) {
        let mut made = false;
        let page = scrape.page(async || {
            made = true;
            Some("x".repeat(length))
        });
        let page = page.await.expect("a page");
        (page, made)
    }

    #[tokio::test(start_paused = true)]
    async fn a_young_page_is_given_again_and_an_old_one_is_not() {
        let scrape = Scrape::default();
        for (wait, expected) in [(0, true), (999, false), (0, false), (1, true)] {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            let (_, made) = ask(&scrape, SMALL).await;
            assert_eq!(made, expected, "after {wait} ms");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_page_lives_while_somebody_reads_it() {
        let scrape = Scrape::default();
        let (first, _) = ask(&scrape, SMALL + 1).await;
        let (second, made) = ask(&scrape, SMALL + 1).await;
        assert!(!made && first == second);
        drop((first, second));
        let page = scrape.last.lock().await;
        let gone = page
            .as_ref()
            .is_some_and(|page| page.text.upgrade().is_none());
        drop(page);
        assert!(gone);
        // No more often than once a second all the same.
        let before = clock::monotonic();
        let (_, made) = ask(&scrape, SMALL + 1).await;
        assert!(made);
        assert_eq!(clock::monotonic().since(before), YOUNG);
    }
}
