//! Answers of bounded length: whoever asks must not lose its session by the answer.

use serde::Serialize;

use crate::store::StoreSettings;
use crate::views::PastView;

/// How many bytes of answers go into one: what an outbox takes while another such waits in it.
pub(super) const fn bytes(settings: &StoreSettings) -> usize {
    settings.outbox_bytes / 4
}

/// The newest that fit. One that alone would not comes without what it says, so that whoever asks for more gets past it.
pub(super) fn newest(mut past: Vec<PastView>, most: usize) -> Vec<PastView> {
    let count = fitting(past.iter().rev(), most);
    if count == 0 {
        let last = past.pop().map(PastView::without_content);
        return last.into_iter().collect();
    }
    past.split_off(past.len() - count)
}

/// How many of them fit.
pub(super) fn fitting<'a, T: Serialize + 'a>(all: impl Iterator<Item = &'a T>, most: usize) -> usize {
    let mut total = 0_usize;
    all.take_while(|one| {
        // With a comma.
        total = total.saturating_add(serde_json::to_vec(one).map_or(0, |json| json.len())).saturating_add(1);
        total <= most
    })
    .count()
}
