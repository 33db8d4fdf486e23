//! One instance: engine, market and services; the snapshot; the port change as a transaction.
