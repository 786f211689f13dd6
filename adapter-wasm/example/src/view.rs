//! The page's elements.

use redial_wasm::{Micros, Phase, Quality};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Event, HtmlElement, HtmlInputElement, UrlSearchParams};

pub(crate) struct View {
    phase: HtmlElement,
    quality: HtmlElement,
    countdown: HtmlElement,
    reconnect: HtmlElement,
    log: HtmlElement,
    form: HtmlElement,
    text: HtmlInputElement,
}

/// A handler, which works as long as it is kept.
pub(crate) type Handler = Closure<dyn FnMut(Event)>;

impl View {
    pub(crate) fn find() -> Result<Self, JsValue> {
        let document = web_sys::window().and_then(|window| window.document()).ok_or("no document")?;
        Ok(Self {
            phase: element(&document, "phase")?,
            quality: element(&document, "quality")?,
            countdown: element(&document, "countdown")?,
            reconnect: element(&document, "reconnect")?,
            log: element(&document, "log")?,
            form: element(&document, "form")?,
            text: element(&document, "text")?,
        })
    }

    pub(crate) fn phase(&self, phase: Phase) {
        set(&self.phase, &phase.to_string());
    }

    pub(crate) fn countdown(&self, seconds: Option<u64>) {
        set(&self.countdown, &seconds.map_or_else(String::new, |seconds| format!("next dial in {seconds} s")));
    }

    pub(crate) fn quality(&self, quality: Option<Quality>, latency: Option<Micros>) {
        let shown = quality.zip(latency).map(|(quality, latency)| format!("{quality}, {latency}"));
        set(&self.quality, &shown.unwrap_or_default());
    }

    pub(crate) fn log(&self, line: &str) {
        let Some(document) = self.log.owner_document() else { return };
        if let Ok(element) = document.create_element("div") {
            element.set_text_content(Some(line));
            let _ = self.log.append_child(&element);
            self.log.set_scroll_top(self.log.scroll_height());
        }
    }

    pub(crate) fn on_reconnect(&self, mut run: impl FnMut() + 'static) -> Result<Handler, JsValue> {
        let handler = Handler::new(move |_: Event| run());
        self.reconnect.add_event_listener_with_callback("click", handler.as_ref().unchecked_ref())?;
        Ok(handler)
    }

    pub(crate) fn on_send(&self, mut run: impl FnMut(String) + 'static) -> Result<Handler, JsValue> {
        let text = self.text.clone();
        let handler = Handler::new(move |event: Event| {
            event.prevent_default();
            let written = text.value();
            if !written.is_empty() {
                text.set_value("");
                run(written);
            }
        });
        self.form.add_event_listener_with_callback("submit", handler.as_ref().unchecked_ref())?;
        Ok(handler)
    }
}

/// What the page's address says of this.
pub(crate) fn asked_for(name: &str) -> Option<String> {
    let query = web_sys::window()?.location().search().ok()?;
    UrlSearchParams::new_with_str(&query).ok()?.get(name)
}

fn element<E: JsCast>(document: &Document, id: &str) -> Result<E, JsValue> {
    let found = document.get_element_by_id(id).and_then(|element| element.dyn_into().ok());
    found.ok_or_else(|| JsValue::from_str(&format!("no element {id}")))
}

/// Only what is new: a screen reader reads it out.
fn set(element: &HtmlElement, text: &str) {
    if element.text_content().as_deref() != Some(text) {
        element.set_text_content(Some(text));
    }
}
