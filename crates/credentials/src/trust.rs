//! How the usual systems and programs are told to trust an authority.

use std::path::Path;

use serde::Serialize;

/// One way to trust an authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct TrustStep {
    /// The system or program.
    pub place: &'static str,
    /// A shell line, or where a person clicks.
    pub step: String,
    /// Whether the step is a shell line.
    pub is_command: bool,
}

/// What to do on each client, once `authority` has been copied to it.
pub fn trust_steps(authority: &Path, instance: &str) -> Vec<TrustStep> {
    let file = quoted(&authority.display().to_string());
    let name = format!("cwts-ultra-{instance}");
    let command = |place, step| TrustStep { place, step, is_command: true };
    vec![
        command(
            "Debian, Ubuntu",
            format!("sudo cp {file} /usr/local/share/ca-certificates/{name}.crt && sudo update-ca-certificates"),
        ),
        command(
            "Fedora, RHEL",
            format!("sudo cp {file} /etc/pki/ca-trust/source/anchors/{name}.pem && sudo update-ca-trust"),
        ),
        command("Arch", format!("sudo trust anchor --store {file}")),
        command("Chromium, Chrome", format!("certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n {name} -i {file}")),
        TrustStep {
            place: "Firefox",
            step: format!(
                "Settings, Privacy & Security, View Certificates, Authorities, Import: {}",
                authority.display()
            ),
            is_command: false,
        },
        command("Python", format!("export SSL_CERT_FILE={file} REQUESTS_CA_BUNDLE={file}")),
        command("Node.js", format!("export NODE_EXTRA_CA_CERTS={file}")),
        command("curl", format!("curl --cacert {file} https://...")),
    ]
}

/// The path as one word of a shell line.
fn quoted(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@:".contains(&byte);
    if path.bytes().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_every_command() {
        let steps = trust_steps(Path::new("/home/o'brien/my data/ca.pem"), "desk");
        for step in steps.iter().filter(|step| step.is_command) {
            let word = r"'/home/o'\''brien/my data/ca.pem'";
            assert!(step.step.contains(word), "a person pastes this into a shell: {step:?}");
        }
        let plain = trust_steps(Path::new("/home/me/ca.pem"), "desk");
        assert!(
            plain.iter().any(|step| step.step == "export NODE_EXTRA_CA_CERTS=/home/me/ca.pem"),
            "no needless quotes"
        );
    }
}
