//! DNS at the attacker's liking.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Gives one answer after the other, and the last one for ever.
struct Changing {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Changing {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |text: &&str| text.parse().unwrap();
        let answers = answers.iter().rev();
        Arc::new(Self {
            answers: Mutex::new(answers.map(|a| a.iter().map(parse).collect()).collect()),
            asked: AtomicUsize::new(0),
        })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Resolve for Changing {
    async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let last = answers.last().cloned().unwrap();
        if answers.len() > 1 {
            answers.pop();
        }
        Ok(last)
    }
}

fn resolved_by(resolver: &Arc<Changing>, base: String) -> Setup {
    let mut setup = Setup::granted(base);
    setup.resolver = Arc::clone(resolver) as _;
    setup
}

/// The name is asked for once, and what was checked is what is connected to: a
/// second answer, as rebinding gives it, is never heard.
#[tokio::test]
async fn an_answer_that_changes_after_the_check_is_never_heard() {
    let attacker = Attacker::saying(ok("", b"here")).await;
    let elsewhere = Untouched::at("127.0.0.2", attacker.port());
    let resolver = Changing::new(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let base = format!("http://changing.test:{}", attacker.port());
    let response = resolved_by(&resolver, base).get().await.unwrap();
    assert_eq!(
        (response.body.as_slice(), resolver.asked()),
        (&b"here"[..], 1)
    );
    elsewhere.assert_untouched();
}

/// The other way round, without a grant: what changes to a private address is
/// refused by the answer that is connected to.
#[tokio::test]
async fn each_connection_is_checked_by_its_own_answer() {
    let listener = Untouched::new();
    let resolver = Changing::new(&[
        &["127.0.0.1"],
        &["1.1.1.1", "127.0.0.1"],
        &["::ffff:127.0.0.1"],
    ]);
    let mut setup = Setup::new(format!("https://changing.test:{}", listener.port()));
    setup.resolver = Arc::clone(&resolver) as _;
    let egress = setup.egress();
    for asked in 1..=3 {
        let outcome = Outcome::from(egress.send(get("/x"), far()).await);
        assert_eq!(outcome, unsent(HttpErrorKind::Denied));
        assert_eq!(resolver.asked(), asked);
    }
    listener.assert_untouched();
}

#[tokio::test]
async fn every_way_to_write_a_private_address_is_refused() {
    let listener = Untouched::new();
    let addresses = [
        "127.0.0.1",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b:1::127.0.0.1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "fd00:ec2::254",
        "fe80::1",
        "ff02::1",
    ];
    let answers = addresses.map(|address| {
        [
            vec![address],
            vec!["1.1.1.1", address],
            vec![address, "1.1.1.1"],
        ]
    });
    let answers: Vec<_> = answers.iter().flatten().map(Vec::as_slice).collect();
    let resolver = Changing::new(&answers);
    let mut setup = Setup::new(format!("https://host.test:{}", listener.port()));
    setup.resolver = Arc::clone(&resolver) as _;
    let egress = setup.egress();
    for answer in answers {
        let outcome = Outcome::from(egress.send(get("/x"), far()).await);
        assert_eq!(outcome, unsent(HttpErrorKind::Denied), "{answer:?}");
    }
    listener.assert_untouched();
}

fn many(count: u8) -> Vec<String> {
    (0..count).map(|i| format!("127.1.1.{i}")).collect()
}

/// Each address is a connection that the upstream makes us try, at whomever it
/// likes. The one that would answer comes after those that are tried.
#[tokio::test]
async fn only_the_first_addresses_are_tried() {
    let attacker = Attacker::saying(ok("", b"here")).await;
    for (before, expected) in [
        (15, Ok(b"here".to_vec())),
        (16, Err((HttpErrorKind::Connect, false))),
        (255, Err((HttpErrorKind::Connect, false))),
    ] {
        let mut addresses = many(before);
        addresses.push("127.0.0.1".to_owned());
        let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
        let base = format!("http://many.test:{}", attacker.port());
        let setup = Setup::granted(base).resolving("many.test", &addresses);
        let outcome = setup.get().await.map(|response| response.body);
        let outcome = outcome.map_err(|error| (error.kind, error.request_sent));
        assert_eq!(outcome, expected, "{before} before it");
    }
}

#[tokio::test]
async fn a_private_address_behind_thousands_of_others_spoils_the_answer() {
    let public = (0..5000_u32).map(|i| std::net::Ipv4Addr::from(0x0808_0000 + i).to_string());
    let addresses: Vec<_> = public.chain(["10.0.0.1".to_owned()]).collect();
    let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
    let setup = Setup::new("https://many.test").resolving("many.test", &addresses);
    assert_eq!(setup.failure().await, (HttpErrorKind::Denied, false));
}
