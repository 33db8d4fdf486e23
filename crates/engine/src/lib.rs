//! The exchange: order book, matching, accounts. Pure, single-threaded, deterministic.
