//! HTTP on a listener, until the server goes away.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower_service::Service;

use crate::hub::{Hub, Stage};

/// How long no more are accepted where that failed: mostly because there are no file descriptors left.
const PAUSE: Duration = Duration::from_millis(200);
/// How long answers under way may take when all else is done.
const REST: Duration = Duration::from_secs(2);

/// Accepts until the hub is [cut](Stage::Cut). Unlike `axum::serve` it waits for a request's head no longer than for a
/// greeting.
pub(crate) async fn listen(hub: Arc<Hub>, listener: TcpListener, router: Router) {
    let mut stage = hub.stage.subscribe();
    let (serving, _) = watch::channel(());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stage.wait_for(|stage| *stage == Stage::Cut) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (hub, router, guard) = (Arc::clone(&hub), router.clone(), serving.subscribe());
                tokio::spawn(async move {
                    serve(&hub, stream, peer, router).await;
                    drop(guard);
                });
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
    let _ = tokio::time::timeout(REST, serving.closed()).await;
}

async fn serve(hub: &Hub, stream: TcpStream, peer: SocketAddr, router: Router) {
    // A frame is not to wait for the acknowledgement of the one before (Nagle, RFC 896). Where that can't be set, it waits.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let mut router = router.clone();
        async move { Ok::<_, Infallible>(router.call(request.map(Body::new)).await.unwrap_or_else(|never| match never {})) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(hub.limits.greeting_timeout)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let mut stage = hub.stage.subscribe();
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stage.wait_for(|stage| *stage == Stage::Cut) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
