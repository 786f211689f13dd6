//! One connection over the browser's `WebSocket`.

use crate::clock::{Sleep, WasmClock, set_waker};
use crate::error::SocketError;
use crate::message::Message;
use crate::target::Target;
use bytes::Bytes;
use futures_util::{Sink, Stream};
use js_sys::{Array, ArrayBuffer, Uint8Array};
use redial::{Cause, Micros};
use redial_driver::Clock;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

/// A sink is not ready while the browser holds so many bytes that it has not sent.
const FULL: u32 = 256 * 1024;
/// Browsers don't say when they have sent something: one looks again after so long.
const LOOK_AGAIN: Micros = Micros::from_millis(20);
/// Nothing is wrong.
const NORMAL: u16 = 1000;

/// One open connection. Dropping it closes it and takes all handlers off.
///
/// # How far backpressure goes
/// A sink waits while the browser holds more than 256 KiB of ours. `flush` waits for nothing: browsers don't say
/// when bytes have left. What the peer sends comes as fast as the browser takes it, and waits here, without a bound, to be read.
pub struct Socket {
    wire: Rc<Wire>,
    clock: WasmClock,
    pause: Option<Sleep>,
    _handlers: Handlers,
}

/// What the handlers share with the socket.
pub(crate) struct Wire {
    socket: WebSocket,
    inbox: RefCell<VecDeque<Message>>,
    opened: Cell<bool>,
    end: Cell<Option<Cause>>,
    reader: RefCell<Option<Waker>>,
    writer: RefCell<Option<Waker>>,
}

/// The browser's handlers, which are alive as long as these are.
struct Handlers {
    _open: Closure<dyn FnMut()>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _close: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    /// A dial; [`poll_open`](Self::poll_open) tells what becomes of it.
    pub(crate) fn dial(target: &Target, clock: WasmClock) -> Result<Self, Cause> {
        let offered: Array = target.subprotocols().iter().map(|name| JsValue::from_str(name)).collect();
        // It throws what a target has ruled out before, or where the page may not open any.
        let socket = WebSocket::new_with_str_sequence(target.href(), &offered).map_err(|_| Cause::Protocol)?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let wire = Rc::new(Wire {
            socket,
            inbox: RefCell::default(),
            opened: Cell::new(false),
            end: Cell::new(None),
            reader: RefCell::default(),
            writer: RefCell::default(),
        });
        let handlers = handlers(&wire);
        Ok(Self { wire, clock, pause: None, _handlers: handlers })
    }

    /// Ready once it is open, or never will be. Of why it is not browsers say nothing, so that pages can't look around in
    /// networks: every failure is the network's.
    pub(crate) fn poll_open(&self, cx: &Context<'_>) -> Poll<Result<(), Cause>> {
        if self.wire.opened.get() {
            return Poll::Ready(Ok(()));
        }
        // Also where it was cut.
        if self.wire.end.get().is_some() {
            return Poll::Ready(Err(Cause::NETWORK));
        }
        set_waker(&self.wire.reader, cx);
        Poll::Pending
    }

    /// The subprotocol that the server chose of those offered; `None` if it chose none.
    #[must_use]
    pub fn subprotocol(&self) -> Option<String> {
        Some(self.wire.socket.protocol()).filter(|name| !name.is_empty())
    }

    /// The browser's own object, for example to read its `bufferedAmount`.
    #[must_use]
    pub fn web_socket(&self) -> &WebSocket {
        &self.wire.socket
    }

    pub(crate) const fn wire(&self) -> &Rc<Wire> {
        &self.wire
    }

    /// The error that it ended with, once everything was read.
    fn ended(&self) -> Option<SocketError> {
        self.wire.end.get().map(|cause| SocketError { cause })
    }

    fn is_leaving(&self) -> bool {
        self.wire.socket.ready_state() >= WebSocket::CLOSING
    }
}

impl Wire {
    /// Ends it for a reason of this page. Says whether there was anything to end.
    pub(crate) fn cut(&self, cause: Cause) -> bool {
        if self.end.get().is_some() {
            return false;
        }
        self.end.set(Some(cause));
        let _ = self.socket.close_with_code(NORMAL);
        self.wake_both();
        true
    }

    fn wake_both(&self) {
        wake(&self.reader);
        wake(&self.writer);
    }
}

impl Stream for Socket {
    type Item = Result<Message, SocketError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(message) = self.wire.inbox.borrow_mut().pop_front() {
            return Poll::Ready(Some(Ok(message)));
        }
        if let Some(error) = self.ended() {
            return Poll::Ready(Some(Err(error)));
        }
        set_waker(&self.wire.reader, cx);
        Poll::Pending
    }
}

impl Sink<Message> for Socket {
    type Error = SocketError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SocketError>> {
        let this = self.get_mut();
        loop {
            if let Some(error) = this.ended() {
                return Poll::Ready(Err(error));
            }
            // The peer's close frame has come. Its code, which decides what follows, is told in an event that is still to come.
            let leaving = this.is_leaving();
            if !leaving && this.wire.socket.buffered_amount() < FULL {
                this.pause = None;
                return Poll::Ready(Ok(()));
            }
            set_waker(&this.wire.writer, cx);
            if leaving {
                return Poll::Pending;
            }
            let clock = &this.clock;
            let pause = this.pause.get_or_insert_with(|| clock.sleep_until(clock.now().saturating_add(LOOK_AGAIN)));
            ready!(Pin::new(pause).poll(cx));
            this.pause = None;
        }
    }

    /// What is sent while the connection is being closed goes where everything goes that was on its way then.
    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), SocketError> {
        if let Some(error) = self.ended() {
            return Err(error);
        }
        let sent = match &message {
            Message::Text(text) => self.wire.socket.send_with_str(text),
            Message::Binary(bytes) => self.wire.socket.send_with_u8_array(bytes),
        };
        // It throws while it connects, and then nobody has it.
        sent.map_err(|_| SocketError { cause: Cause::Protocol })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), SocketError>> {
        Poll::Ready(self.ended().map_or(Ok(()), Err))
    }

    /// Closes with 1000, once everything was sent.
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), SocketError>> {
        let _ = self.wire.socket.close_with_code(NORMAL);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let socket = &self.wire.socket;
        socket.set_onopen(None);
        socket.set_onmessage(None);
        socket.set_onclose(None);
        if !self.is_leaving() {
            let _ = socket.close();
        }
    }
}

fn handlers(wire: &Rc<Wire>) -> Handlers {
    let shared = Rc::clone(wire);
    let open = Closure::<dyn FnMut()>::new(move || {
        shared.opened.set(true);
        wake(&shared.reader);
    });
    let shared = Rc::clone(wire);
    let message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        if let Some(message) = received(event.data()) {
            shared.inbox.borrow_mut().push_back(message);
            wake(&shared.reader);
        }
    });
    let shared = Rc::clone(wire);
    let close = Closure::<dyn FnMut(CloseEvent)>::new(move |event: CloseEvent| {
        if shared.end.get().is_none() {
            shared.end.set(Some(Cause::close(event.code())));
        }
        shared.wake_both();
    });
    let socket = &wire.socket;
    socket.set_onopen(Some(open.as_ref().unchecked_ref()));
    socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
    socket.set_onclose(Some(close.as_ref().unchecked_ref()));
    Handlers { _open: open, _message: message, _close: close }
}

/// A message is a string or, as the socket was told, an `ArrayBuffer`.
fn received(data: JsValue) -> Option<Message> {
    if let Some(text) = data.as_string() {
        return Some(Message::Text(text));
    }
    let buffer = data.dyn_into::<ArrayBuffer>().ok()?;
    Some(Message::Binary(Bytes::from(Uint8Array::new(&buffer).to_vec())))
}

fn wake(place: &RefCell<Option<Waker>>) {
    let waker = place.borrow_mut().take();
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("end", &self.wire.end.get()).finish_non_exhaustive()
    }
}
