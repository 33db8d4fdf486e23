//! The tokens of every home that a test makes, so that each client of the suites carries one without asking for it.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};

/// What agents and bots get: trading, reading and metrics. The clients of the suites present it.
pub const TRADE_TOKEN: &str = "cwts_trade_7ade7ade7ade7ade7ade7ade7ade7ade7ade7ade7ade7ade7ade7ade7ade7ade";
/// May only read.
pub const READ_TOKEN: &str = "cwts_read_4ead4ead4ead4ead4ead4ead4ead4ead4ead4ead4ead4ead4ead4ead4ead4ead";
/// May only scrape.
pub const METRICS_TOKEN: &str = "cwts_metrics_3e743e743e743e743e743e743e743e743e743e743e743e743e743e743e743e74";
/// May do everything.
pub const OWNER_TOKEN: &str = "cwts_owner_0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

/// Writes the four tokens for an instance below `home`.
///
/// # Panics
/// They cannot be written.
pub fn write_tokens(home: &Path, instance: &str) {
    let folder = home.join("data").join(instance).join("tokens");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).expect("a folder for tokens");
    let tokens = [("owner", OWNER_TOKEN), ("trade", TRADE_TOKEN), ("read", READ_TOKEN), ("metrics", METRICS_TOKEN)];
    for (scope, token) in tokens {
        let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(folder.join(scope));
        std::io::Write::write_all(&mut file.expect("a token file"), token.as_bytes()).expect("writable");
    }
}

/// The header that presents a token.
pub fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// A request for a WebSocket that presents the trade token in its header.
///
/// # Panics
/// `url` is none.
pub fn authorized(url: &str) -> Request {
    let mut request = url.into_client_request().expect("a URL");
    let value = HeaderValue::from_str(&bearer(TRADE_TOKEN)).expect("a header value");
    request.headers_mut().insert(header::AUTHORIZATION, value);
    request
}
