//! Whether clients that go by the environment would send a request to a proxy.

use std::net::IpAddr;

use cwts_config::Environment;

/// The variable and its value, for example `HTTP_PROXY=http://proxy:3128`; `None` where requests go straight.
pub(super) fn on_the_way(environment: &Environment, url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = host_of(rest);
    let of_scheme: [&str; 2] =
        if scheme.ends_with('s') { ["https_proxy", "HTTPS_PROXY"] } else { ["http_proxy", "HTTP_PROXY"] };
    let get = |name: &str| environment.get(name).map(|value| value.to_string_lossy().into_owned());
    let named = of_scheme.into_iter().chain(["all_proxy", "ALL_PROXY"]);
    let (name, proxy) = named.filter_map(|name| Some((name, get(name)?))).next()?;
    let exceptions = get("no_proxy").or_else(|| get("NO_PROXY")).unwrap_or_default();
    let excepted = exceptions.split(',').map(str::trim).any(|exception| is_excepted(exception, host));
    // The password of a proxy is nobody's business.
    let shown = proxy.rsplit_once('@').map_or(proxy.as_str(), |(_, place)| place);
    (!excepted).then(|| format!("{name}={shown}"))
}

fn host_of(rest: &str) -> &str {
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    }
}

/// As curl and Python's requests have it: `*`, a host, a domain with all below it, an address, or a network.
fn is_excepted(exception: &str, host: &str) -> bool {
    let (exception, host) = (exception.to_ascii_lowercase(), host.to_ascii_lowercase());
    let exception = exception.trim_matches(['[', ']']);
    let in_network = || {
        let (network, bits) = exception.split_once('/')?;
        let (network, bits) = (network.parse::<IpAddr>().ok()?, bits.parse::<u32>().ok()?);
        Some(match (network, host.parse::<IpAddr>().ok()?) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => (net.to_bits() ^ ip.to_bits()).leading_zeros() >= bits.min(32),
            (IpAddr::V6(net), IpAddr::V6(ip)) => (net.to_bits() ^ ip.to_bits()).leading_zeros() >= bits.min(128),
            _ => false,
        })
    };
    let domain = exception.trim_start_matches("*.").trim_start_matches('.');
    exception == "*"
        || (!domain.is_empty() && (host == domain || host.ends_with(&format!(".{domain}"))))
        || in_network().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_on_the_way_unless_the_host_is_excepted() {
        let url = "http://127.0.0.1:3001/mcp";
        let with = |no_proxy: &str| {
            let environment =
                Environment::from([("HTTP_PROXY", "http://me:secret@proxy:3128"), ("NO_PROXY", no_proxy)]);
            on_the_way(&environment, url)
        };
        assert_eq!(with("").as_deref(), Some("HTTP_PROXY=proxy:3128"), "named, and without its password");
        assert!(with("example.org,10.0.0.0/8").is_some(), "others are excepted, this computer is not");
        for excepted in ["127.0.0.1", "localhost, 127.0.0.1", "*", "127.0.0.0/8"] {
            assert_eq!(with(excepted), None, "{excepted} lets requests go straight");
        }
        let v6 = Environment::from([("http_proxy", "http://proxy:3128"), ("no_proxy", "[::1],STUDIO.lan")]);
        for excepted in ["http://[::1]:3001/mcp", "http://Studio.LAN:3001/mcp"] {
            assert_eq!(on_the_way(&v6, excepted), None, "{excepted} is excepted however it is written");
        }
        let secure = Environment::from([("HTTP_PROXY", "http://proxy:3128")]);
        assert_eq!(on_the_way(&secure, "wss://studio.lan:3000/mcp"), None, "that variable is for plain HTTP");
        let all = Environment::from([("ALL_PROXY", "socks5://proxy"), ("no_proxy", ".lan")]);
        assert_eq!(on_the_way(&all, "wss://studio.lan:3000/mcp"), None, "a domain is excepted with all below it");
        assert!(on_the_way(&all, "ws://[::1]:3000/mcp").is_some(), "for all schemes");
    }
}
