//! What only a file has to show.
