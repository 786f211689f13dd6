//! A chat in Rust on a web page: the phase, the countdown, the quality, the messages, and a button that reconnects.

mod view;

use futures_util::future::{Either, select};
use js_sys::{JSON, Reflect};
use redial_wasm::{
    ClientEvent, Clock, Micros, Notice, Payload, Phase, Policy, SendError, Session, SessionConfig, SessionEvent,
    SessionHandle, Status, StreamExt, WasmClock, WebSocket,
};
use std::rc::Rc;
use view::View;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

const ROOM: &str = "general-chat";

/// Runs as soon as the page has loaded the module.
///
/// # Errors
/// If the page lacks an element, or names a server that can't be dialled.
#[wasm_bindgen(start)]
pub fn start() -> Result<(), JsValue> {
    let server = view::asked_for("server").unwrap_or_else(|| "/ws/chat/".to_owned());
    // A page is looked at: it is to know sooner than a program in the background how good its connection is.
    let policy = Policy::resilient().to_builder().health_check_interval(Micros::from_secs(2)).build();
    let policy = policy.map_err(|error| JsValue::from_str(&error.to_string()))?;
    let mut session = WebSocket::builder(server)
        .policy(policy)
        .session(SessionConfig::default())
        .map_err(|error| JsValue::from_str(&error.to_string()))?;
    let view = Rc::new(View::find()?);
    let join = session.post(format!(r#"{{"type":"join","room":"{ROOM}"}}"#), None);
    tell_if_not_sent(&view, join.map(|_| ()));

    let handle = session.handle();
    let on_reconnect = view.on_reconnect({
        let handle = handle.clone();
        move || handle.reconnect()
    })?;
    let on_send = view.on_send({
        let view = Rc::clone(&view);
        move |text| send(&handle, &view, &text)
    })?;
    spawn_local(async move {
        run(session, &view).await;
        drop((on_reconnect, on_send));
    });
    Ok(())
}

/// Shows what comes, and meanwhile how long it is to the next dial.
async fn run(mut session: Session, view: &View) {
    const TICK: Micros = Micros::from_millis(100);
    let clock = WasmClock::new();
    loop {
        show(view, &clock, &session.connection().status());
        let tick = clock.sleep_until(clock.now().saturating_add(TICK));
        match select(session.next(), tick).await {
            Either::Left((Some(event), _)) => hear(view, event),
            // It has given up. The button may revive it: look again at the next tick.
            Either::Left((None, tick)) => tick.await,
            Either::Right(_) => {}
        }
    }
}

fn show(view: &View, clock: &WasmClock, status: &Status) {
    view.phase(status.phase);
    let left = status.next_dial_at.map(|at| at.as_micros().saturating_sub(clock.now().as_micros()));
    view.countdown(left.map(|micros| micros.div_ceil(1_000_000)));
    view.quality(status.quality.filter(|_| status.phase == Phase::Open), status.latency);
}

#[allow(clippy::wildcard_enum_match_arm)] // of what there is to tell, this is worth a line
fn hear(view: &View, event: SessionEvent) {
    match event {
        SessionEvent::Message(payload) => {
            if let Some(line) = payload.as_text().and_then(line) {
                view.log(&line);
            }
        }
        SessionEvent::Notice(Notice::Lost { cause, .. }) => view.log(&format!("* lost: {cause}")),
        SessionEvent::Notice(Notice::GaveUp { cause, .. }) => view.log(&format!("* gave up: {cause}")),
        SessionEvent::Session(ClientEvent::Started { .. }) => view.log("* a new session"),
        SessionEvent::Session(ClientEvent::Resumed { replayed }) => {
            view.log(&format!("* the session goes on, {replayed} sent again"));
        }
        _ => {}
    }
}

/// What somebody said, if this is it.
fn line(json: &str) -> Option<String> {
    let value = JSON::parse(json).ok()?;
    let field = |name: &str| Reflect::get(&value, &JsValue::from_str(name)).ok()?.as_string();
    match field("type")?.as_str() {
        "message" => Some(format!("{}: {}", field("alias")?, field("text")?)),
        "joined" => Some(format!("* {} is here", field("alias")?)),
        _ => None,
    }
}

fn send(handle: &SessionHandle<redial_wasm::Message>, view: &View, text: &str) {
    let Some(quoted) = JSON::stringify(&JsValue::from_str(text)).ok().map(String::from) else { return };
    let sent = handle.send(format!(r#"{{"type":"message","room":"{ROOM}","text":{quoted}}}"#));
    tell_if_not_sent(view, sent.map(|_| ()));
}

fn tell_if_not_sent(view: &View, sent: Result<(), SendError<Payload>>) {
    if let Err(error) = sent {
        view.log(&format!("* not sent: {error}"));
    }
}
