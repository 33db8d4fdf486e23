//! The names and addresses that clients use for this computer, for its certificate.

use cwts_config::Settings;
use cwts_domain::{ErrorCode, Group, Problem};
use rustls_pki_types::ServerName;

/// What a certificate has to be valid for: the names that a person chose, this computer's own, and the addresses that
/// services are bound to; every address of this computer where they are bound to all.
///
/// # Errors
/// A chosen name is neither a DNS name nor an address.
pub fn server_names(settings: &Settings, chosen: &[String]) -> Result<Vec<ServerName<'static>>, Problem> {
    let mut names = Vec::new();
    for text in chosen {
        names.push(parse(text)?);
    }
    // What clients may call this computer they have to find in its certificate.
    names.extend(settings.allowed_hosts.value.iter().filter_map(|name| parse(name).ok()));
    names.extend(parse(&rustix::system::uname().nodename().to_string_lossy()).ok());
    names.extend(["localhost", "127.0.0.1", "::1"].into_iter().filter_map(|name| parse(name).ok()));
    for group in [Group::Mcp, Group::Monitoring] {
        let address = settings.bind_addr(group).value.to_canonical();
        if address.is_unspecified() {
            let all = cwts_net::interface_addresses().unwrap_or_default().into_iter();
            names.extend(all.map(|each| ServerName::from(each.address)));
        } else {
            names.push(address.into());
        }
    }
    let mut seen = Vec::new();
    names.retain(|name| {
        let is_new = !seen.contains(&name.to_str().into_owned());
        seen.push(name.to_str().into_owned());
        is_new
    });
    Ok(names)
}

fn parse(text: &str) -> Result<ServerName<'static>, Problem> {
    let name = ServerName::try_from(text.to_ascii_lowercase()).ok().filter(|_| !text.ends_with('.'));
    name.ok_or_else(|| {
        let message = format!("{text:?} is neither a DNS name nor an IP address.");
        Problem::new(ErrorCode::InvalidInput, message).with_help("Use, for example, studio.lan or 192.168.1.20.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(settings: &Settings, chosen: &[&str]) -> Vec<String> {
        let chosen: Vec<String> = chosen.iter().map(|name| (*name).to_owned()).collect();
        let names = server_names(settings, &chosen).unwrap();
        names.iter().map(|name| name.to_str().into_owned()).collect()
    }

    #[test]
    fn a_certificate_is_valid_for_what_clients_use() {
        let mut settings = Settings::default();
        let local = named(&settings, &["Studio.LAN", "127.0.0.1"]);
        assert_eq!(local[..2], ["studio.lan", "127.0.0.1"], "what a person chose comes first, in lower case");
        assert!(
            local.contains(&"localhost".to_owned()) && local.contains(&"::1".to_owned()),
            "loopback too: {local:?}"
        );
        assert_eq!(local.iter().filter(|name| *name == "127.0.0.1").count(), 1, "no name twice: {local:?}");
        settings.mcp_bind_addr.value = "192.168.1.20".parse().unwrap();
        assert!(named(&settings, &[]).contains(&"192.168.1.20".to_owned()), "the bound address");
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        for name in ["", "studio lan", "https://studio.lan", "studio.lan.", "*.studio.lan", "192.168.1.20:3000"] {
            let refused = server_names(&Settings::default(), &[name.to_owned()]).unwrap_err().to_string();
            assert!(refused.contains("192.168.1.20"), "the message shows what is meant: {refused}");
        }
    }
}
