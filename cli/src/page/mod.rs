//! The chat page: its files are in this program, if they had been built when it was.

mod breaking;
mod files;
mod policy;

use std::net::SocketAddr;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

use crate::chaos::Control;
use files::{File, Files};

/// The faulty network between the page and the chat.
#[derive(Clone, Debug)]
pub(crate) struct Faulty {
    pub(crate) control: Control,
    pub(crate) address: SocketAddr,
}

/// What the page is to know of its server: `GET /page.json`.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct About {
    version: &'static str,
    /// The port of the faulty network, where there is one.
    chaos_port: Option<u16>,
}

/// The page at `/`, and whatever else no other route has. With a faulty network also what drives it, at `/chaos`.
pub(crate) fn router(faulty: Option<Faulty>) -> Router {
    serving(Files::BUILT, faulty)
}

fn serving(files: Files, faulty: Option<Faulty>) -> Router {
    let chaos_port = faulty.as_ref().map(|faulty| faulty.address.port());
    let about = About { version: env!("CARGO_PKG_VERSION"), chaos_port };
    let about = move || async move { ([(header::CACHE_CONTROL, "no-store")], axum::Json(about)) };
    let page = move |request: Request| std::future::ready(answer(files, &request, chaos_port));
    let mut router = Router::new().route("/page.json", get(about)).fallback(page);
    if let Some(faulty) = faulty {
        router = router.merge(breaking::router(faulty.control));
    }
    router
}

fn answer(files: Files, request: &Request, chaos_port: Option<u16>) -> Response {
    let Some(file) = files.find(request.uri().path()) else {
        return (StatusCode::NOT_FOUND, "there is nothing here").into_response();
    };
    // The body for HEAD is left out by whoever writes the answer.
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    respond(file, request, chaos_port)
}

fn respond(file: File, request: &Request, chaos_port: Option<u16>) -> Response {
    let mut response = file.bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind()));
    // A name with a hash in it never means anything else.
    let cache = if file.is_hashed() { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if let Ok(policy) = HeaderValue::try_from(policy::content_security(host, chaos_port)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

#[cfg(test)]
mod tests;
