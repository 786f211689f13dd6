//! What is under way.

use super::Queue;

#[derive(Debug, Default)]
pub(crate) struct Link {
    pub(crate) to_server: Queue,
    pub(crate) to_client: Queue,
    /// The client's end stands.
    pub(crate) up: bool,
    /// It has lost or repeated something on this connection.
    pub(crate) hostile: bool,
}

impl Link {
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn lose(&mut self, to_server: bool, index: usize) {
        let queue = self.queue(to_server);
        if !queue.is_empty() {
            queue.remove(index % queue.len());
            self.hostile = true;
        }
    }

    /// Again after all that is under way.
    pub(crate) fn repeat(&mut self, to_server: bool, index: usize) {
        let queue = self.queue(to_server);
        if !queue.is_empty() {
            let frame = queue[index % queue.len()].clone();
            queue.push_back(frame);
            self.hostile = true;
        }
    }

    fn queue(&mut self, to_server: bool) -> &mut Queue {
        if to_server { &mut self.to_server } else { &mut self.to_client }
    }
}
