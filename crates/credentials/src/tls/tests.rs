use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use cwts_domain::{Clock as _, Problem, SystemClock};
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use super::*;

fn names(texts: &[&str]) -> Vec<ServerName<'static>> {
    texts.iter().map(|text| ServerName::try_from((*text).to_owned()).unwrap()).collect()
}

fn now() -> Timestamp {
    SystemClock.now()
}

fn days(days: i64) -> Timestamp {
    Timestamp(now().0 + days * 86_400_000_000_000)
}

/// A folder with a certificate authority of somebody else and PEM files that a test writes.
struct Foreign {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Foreign {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, "Example CA");
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { folder: tempfile::tempdir().unwrap(), issuer }
    }

    fn store(&self) -> TlsStore {
        TlsStore::new(&self.folder.path().join("data"))
    }

    fn leaf(&self, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["studio.lan".to_owned()]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, "studio.lan");
        change(&mut params);
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn import(&self, certificate: &str, key: &str) -> Result<ServerCertificate, String> {
        let (certificate, key) = (self.write("cert.pem", certificate), self.write("key.pem", key));
        let (certificate, key) = (PemText::read(&certificate), PemText::read(&key));
        let imported = certificate.and_then(|certificate| self.store().import(&certificate, &key?, now()));
        imported.map_err(|error| Problem::from(error).to_string())
    }
}

#[test]
fn a_made_certificate_is_one_that_clients_accept() {
    let home = tempfile::tempdir().unwrap();
    let store = TlsStore::new(home.path());
    assert!(store.load().unwrap().is_none(), "there is none before it is made");
    let wanted = names(&["studio.lan", "localhost", "127.0.0.1", "::1", "192.168.1.20", "box.example.org"]);
    let made = store.make("desk", &wanted, now(), Imported::Keep).unwrap();
    let info = &made.certificate.info;
    assert!(made.new_authority, "the first certificate brings its authority");
    assert!(!info.is_authority, "several clients refuse a server whose certificate may sign others");
    assert_eq!(info.names, ["studio.lan", "localhost", "127.0.0.1", "::1", "192.168.1.20", "box.example.org"]);
    assert_eq!(info.days_left(now()), 396, "just below what browsers accept");
    assert_eq!(info.key, "ECDSA", "the kind of key is shown");
    let authority = made.certificate.authority.as_ref().unwrap();
    assert!(authority.is_authority && authority.subject.starts_with("CWTS Ultra desk "), "named: {authority:?}");
    assert!(wanted.iter().all(|name| info.covers(name)), "all names are covered");
    assert!(!info.covers(&names(&["other.lan"])[0]), "and no other");
    made.certificate.server_config().expect("a server can use it");
    for file in fs::read_dir(home.path().join("tls")).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600, "{:?} is for its owner only", file.path());
    }
}

#[test]
fn a_renewal_keeps_the_authority_while_it_can_vouch() {
    let home = tempfile::tempdir().unwrap();
    let store = TlsStore::new(home.path());
    let first = store.make("desk", &names(&["localhost", "192.168.1.20"]), now(), Imported::Keep).unwrap().certificate;
    let stamp = store.stamp();
    let renewed =
        store.make("desk", &names(&["localhost", "10.0.0.5", "nas.local"]), days(300), Imported::Keep).unwrap();
    assert!(!renewed.new_authority, "clients that trust it need not be touched for another private name");
    assert_eq!(renewed.certificate.authority, first.authority, "the same authority");
    assert_ne!(renewed.certificate.info.fingerprint, first.info.fingerprint, "another certificate");
    assert_ne!(store.stamp(), stamp, "a running instance notices");
    let public = store.make("desk", &names(&["desk.example.org"]), now(), Imported::Keep).unwrap();
    assert!(public.new_authority, "the old one must not be able to vouch for a public name");
    let late = store.make("desk", &names(&["localhost"]), days(3640), Imported::Keep).unwrap();
    assert!(late.new_authority, "an authority that ends before the certificate would make it worthless");
}

#[test]
fn of_certificates_made_at_once_the_last_is_vouched_for() {
    let home = tempfile::tempdir().unwrap();
    let store = TlsStore::new(home.path());
    std::thread::scope(|threads| {
        for number in 0..8 {
            let store = &store;
            // Each needs an authority of its own: none may vouch for the public name of another.
            let name = format!("desk{number}.example.org");
            threads.spawn(move || store.make("desk", &names(&[&name]), now(), Imported::Keep).unwrap());
        }
    });
    let last = store.load().unwrap().unwrap();
    let (authority, server) =
        [store.authority_file(), store.server_file()].map(|it| fs::read_to_string(it).unwrap()).into();
    let names: Vec<&str> = last.info.names.iter().map(String::as_str).collect();
    assert!(vouches(&authority, &server, &self::names(&names), now()), "clients trust the authority that is there");
}

#[test]
fn an_authority_without_its_key_is_replaced() {
    let home = tempfile::tempdir().unwrap();
    let store = TlsStore::new(home.path());
    store.make("desk", &names(&["localhost"]), now(), Imported::Keep).unwrap();
    private::replace(&store.authority_key_file(), &KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let again = store.make("desk", &names(&["localhost"]), now(), Imported::Keep).unwrap();
    assert!(again.new_authority, "a crash between the two files must not end in a certificate that nobody accepts");
}

#[test]
fn a_readable_key_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let store = TlsStore::new(home.path());
    store.make("desk", &names(&["localhost"]), now(), Imported::Keep).unwrap();
    fs::set_permissions(store.server_file(), fs::Permissions::from_mode(0o644)).unwrap();
    let refused = Problem::from(store.load().unwrap_err()).to_string();
    assert!(refused.contains("chmod 600"), "the remedy: {refused}");
}

#[test]
fn an_imported_pair_is_taken_over_whatever_stands_around_it() {
    let foreign = Foreign::new();
    let (certificate, key) = foreign.leaf(|_| ());
    let chain = format!("Bag Attributes: none\n{certificate}\nissuer:\n{}", foreign.issuer.pem());
    let imported = foreign.import(&chain, &key).unwrap();
    assert_eq!(imported.info.issuer, "Example CA", "what was imported is what is used");
    assert_eq!(imported.authority, None, "it was not issued here");
    let text = fs::read_to_string(foreign.store().server_file()).unwrap();
    assert!(!text.contains("Bag"), "only the PEM sections are kept: {text}");
    assert_eq!(text.matches("-----BEGIN CERTIFICATE-----").count(), 2, "the chain is kept");
    let both = format!("{key}{certificate}");
    foreign.import(&both, &both).expect("one file with both is as good");
}

#[test]
fn what_does_not_fit_is_named_with_the_remedy() {
    let foreign = Foreign::new();
    let (certificate, key) = foreign.leaf(|_| ());
    let (other, other_key) = foreign.leaf(|_| ());
    let issuer = foreign.issuer.pem();
    let expired = foreign.leaf(|params| params.not_after = rcgen::date_time_ymd(2020, 1, 2));
    let early = foreign.leaf(|params| params.not_before = rcgen::date_time_ymd(2090, 1, 2));
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let older = key.replacen("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,88\n\n", 1);
    let cut = &certificate[..certificate.len() - 40];
    let broken = certificate.replace("MII", "AAA");
    let cases = [
        (&*certificate, &*other_key, "does not belong to the certificate of studio.lan", "openssl pkey -pubout"),
        (&*format!("{issuer}{certificate}"), &key, "does not belong to", "belongs to certificate 2"),
        (&*format!("{certificate}{other}"), &key, "Certificate 2 is of studio.lan", "issued by Example CA"),
        (&key, &certificate, "cert.pem holds no certificate", "name the certificate first, then the key"),
        (&certificate, &certificate, "key.pem holds no private key", "name the certificate first"),
        ("", &key, "cert.pem holds no certificate", "BEGIN CERTIFICATE"),
        (&certificate, &encrypted, "key.pem is encrypted", "openssl pkey -in"),
        (&certificate, &older, "key.pem is encrypted", "openssl pkey -in"),
        (&expired.0, &expired.1, "ended at 2020-01-02", "tls make"),
        (&early.0, &early.1, "starts at 2090-01-02", "timedatectl"),
        (cut, &key, "its -----END line is missing", "Export it again"),
        (&broken, &key, "Certificate 1 in", "Export it again"),
    ];
    let missing = Problem::from(PemText::read(Path::new("studio.pem")).map(drop).unwrap_err()).to_string();
    assert!(missing.starts_with("studio.pem cannot be read"), "a file is called as a person calls it: {missing}");
    let good = foreign.import(&certificate, &key).unwrap();
    for (certificate, key, fault, remedy) in cases {
        let refused = foreign.import(certificate, key).map(|taken| taken.info).unwrap_err();
        assert!(refused.contains(fault), "{fault:?} is the fault: {refused}");
        assert!(refused.contains(remedy), "{remedy:?} is the way out: {refused}");
        let kept = foreign.store().load().unwrap().unwrap();
        assert_eq!(kept.info, good.info, "a refused import leaves the old certificate in place");
    }
}

#[test]
fn a_wildcard_covers_one_label() {
    let foreign = Foreign::new();
    let name = rcgen::SanType::DnsName("*.studio.lan".try_into().unwrap());
    let (certificate, key) = foreign.leaf(|params| params.subject_alt_names = vec![name]);
    let info = foreign.import(&certificate, &key).unwrap().info;
    for (name, expected) in
        [("a.studio.lan", true), ("A.Studio.LAN", true), ("studio.lan", false), ("a.b.studio.lan", false)]
    {
        assert_eq!(info.covers(&names(&[name])[0]), expected, "{name}");
    }
}

#[test]
fn an_imported_certificate_is_replaced_only_when_asked_for() {
    let foreign = Foreign::new();
    let (certificate, key) = foreign.leaf(|_| ());
    let (store, wanted) = (foreign.store(), names(&["localhost"]));
    store.make("desk", &wanted, now(), Imported::Keep).expect("there is nothing to lose yet");
    let imported = foreign.import(&certificate, &key).unwrap().info;
    let refused = Problem::from(store.make("desk", &wanted, now(), Imported::Keep).map(drop).unwrap_err()).to_string();
    assert!(refused.contains("studio.lan was imported") && refused.contains("--force"), "with the way out: {refused}");
    assert_eq!(store.load().unwrap().unwrap().info, imported, "the key of somebody else cannot be made again");
    store.make("desk", &wanted, now(), Imported::Replace).expect("when a person asks for it");
    store.make("desk", &wanted, now(), Imported::Keep).expect("one of our own is renewed without a question");
    store.remove().unwrap();
    assert!(
        store.load().unwrap().is_none() && store.authority_file().is_file(),
        "clients go on trusting the authority"
    );
    store.remove().expect("what is gone needs no removal");
}
