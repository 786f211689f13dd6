//! What the browser says of the network and of the page.

use crate::connector::Plan;
use crate::global::global;
use crate::message::Message;
use redial::{Cause, HoldReason};
use redial_driver::Handle;
use std::cell::Cell;
use std::fmt;
use std::rc::{Rc, Weak};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, EventTarget, PageTransitionEvent};

/// Tells a connection what the browser says, until it is dropped.
pub(crate) struct Hints {
    _listeners: Vec<Listener>,
}

struct Page {
    connection: Handle<Message>,
    plan: Weak<Plan>,
    /// A hidden page holds.
    hidden_holds: bool,
    hidden: Cell<bool>,
    /// Frozen, or kept for the way back: nothing runs, and nothing is to be dialled.
    away: Cell<bool>,
    held: Cell<bool>,
    /// A connection, or a dial, was ended when the page went away.
    cut: Cell<bool>,
}

impl Hints {
    /// Listens from now on, and tells how things stand.
    pub(crate) fn listen(connection: Handle<Message>, plan: Weak<Plan>, hidden_holds: bool) -> Self {
        let page = Rc::new(Page {
            connection,
            plan,
            hidden_holds,
            hidden: Cell::new(false),
            away: Cell::new(false),
            held: Cell::new(false),
            cut: Cell::new(false),
        });
        if !is_online() {
            page.connection.hold(HoldReason::Offline);
        }
        page.look();
        let window: EventTarget = global().into();
        let mut listeners = vec![
            Listener::new(&window, "online", &page, |page, _| page.connection.release(HoldReason::Offline)),
            Listener::new(&window, "offline", &page, |page, _| page.connection.hold(HoldReason::Offline)),
        ];
        // A worker has none of these, and hears of nothing.
        if let Some(document) = global().document() {
            listeners.push(Listener::new(&window, "pagehide", &page, |page, event| {
                if is_persisted(event) {
                    page.leave();
                }
            }));
            listeners.push(Listener::new(&window, "pageshow", &page, |page, event| {
                if is_persisted(event) {
                    page.come_back();
                }
            }));
            listeners.push(Listener::new(&document, "visibilitychange", &page, |page, _| page.look()));
            listeners.push(Listener::new(&document, "freeze", &page, |page, _| page.freeze(true)));
            listeners.push(Listener::new(&document, "resume", &page, |page, _| page.freeze(false)));
        }
        Self { _listeners: listeners.into_iter().flatten().collect() }
    }
}

impl Page {
    fn look(&self) {
        self.hidden.set(global().document().is_some_and(|document| document.hidden()));
        self.update();
        // Timers of a page that was hidden ring late: what is due is due now.
        self.wake();
    }

    fn freeze(&self, on: bool) {
        self.away.set(on);
        self.update();
        self.wake();
    }

    /// An open connection would keep the browser from keeping the page for the way back, and would not outlive it.
    fn leave(&self) {
        self.away.set(true);
        self.update();
        let wire = self.plan.upgrade().and_then(|plan| plan.latest());
        self.cut.set(wire.is_some_and(|wire| wire.cut(Cause::NETWORK)));
    }

    fn come_back(&self) {
        self.freeze(false);
        if self.cut.take() && is_online() {
            self.connection.reconnect();
        }
    }

    fn update(&self) {
        let hold = self.away.get() || (self.hidden_holds && self.hidden.get());
        if self.held.replace(hold) == hold {
            return;
        }
        if hold {
            self.connection.hold(HoldReason::Hidden);
        } else {
            self.connection.release(HoldReason::Hidden);
        }
    }

    /// Has the connection look at its clock. What does not stand is released for that, which changes nothing.
    fn wake(&self) {
        if !self.held.get() {
            self.connection.release(HoldReason::Hidden);
        }
    }
}

/// A listener that is taken off when it is dropped.
struct Listener {
    target: EventTarget,
    name: &'static str,
    callback: Closure<dyn FnMut(Event)>,
}

impl Listener {
    fn new(target: &EventTarget, name: &'static str, page: &Rc<Page>, hear: fn(&Page, &Event)) -> Option<Self> {
        let page = Rc::clone(page);
        let callback = Closure::<dyn FnMut(Event)>::new(move |event: Event| hear(&page, &event));
        target.add_event_listener_with_callback(name, callback.as_ref().unchecked_ref()).ok()?;
        Some(Self { target: target.clone(), name, callback })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let callback = self.callback.as_ref().unchecked_ref();
        let _ = self.target.remove_event_listener_with_callback(self.name, callback);
    }
}

/// The page comes out of the cache for the way back, or may go there.
fn is_persisted(event: &Event) -> bool {
    event.dyn_ref::<PageTransitionEvent>().is_some_and(PageTransitionEvent::persisted)
}

fn is_online() -> bool {
    global().navigator().on_line()
}

impl fmt::Debug for Hints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hints").finish_non_exhaustive()
    }
}
