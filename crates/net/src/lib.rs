//! Binds the sockets of a plan, hands them over in one step, serves and drains them.
