//! What is meant for the present connection and is still to be written.

use std::collections::VecDeque;

/// A queue in a box: an idle connection has none.
pub(crate) struct Urgent<M>(Option<Box<Queue<M>>>);

type Queue<M> = VecDeque<M>;

impl<M> Urgent<M> {
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |queue| queue.len())
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn push_back(&mut self, message: M) {
        self.0.get_or_insert_default().push_back(message);
    }

    pub(crate) fn pop_front(&mut self) -> Option<M> {
        let message = self.0.as_mut()?.pop_front();
        self.0.take_if(|queue| queue.is_empty());
        message
    }

    /// All of them, in order.
    pub(crate) fn take(&mut self) -> Queue<M> {
        self.0.take().map_or_else(VecDeque::new, |queue| *queue)
    }
}
