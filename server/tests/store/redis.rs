//! What only Redis has to show.
