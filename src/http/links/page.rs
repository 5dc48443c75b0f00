//! The page of a link as HTML: no script, nothing from elsewhere, one style that is named by its digest.

use std::sync::OnceLock;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::wording::Sheet;

/// Large enough to read and to hit with a thumb; dark at night where the telephone is.
const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:1rem auto;padding:0 1rem}\
dt{opacity:.7;font-size:.9rem}dd{margin:0 0 .6rem;font-weight:600;overflow-wrap:anywhere}\
button{font:inherit;font-weight:700;display:block;width:100%;padding:1rem;margin:.6rem 0}\
footer{opacity:.7;font-size:.85rem;margin-top:2rem}";

/// Something to press.
#[derive(Debug)]
pub(super) struct Button {
    /// The id of the person.
    pub(super) by: String,
    pub(super) words: String,
}

/// The page. The form goes to where the page came from, wherever a proxy has put it.
pub(super) fn page(status: StatusCode, sheet: &Sheet, buttons: &[Button]) -> Response {
    let (title, sentence) = (escaped(&sheet.title), escaped(&sheet.sentence));
    let language = sheet.language.tag();
    let mut html = format!(
        "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>{title}</h1>\n<p>{sentence}</p>\n"
    );
    if !sheet.facts.is_empty() {
        html.push_str("<dl>\n");
        for (label, said) in &sheet.facts {
            let (label, said) = (escaped(label), escaped(said));
            html.push_str(&format!("<dt>{label}</dt><dd>{said}</dd>\n"));
        }
        html.push_str("</dl>\n");
    }
    if !buttons.is_empty() {
        html.push_str("<form method=\"post\">\n");
        if let Some(question) = &sheet.question {
            html.push_str(&format!("<p>{}</p>\n", escaped(question)));
        }
        for button in buttons {
            let (by, words) = (escaped(&button.by), escaped(&button.words));
            html.push_str(&format!(
                "<button name=\"by\" value=\"{by}\">{words}</button>\n"
            ));
        }
        html.push_str("</form>\n");
    }
    html.push_str(&format!(
        "<footer>{}</footer>\n</body>\n</html>\n",
        escaped(&sheet.footer)
    ));
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_LANGUAGE, language),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, policy());
    if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Nothing but the style above and a form to ourselves.
fn policy() -> HeaderValue {
    static POLICY: OnceLock<HeaderValue> = OnceLock::new();
    let policy = POLICY.get_or_init(|| {
        let digest = STANDARD.encode(Sha256::digest(STYLE));
        let text = format!(
            "default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'"
        );
        HeaderValue::from_str(&text).expect("base64 may stand in a header")
    });
    policy.clone()
}

/// Text between tags, or in quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
