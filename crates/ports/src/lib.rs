//! Is a port free on the address that will be bound, and who holds it.
