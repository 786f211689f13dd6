//! The clients, by name.

use super::{Visitor, bare, ezsockets, fastwebsockets, ours, session};
use crate::runtimes::Runtime;
use redial_async_std::AsyncIo;
use redial_tokio::{Policy, Tokio};
use std::net::SocketAddr;

/// A client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// redial-tokio or redial-async-std as it comes.
    Ours(Runtime),
    /// redial-tokio where the server speaks `redial.v1`.
    Session,
    /// tungstenite 0.30 alone with redial's settings: 14 KiB.
    Bare(Runtime),
    /// tokio-tungstenite 0.30 as it comes: a read buffer of 128 KiB.
    BareDefault,
    /// tokio-tungstenite with redial's settings over a bare TCP stream, without the choice between TCP and TLS.
    BarePlain,
    /// ezsockets 0.7.2, on tokio-tungstenite 0.26.2.
    Ezsockets,
    /// fastwebsockets 0.10.0 behind a handshake of our own.
    Fastwebsockets,
}

impl Who {
    /// All of them.
    pub(crate) const ALL: [Self; 11] = [
        Self::BarePlain,
        Self::Bare(Runtime::Tokio),
        Self::Ours(Runtime::Tokio),
        Self::Session,
        Self::BareDefault,
        Self::Fastwebsockets,
        Self::Ezsockets,
        Self::Bare(Runtime::AsyncStd),
        Self::Ours(Runtime::AsyncStd),
        Self::Bare(Runtime::Smol),
        Self::Ours(Runtime::Smol),
    ];

    /// The client of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|who| who.name() == name)
    }

    /// The name in tables and arguments.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ours(Runtime::Tokio) => "redial-tokio",
            Self::Ours(Runtime::AsyncStd) => "redial-async-std, async-std",
            Self::Ours(Runtime::Smol) => "redial-async-std, smol",
            Self::Bare(Runtime::Tokio) => "tokio-tungstenite 0.30, 14 KiB",
            Self::Bare(Runtime::AsyncStd) => "async-tungstenite 0.35, async-std, 14 KiB",
            Self::Bare(Runtime::Smol) => "async-tungstenite 0.35, smol, 14 KiB",
            Self::Session => "redial-tokio, redial.v1",
            Self::BareDefault => "tokio-tungstenite 0.30, default",
            Self::BarePlain => "tokio-tungstenite 0.30, 14 KiB, no TLS",
            Self::Ezsockets => "ezsockets 0.7.2",
            Self::Fastwebsockets => "fastwebsockets 0.10",
        }
    }

    /// What it runs on.
    pub(crate) const fn runtime(self) -> Runtime {
        match self {
            Self::Ours(runtime) | Self::Bare(runtime) => runtime,
            Self::Session | Self::BareDefault | Self::BarePlain | Self::Ezsockets | Self::Fastwebsockets => {
                Runtime::Tokio
            }
        }
    }

    /// The bare client with the same settings on the same runtime.
    pub(crate) const fn reference(self) -> Self {
        Self::Bare(self.runtime())
    }

    /// Connects, and gives the client to the visitor.
    pub(crate) async fn meet<V: Visitor>(self, server: SocketAddr, path: &str, visitor: V) -> V::Output {
        let url = format!("ws://{server}/{path}");
        let policy = Policy::resilient();
        match self {
            Self::Ours(Runtime::Tokio) => visitor.visit(ours::connect::<Tokio>(&url, policy).await).await,
            Self::Ours(Runtime::AsyncStd | Runtime::Smol) => {
                visitor.visit(ours::connect::<AsyncIo>(&url, policy).await).await
            }
            Self::Session => visitor.visit(session::connect(&url, policy).await).await,
            Self::Bare(Runtime::Tokio) => visitor.visit(bare::on_tokio(&url).await).await,
            Self::Bare(Runtime::AsyncStd) => visitor.visit(bare::on_async_std(&url, server).await).await,
            Self::Bare(Runtime::Smol) => visitor.visit(bare::on_smol(&url, server).await).await,
            Self::BareDefault => visitor.visit(bare::default(&url).await).await,
            Self::BarePlain => visitor.visit(bare::plain(&url, server).await).await,
            Self::Ezsockets => visitor.visit(ezsockets::connect(&url).await).await,
            Self::Fastwebsockets => visitor.visit(fastwebsockets::connect(server, path).await).await,
        }
    }
}
