//! What is taken over from a kubeconfig, and what is refused, by which word.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::format_push_string,
    reason = "a test that cannot be set up fails"
)]

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use fleet::RefusalReason::{self, *};
use fleet::kubeconfig::{Access, LARGEST};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};

/// The parts of a kubeconfig, as flow mappings.
struct Parts {
    top: String,
    context: String,
    cluster: String,
    user: String,
}

fn good() -> Parts {
    Parts {
        top: "kind: Config".into(),
        context: "cluster: c, user: u".into(),
        cluster: "server: 'https://10.0.0.1:6443'".into(),
        user: "token: tok".into(),
    }
}

impl Parts {
    fn text(&self) -> String {
        format!(
            "{}\ncontexts: [{{name: east, context: {{{}}}}}]\nclusters: [{{name: c, cluster: {{{}}}}}]\nusers: [{{name: u, user: {{{}}}}}]\n",
            self.top, self.context, self.cluster, self.user
        )
    }

    fn parse(&self) -> Result<Access, fleet::Refusal> {
        Access::parse(self.text().as_bytes(), "east")
    }
}

#[track_caller]
fn refused(text: &str, reason: RefusalReason, named: &str) {
    let refusal = Access::parse(text.as_bytes(), "east").expect_err(text);
    assert_eq!(refusal.reason, reason, "{}", refusal.message);
    assert!(
        refusal.message.contains(named),
        "{named} is not in: {}",
        refusal.message
    );
    assert!(refusal.message.len() < 500, "{}", refusal.message);
    assert!(!refusal.message.contains("hunter2"), "{}", refusal.message);
}

/// A certificate that ends on 2031-02-03, with its key, both base64 of PEM.
fn client_certificate() -> (String, String, Vec<u8>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["client".to_owned()]).unwrap();
    params.not_after = date_time_ymd(2031, 2, 3);
    let certificate = params.self_signed(&key).unwrap();
    (
        STANDARD.encode(certificate.pem()),
        STANDARD.encode(key.serialize_pem()),
        certificate.der().to_vec(),
    )
}

#[test]
fn what_is_on_the_list_is_taken_over() {
    let (certificate, key, _) = client_certificate();
    let mut parts = good();
    parts.top = "apiVersion: v1\nkind: Config\ncurrent-context: other\npreferences: {}".into();
    parts.context += ", namespace: db, extensions: [{name: x}]";
    parts.cluster = format!(
        "server: 'https://gate.test/k8s/c1', certificate-authority-data: {certificate}, tls-server-name: api.test, insecure-skip-tls-verify: false"
    );
    parts.user =
        format!("token: tok, client-certificate-data: {certificate}, client-key-data: {key}, exec: null");
    let access = parts.parse().unwrap();
    assert_eq!(access.server.to_string(), "https://gate.test/k8s/c1");
    assert_eq!(access.tls_server_name.as_deref(), Some("api.test"));
    assert_eq!(access.authorities.as_ref().map(Vec::len), Some(1));
    assert!(access.token.is_some() && access.identity.is_some());
    assert_eq!(access.expires.unwrap().to_string(), "2031-02-03T00:00:00Z");
    assert_eq!(access.host(), "gate.test");
}

#[test]
fn json_and_system_authorities_are_fine() {
    let text = r#"{"contexts":[{"name":"east","context":{"cluster":"c","user":"u"}}],
        "clusters":[{"name":"c","cluster":{"server":"https://10.0.0.1:6443"}}],
        "users":[{"name":"u","user":{"token":"tok"}}]}"#;
    let access = Access::parse(text.as_bytes(), "east").unwrap();
    assert!(access.authorities.is_none() && access.expires.is_none());
}

#[test]
fn every_way_around_the_list_is_refused_by_name() {
    for (field, reason) in [
        ("exec: {command: sh, args: [hunter2]}", ExecRefused),
        (
            "auth-provider: {name: gcp, config: {cmd-path: /bin/sh}}",
            AuthProviderRefused,
        ),
        ("auth-provider: {name: oidc}", AuthProviderRefused),
        (
            "tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token",
            FilePathRefused,
        ),
        ("client-certificate: ../../etc/passwd", FilePathRefused),
        ("client-key: /dev/zero", FilePathRefused),
        ("as: system:admin", ImpersonationRefused),
        ("as: ''", ImpersonationRefused),
        ("as-uid: u", ImpersonationRefused),
        ("as-groups: ['system:masters']", ImpersonationRefused),
        ("as-user-extra: {a: [b]}", ImpersonationRefused),
        ("impersonate-user: x", ImpersonationRefused),
        ("username: admin", PasswordRefused),
        ("password: hunter2", PasswordRefused),
        ("shiny: hunter2", FieldUnknown),
    ] {
        let mut parts = good();
        parts.user = format!("token: hunter2, {field}");
        let name = field.split(':').next().unwrap();
        refused(&parts.text(), reason, &format!("users[u].user.{name}"));
    }
    for (field, reason) in [
        ("certificate-authority: /etc/passwd", FilePathRefused),
        ("insecure-skip-tls-verify: true", InsecureSkipVerifyRefused),
        ("proxy-url: 'socks5://user:hunter2@10.0.0.9'", ProxyRefused),
        ("shiny: true", FieldUnknown),
    ] {
        let mut parts = good();
        parts.cluster += &format!(", {field}");
        let name = field.split(':').next().unwrap();
        refused(&parts.text(), reason, &format!("clusters[c].cluster.{name}"));
    }
    let mut parts = good();
    parts.top += "\nexec: {command: sh}";
    refused(&parts.text(), ExecRefused, "the kubeconfig.exec");
}

#[test]
fn a_user_that_nobody_picks_is_refused_too() {
    let text = good()
        .text()
        .replace("users: [", "users: [{name: other, user: {exec: {command: sh}}}, ");
    refused(&text, ExecRefused, "users[other].user.exec");
}

#[test]
fn a_path_of_a_file_is_refused_alike_whether_the_file_is_there_or_not() {
    let of = |path: &str| {
        let mut parts = good();
        parts.cluster += &format!(", certificate-authority: {path}");
        parts.parse().unwrap_err()
    };
    assert_eq!(of("/etc/passwd"), of("/there/is/no/such/file"));
}

#[test]
fn what_is_no_kubeconfig_is_unreadable_and_not_repeated() {
    for text in [
        "[a, list]",
        "just hunter2",
        "",
        "a: b: hunter2: [",
        "kind: Pod",
        "kind: Config\n---\nkind: Config\n",
        "contexts: []\ncontexts: []\n",
        "users: hunter2",
        "users: [hunter2]",
        "users: [{name: 12, user: {}}]",
        "users: [{name: \"a\\nb\", user: {}}]",
        "users: [{name: true, user: {}}]",
        "users: [{name: u, user: [hunter2]}]",
        "users: [{name: u, user: {token: 12345}}]",
        "users: [{name: u, user: {<<: {token: hunter2}}}]",
        "users: [{name: u, user: {token: !x hunter2}}]",
    ] {
        let refusal = Access::parse(text.as_bytes(), "east").expect_err(text);
        assert!(
            matches!(refusal.reason, KubeconfigUnreadable | FieldUnknown),
            "{text}: {refusal}"
        );
        assert!(!refusal.message.contains("hunter2"), "{text}: {refusal}");
    }
    for bytes in [&b"\xff\xfek\0i\0"[..], b"kind: \xc3\x28"] {
        assert_eq!(
            Access::parse(bytes, "east").unwrap_err().reason,
            KubeconfigUnreadable
        );
    }
}

#[test]
fn bombs_are_refused_quickly() {
    let begun = std::time::Instant::now();
    let large = format!("a: {}", " ".repeat(LARGEST));
    assert_eq!(
        Access::parse(large.as_bytes(), "east").unwrap_err().reason,
        KubeconfigTooLarge
    );
    let nested = "[".repeat(200_000);
    assert_eq!(
        Access::parse(nested.as_bytes(), "east").unwrap_err().reason,
        KubeconfigUnreadable
    );
    let mut aliases = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..10 {
        let former = level - 1;
        let refer = vec![format!("*a{former}"); 10].join(",");
        aliases += &format!("a{level}: &a{level} [{refer}]\n");
    }
    assert!(Access::parse(aliases.as_bytes(), "east").is_err());
    // A bomb that goes off takes hours; a busy machine makes seconds of less than one.
    assert!(
        begun.elapsed() < std::time::Duration::from_mins(1),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn names_must_be_there_and_be_one() {
    let text = good().text();
    let refusal = Access::parse(text.as_bytes(), "west").unwrap_err();
    assert_eq!(refusal.reason, ContextMissing);
    assert!(
        refusal.message.contains("west") && refusal.message.contains("east"),
        "{refusal}"
    );
    refused(
        &text.replace("cluster: c,", "cluster: d,"),
        ClusterMissing,
        "contexts[east].context.cluster",
    );
    refused(
        &text.replace("user: u}", "user: v}"),
        UserMissing,
        "contexts[east].context.user",
    );
    refused(
        &text.replace("users: [", "users: [{name: u, user: {token: b}}, "),
        NameAmbiguous,
        "users",
    );
}

#[test]
fn only_https_without_frills_is_a_server() {
    for (server, reason) in [
        ("http://10.0.0.1", PlainHttpRefused),
        ("ftp://10.0.0.1", ServerInvalid),
        ("10.0.0.1:6443", ServerInvalid),
        ("/var/run/api.sock", ServerInvalid),
        ("https://user:hunter2@10.0.0.1", ServerInvalid),
        ("https://10.0.0.1?a=b", ServerInvalid),
        ("https://10.0.0.1#a", ServerInvalid),
        ("https://10.0.0.1:0", ServerInvalid),
        ("https://10.0.0.1:99999", ServerInvalid),
        ("https://10.0.0.1:", ServerInvalid),
        ("", ServerInvalid),
    ] {
        let mut parts = good();
        parts.cluster = format!("server: '{server}'");
        refused(&parts.text(), reason, "clusters[c].cluster.server");
    }
    for server in [
        "https://10.0.0.1",
        "https://[::1]:6443",
        "https://[::1]",
        "https://a.test/path/",
    ] {
        let mut parts = good();
        parts.cluster = format!("server: '{server}'");
        assert!(parts.parse().is_ok(), "{server}");
    }
    let mut parts = good();
    parts.cluster += ", tls-server-name: a/b";
    refused(&parts.text(), ServerInvalid, "tls-server-name");
}

#[test]
fn credentials_must_be_usable() {
    let (certificate, key, der) = client_certificate();
    let (_, other_key, _) = client_certificate();
    let first_version = STANDARD.encode(pem("CERTIFICATE", &version_1(&der)));
    let with = |user: String| Parts { user, ..good() }.text();
    refused(&with(String::new()), CredentialsMissing, "users[u]");
    refused(&with("token: ''".into()), CredentialsMissing, "users[u]");
    refused(
        &with("token: \"hunter2\\n\"".into()),
        TokenUnusable,
        "users[u].user.token",
    );
    refused(
        &with("token: 'hünter2'".into()),
        TokenUnusable,
        "users[u].user.token",
    );
    refused(
        &with(format!("token: {}", "x".repeat(100_000))),
        TokenUnusable,
        "users[u].user.token",
    );
    for (user, says) in [
        (format!("client-certificate-data: {certificate}"), "only one"),
        (format!("client-key-data: {key}"), "only one"),
        (
            "client-certificate-data: '%%', client-key-data: aGk=".into(),
            "base64",
        ),
        (
            format!("client-certificate-data: {certificate}, client-key-data: aHVudGVyMg=="),
            "no key",
        ),
        (
            format!("client-certificate-data: aHVudGVyMg==, client-key-data: {key}"),
            "no certificate",
        ),
        (
            format!("client-certificate-data: {certificate}, client-key-data: {other_key}"),
            "do not belong together",
        ),
        (
            format!("client-certificate-data: {first_version}, client-key-data: {key}"),
            "X.509 version 1",
        ),
    ] {
        refused(&with(user), CertificateUnusable, says);
    }
}

#[test]
fn authorities_must_be_certificates() {
    let (_, key, _) = client_certificate();
    let broken = STANDARD.encode(pem("CERTIFICATE", b"no DER"));
    for (data, says) in [
        ("'%%'", "base64"),
        ("aGk=", "no certificate"),
        (&*key, "no certificate"),
        (&*broken, "cannot be read"),
    ] {
        let mut parts = good();
        parts.cluster += &format!(", certificate-authority-data: {data}");
        refused(&parts.text(), CertificateUnusable, says);
    }
}

#[test]
fn a_token_that_says_when_it_ends_is_believed() {
    let claims = URL_SAFE_NO_PAD.encode(r#"{"exp":1900000000,"sub":"x"}"#);
    let mut parts = good();
    parts.user = format!("token: head.{claims}.sign");
    assert_eq!(parts.parse().unwrap().expires.unwrap().as_second(), 1_900_000_000);
    for token in ["head.%%%.sign", "opaque", "a.eyJleHAiOiJ4In0.c"] {
        parts.user = format!("token: '{token}'");
        assert!(parts.parse().unwrap().expires.is_none(), "{token}");
    }
}

#[test]
fn nothing_printed_shows_a_secret() {
    let (certificate, key, _) = client_certificate();
    let mut parts = good();
    parts.user = format!("token: hunter2, client-certificate-data: {certificate}, client-key-data: {key}");
    let shown = format!("{:?}", parts.parse().unwrap());
    assert!(
        !shown.contains("hunter2") && !shown.contains("PRIVATE"),
        "{shown}"
    );
}

#[test]
fn mutated_kubeconfigs_never_panic() {
    let (certificate, key, _) = client_certificate();
    let mut parts = good();
    parts.user = format!("token: tok, client-certificate-data: {certificate}, client-key-data: {key}");
    let text = parts.text().into_bytes();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..5_000 {
        let mut mutated = text.clone();
        for _ in 0..3 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let [a, b, ..] = random.to_le_bytes();
            let at = usize::from(u16::from_le_bytes([a, b])) % mutated.len();
            mutated[at] = random.to_be_bytes()[0];
        }
        if let Ok(access) = Access::parse(&mutated, "east") {
            assert_eq!(access.server.scheme_str(), Some("https"));
        }
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        STANDARD.encode(der)
    )
}

/// The same certificate without version and extensions, as X.509 version 1 has none. Its signature is wrong then, but
/// nobody gets that far.
fn version_1(der: &[u8]) -> Vec<u8> {
    let (certificate, _) = split(der);
    let (body, after) = split(content(certificate));
    let mut kept = Vec::new();
    let mut rest = content(body);
    while !rest.is_empty() {
        let (one, next) = split(rest);
        if !matches!(one[0], 0xa0 | 0xa3) {
            kept.extend_from_slice(one);
        }
        rest = next;
    }
    wrap(&[wrap(&kept), after.to_vec()].concat())
}

/// One element with its header, and what follows it.
fn split(der: &[u8]) -> (&[u8], &[u8]) {
    der.split_at(header(der).0 + header(der).1)
}

fn content(element: &[u8]) -> &[u8] {
    &element[header(element).0..]
}

/// Length of the header, and of the content.
fn header(der: &[u8]) -> (usize, usize) {
    match der[1] {
        short @ 0..0x80 => (2, usize::from(short)),
        long => {
            let bytes = usize::from(long & 0x7f);
            (
                2 + bytes,
                der[2..2 + bytes]
                    .iter()
                    .fold(0, |length, byte| length << 8 | usize::from(*byte)),
            )
        }
    }
}

fn wrap(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[0x30, 0x82, length[0], length[1]], content].concat()
}
