//! Causes in TLS: certificates of every kind, made for the purpose, and shown by the real server.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::PathBuf;

use cwts_domain::Service;
use cwts_tests::{Home, Ports, Server, command, finish};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustix::process::Signal;

use crate::causes::{CLIENT, HERE};
use crate::matrix::{Matrix, PASSED, by, test};

/// When a certificate is valid, by years.
type Years = (i32, i32);

const NOW: Years = (2020, 2060);
const PAST: Years = (2010, 2020);
const FUTURE: Years = (2055, 2060);

fn params(names: &[&str], (from, to): Years) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names");
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    params
}

/// A certificate that vouches for itself, with its key, for a server that is none of ours. Returns its file.
pub(crate) fn self_signed(home: &Home) -> String {
    let key = KeyPair::generate().expect("a key");
    let certificate = params(&[HERE], NOW).self_signed(&key).expect("a certificate").pem();
    let file = home.path().join("stranger.pem");
    fs::write(&file, certificate + &key.serialize_pem()).expect("a file");
    file.display().to_string()
}

/// Puts a certificate where the server of the home finds it, and its authority where clients do.
fn install(home: &Home, names: &[&str], years: Years, is_authority: bool) {
    let (authority_key, key) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
    let mut authority = params(&[], NOW);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let trusted = authority.self_signed(&authority_key).expect("a certificate").pem();
    let mut leaf = params(names, years);
    leaf.is_ca = if is_authority { IsCa::Ca(BasicConstraints::Unconstrained) } else { IsCa::ExplicitNoCa };
    let issuer = Issuer::new(authority, authority_key);
    let shown = leaf.signed_by(&key, &issuer).expect("a certificate").pem();
    let folder = home.path().join("data/default/tls");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).expect("a folder");
    let write = |name: &str, text: String| {
        fs::write(folder.join(name), text).expect("a file");
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).expect("a mode");
    };
    write("server.pem", shown + &key.serialize_pem());
    write("ca.pem", trusted);
}

fn home() -> Home {
    let home = Home::empty();
    home.write_toml(&format!("{}\n[security]\ntls = \"on\"\n", Ports::free().toml()));
    home
}

async fn serve(home: &Home) -> Server {
    let mut program = command(home);
    program.env("MCP_BIND_ADDR", "0.0.0.0").env("MONITORING_BIND_ADDR", "0.0.0.0");
    Server::launch(program).await
}

/// The certificate as another computer meets it, which was given the authority.
pub(crate) async fn all(matrix: &mut Matrix) {
    let names: &[&str] = &["127.0.0.1", HERE];
    let cases = [
        (names, PAST, false, "tls.expired", "a certificate that ended in 2020"),
        (names, FUTURE, false, "tls.clock_skew", "a certificate from the future, or a clock from the past"),
        (&["studio.lan"], NOW, false, "tls.wrong_name", "a certificate of another name"),
        (names, NOW, true, "tls.authority_as_server", "the certificate of an authority"),
    ];
    for (names, years, is_authority, expected, what) in cases {
        let home = home();
        install(&home, names, years, is_authority);
        let server = serve(&home).await;
        let trusting = by(&CLIENT, &test(&home, "mcp-http", &["--host", HERE]));
        matrix.expect(expected, what, trusting).await;
        server.stop(Signal::TERM).await;
    }
    made_by_the_program(matrix).await;
}

/// With the program's own authority all is well, and a stranger is told what is missing.
async fn made_by_the_program(matrix: &mut Matrix) {
    let (home, stranger) = (home(), Home::untouched());
    let mut make = command(&home);
    make.args(["tls", "make", "--name", HERE]);
    assert_eq!(finish(make).await.status, Some(0), "a certificate");
    let server = serve(&home).await;
    stranger.write_toml(&home.toml());
    let authority = home.path().join("data/default/tls/ca.pem");
    let ca = ["--ca", authority.to_str().expect("a path")];
    for service in Service::ALL {
        matrix.expect(PASSED, "TLS on this computer", test(&home, service.id(), &[])).await;
        let token: PathBuf = home.path().join("data/default/tokens/trade");
        let token = ["--token-file", token.to_str().expect("a path")];
        let words = [&["--host", HERE], ca.as_slice(), &token].concat();
        matrix.expect(PASSED, "TLS from another computer", by(&CLIENT, &test(&stranger, service.id(), &words))).await;
    }
    let without = test(&stranger, "mcp-http", &["--host", HERE]);
    matrix.expect("tls.untrusted", "a computer that knows no authority of ours", by(&CLIENT, &without)).await;
    let plain = test(&stranger, "mcp-http", &["--host", HERE, "--tls", "off"]);
    matrix.expect("handshake.remote_plain_text", "another computer in plain text", by(&CLIENT, &plain)).await;
    let nameless = test(&stranger, "prometheus", &[&["--host", HERE], ca.as_slice()].concat());
    matrix.expect("auth.token_missing", "another computer without a token", by(&CLIENT, &nameless)).await;
    server.stop(Signal::TERM).await;
}
