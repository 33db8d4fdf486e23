//! The four routers: MCP, REST, metrics and health, behind guards.
