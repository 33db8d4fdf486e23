//! Tokens and certificates from the command line, as a person, a script and openssl see them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use cwts_tests::{Exit, Home, command, finish, skip};
use serde_json::Value;

async fn run(home: &Home, arguments: &[&str]) -> Exit {
    let mut program = command(home);
    program.args(arguments);
    finish(program).await
}

fn data(home: &Home) -> PathBuf {
    home.path().join("data/default")
}

/// The output of openssl; `None`, and said, where it is not installed.
fn openssl(arguments: &[&str]) -> Option<String> {
    let Ok(done) = Command::new("openssl").args(arguments).output() else {
        skip("openssl is not installed");
        return None;
    };
    assert!(done.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    Some(String::from_utf8(done.stdout).expect("openssl prints text"))
}

#[tokio::test]
async fn a_token_is_shown_whole_and_alone() {
    let home = Home::untouched();
    let shown = run(&home, &["token", "show"]).await;
    let token = shown.stdout.trim().to_owned();
    assert_eq!(shown.status, Some(0), "a token can be had before the first start: {shown:?}");
    assert!(
        token.starts_with("cwts_trade_") && token.len() == 75,
        "`$(cwts-ultra token show)` is the token: {shown:?}"
    );
    let again = run(&home, &["token", "show", "--scope", "trade"]).await;
    assert_eq!(again.stdout.trim(), token, "trade is the default, and it stays as it is");
    let json = run(&home, &["token", "show", "--scope", "metrics", "--json"]).await;
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let file = fs::read_to_string(json["file"].as_str().expect("a path")).expect("the file is there");
    assert_eq!(json["token"], file.trim(), "the file holds the token and nothing else, for `credentials_file`");
}

#[tokio::test]
async fn a_rotation_names_what_is_new_and_shows_no_token() {
    let home = Home::empty();
    let before = run(&home, &["token", "show"]).await.stdout;
    let read = run(&home, &["token", "rotate", "--scope", "read"]).await;
    assert!(read.stdout.starts_with("The read token of default is new."), "what was done: {read:?}");
    assert_eq!(run(&home, &["token", "show"]).await.stdout, before, "the trade token was not asked for");
    let all = run(&home, &["token", "rotate"]).await;
    assert!(!all.stdout.contains("cwts_"), "a rotation on a shared screen shows nothing: {all:?}");
    assert_ne!(run(&home, &["token", "show"]).await.stdout, before, "now it is new");
}

#[tokio::test]
async fn a_token_that_others_can_read_is_refused_until_it_is_replaced() {
    let home = Home::empty();
    let token = run(&home, &["token", "show"]).await.stdout;
    let file = data(&home).join("tokens/trade");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("own file");
    for arguments in [["token", "show"].as_slice(), &["run"]] {
        let refused = run(&home, arguments).await;
        assert_eq!(refused.status, Some(2), "what others know is no secret: {refused:?}");
        assert_eq!(refused.stderr.lines().count(), 1, "one line: {}", refused.stderr);
        for part in ["tokens/trade can be read by others (mode 0644)", "chmod 600", "token rotate"] {
            assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
        }
        assert!(!refused.stderr.contains(token.trim()), "the refusal does not tell the token");
    }
    assert_eq!(run(&home, &["token", "rotate"]).await.status, Some(0), "the remedy works by itself");
    assert_eq!(run(&home, &["token", "show"]).await.status, Some(0), "and all is well");
}

#[tokio::test]
async fn openssl_accepts_a_made_certificate_under_its_names_only() {
    let home = Home::empty();
    let none = run(&home, &["tls", "show"]).await;
    assert_eq!(none.status, Some(1), "there is none yet: {none:?}");
    assert!(none.stderr.contains("tls make"), "the remedy: {}", none.stderr);
    let made = run(&home, &["tls", "make", "--name", "studio.lan", "--json"]).await;
    assert_eq!(made.status, Some(0), "{made:?}");
    let json: Value = serde_json::from_str(&made.stdout).expect("JSON");
    let [server, authority] = ["server.pem", "ca.pem"].map(|file| data(&home).join("tls").join(file));
    let (server, authority) = (server.display().to_string(), authority.display().to_string());
    let names = [("-verify_hostname", "studio.lan"), ("-verify_hostname", "localhost"), ("-verify_ip", "127.0.0.1")];
    for (option, name) in names {
        let verified = openssl(&["verify", "-x509_strict", "-CAfile", &authority, option, name, &server]);
        let Some(verified) = verified else { return };
        assert!(verified.ends_with("OK\n"), "a client that trusts the authority connects to {name}: {verified}");
    }
    let stranger = ["verify", "-CAfile", &authority, "-verify_hostname", "example.org", &server];
    let stranger = Command::new("openssl").args(stranger).status().expect("openssl ran before");
    assert!(!stranger.success(), "it is not valid for a name of somebody else");
    let fingerprint = openssl(&["x509", "-in", &server, "-noout", "-fingerprint", "-sha256"]).expect("it ran before");
    let ours = json["certificate"]["fingerprint"].as_str().expect("a fingerprint");
    assert!(fingerprint.trim().ends_with(ours), "a person compares {fingerprint} with {ours}");
}

#[tokio::test]
async fn a_certificate_of_openssl_is_imported_and_a_wrong_key_is_named() {
    let home = Home::empty();
    let file = |name: &str| home.path().join(name).display().to_string();
    let [key, certificate, other] = ["key.pem", "cert.pem", "other.pem"].map(file);
    let request =
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=studio.lan", "-days", "90", "-addext"];
    let extra = ["subjectAltName=DNS:studio.lan", "-keyout", &key, "-out", &certificate];
    if openssl(&[request.as_slice(), &extra].concat()).is_none() {
        return;
    }
    openssl(&["genpkey", "-algorithm", "ED25519", "-out", &other]);
    let wrong = run(&home, &["tls", "import", &certificate, &other]).await;
    assert_eq!(wrong.status, Some(2), "{wrong:?}");
    assert!(wrong.stderr.contains("The key does not belong to the certificate of studio.lan."), "{}", wrong.stderr);
    assert!(!data(&home).join("tls/server.pem").exists(), "nothing was taken over");
    let taken = run(&home, &["tls", "import", &certificate, &key]).await;
    assert_eq!(taken.status, Some(0), "{taken:?}");
    assert!(
        taken.stderr.contains("CA:TRUE"),
        "openssl's default makes what rustls refuses; a person is told: {taken:?}"
    );
    assert!(taken.stdout.contains("Key          RSA"), "what it is: {}", taken.stdout);
}
