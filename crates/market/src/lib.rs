//! Where prices come from: a seeded simulator of market makers and takers.
