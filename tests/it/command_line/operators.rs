//! What operators and admins do, from an empty gateway to an agent at work.

use portcullis_tests::{LinearVersion, Served, TestHost, canary, plugins_directory};
use serde_json::{Value, json};

use super::terminal::Terminal;

/// What must not be printed by anything.
const CANARY: &str = canary!("lin_api_");

#[tokio::test]
async fn an_operator_sets_up_an_organization() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut operator = Terminal::operator(&served);
    let org = operator
        .types(&["org", "create", "umbra", "--name", "Umbra"])
        .await;
    assert_eq!(org.assert_exit(0).id(), "umbra");
    let again = operator
        .types(&["org", "create", "umbra", "--name", "Umbra"])
        .await;
    again.assert_exit(7).assert_told(&["exists already"]);
    let orgs = operator.types(&["org", "list"]).await;
    assert_eq!(orgs.json()["orgs"].as_array().unwrap().len(), 2);

    for (user, role) in [("ada", "admin"), ("max", "member")] {
        let set = ["org", "members", "set", user, role, "--org", "umbra"];
        assert_eq!(
            operator.types(&set).await.assert_exit(0).json()["role"],
            role
        );
    }
    let remove = ["org", "members", "remove", "max", "--org", "umbra"];
    assert_eq!(operator.types(&remove).await.assert_exit(0).stdout, "");
    let token = operator
        .types(&["token", "user", "--org", "umbra", "--user", "ada"])
        .await;

    // From here on the admin works, whose token says which organization.
    let mut admin = Terminal::with_token(&served, token.assert_exit(0).stdout.trim()).watched();
    let members = admin.types(&["org", "members", "list"]).await;
    assert!(members.assert_exit(0).stdout.contains("ada"), "{members:?}");
    assert!(!members.stdout.contains("max"), "{members:?}");
    let orgs = admin.types(&["org", "list"]).await;
    orgs.assert_exit(8)
        .assert_told(&["PORTCULLIS_OPERATOR_KEY"]);
    let elsewhere = admin.types(&["session", "list", "--org", "acme"]).await;
    elsewhere.assert_exit(7);
}

#[tokio::test]
async fn an_agent_works_with_what_the_operator_made() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut operator = Terminal::operator(&served);
    let base_url = format!("api={}", host.upstreams.linear.url());
    let create = [
        "connection",
        "create",
        "--org",
        "acme",
        "--provider",
        "linear",
    ];
    let create = [&create[..], &["--base-url", &base_url]].concat();
    operator = operator.piping(concat!(canary!("lin_api_wrong_"), "\n"));
    let connection = operator.types(&create).await;
    let connection = connection.assert_exit(0).id();

    let session = ["session", "create", "--org", "acme", "--title", "Cli"];
    let session = [&session[..], &["--connection", &connection]].concat();
    let session = operator.types(&session).await.assert_exit(0).id();
    let token = operator
        .types(&["token", "sandbox", "--session", &session])
        .await;
    let token = token.assert_exit(0).stdout.trim_end().to_owned();
    assert!(!token.contains(['{', '\n']), "{token}");

    let mut agent = Terminal::with_token(&served, &token);
    let run = [
        "actions",
        "run",
        "--integration",
        "linear",
        "--action",
        "list_issues",
    ];
    agent.types(&run).await.assert_exit(6);
    // The operator's own, and not the gateway's.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token.txt");
    std::fs::write(&file, portcullis_tests::LINEAR_TOKEN).unwrap();
    let file = file.to_str().unwrap();
    let rotate = [
        "connection",
        "rotate",
        &connection,
        "--org",
        "acme",
        "--token-file",
        file,
    ];
    assert_eq!(
        operator.types(&rotate).await.assert_exit(0).json()["version"],
        2
    );
    agent.types(&run).await.assert_exit(0);

    let list = operator
        .types(&["invocations", "list", "--org", "acme"])
        .await;
    assert_eq!(
        list.assert_exit(0).json()["invocations"][0]["sessionTitle"],
        "Cli"
    );
    let close = ["session", "close", &session, "--org", "acme"];
    assert!(operator.types(&close).await.json()["closedAt"].is_string());
    let closed = agent.types(&run).await;
    closed.assert_exit(7).assert_told(&["closed"]);
    let remove = ["connection", "remove", &connection, "--org", "acme"];
    operator.types(&remove).await.assert_exit(0);
    let list = operator
        .types(&["connection", "list", "--org", "acme"])
        .await;
    assert!(!list.assert_exit(0).stdout.contains(&connection));
}

#[tokio::test]
async fn a_session_without_connections_is_legal_and_odd() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut operator = Terminal::operator(&served).watched();
    let create = ["session", "create", "--org", "acme"];
    let ended = operator.types(&create).await;
    ended
        .assert_exit(0)
        .assert_told(&["warning: the session can use no connection"]);
    let next = "portcullis token sandbox --session ";
    assert!(ended.stdout.contains(next), "{ended:?}");
    let create = [&create[..], &["--connection", &host.connection_id]].concat();
    assert_eq!(operator.types(&create).await.assert_exit(0).stderr, "");
}

#[tokio::test]
async fn a_credential_is_read_and_never_shown() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let create = [
        "connection",
        "create",
        "--org",
        "acme",
        "--provider",
        "linear",
    ];
    for extra in [
        &[][..],
        &["--json"],
        &["--user", "ada"],
        &["--base-url", "nothing=x:"],
    ] {
        for watched in [false, true] {
            let mut operator = Terminal::operator(&served).piping(CANARY);
            operator.watched_by_a_person = watched;
            let ended = operator.types(&[&create, extra].concat()).await;
            assert!(!format!("{ended:?}").contains("canary"), "{ended:?}");
        }
    }
    let mut operator = Terminal::operator(&served);
    let empty = operator.types(&create).await;
    empty
        .assert_exit(2)
        .assert_told(&["the token is empty", "--token-file"]);
    let missing = operator
        .types(&[&create[..], &["--token-file", "/nothing"]].concat())
        .await;
    missing
        .assert_exit(2)
        .assert_told(&["/nothing cannot be read"]);
    let argument = operator
        .types(&[&create[..], &["--token", CANARY]].concat())
        .await;
    argument.assert_exit(2);
}

#[tokio::test]
async fn modes_are_set_listed_and_unset() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut admin = Terminal::with_token(&served, &host.admin_token);
    let create = ["automation", "create", "--name", "Nightly"];
    let automation = admin.types(&create).await.assert_exit(0).id();
    let list = admin.types(&["automation", "list"]).await;
    assert_eq!(list.json()["automations"][0]["id"], automation);
    for scope in [&[][..], &["--automation", &automation]] {
        let set = ["mode", "set", "linear.create_issue", "allow"];
        let set = admin.types(&[&set, scope].concat()).await;
        assert_eq!(set.assert_exit(0).json()["mode"], "allow");
        assert_eq!(set.stderr, "");
        let listed = admin.types(&[&["mode", "list"], scope].concat()).await;
        assert_eq!(listed.json()["modes"][0]["actionId"], "create_issue");
        let unset = ["mode", "set", "linear.create_issue", "unset"];
        admin.types(&[&unset, scope].concat()).await.assert_exit(0);
        let listed = admin.types(&[&["mode", "list"], scope].concat()).await;
        assert_eq!(listed.json(), json!({ "modes": [] }));
    }
    let catalog = host.agent("GET", "/available", Value::Null).await;
    let shown = catalog.json["actions"][2]["digest"].as_str().unwrap();
    let set = ["mode", "set", "linear.create_issue"];
    let with = |mode, digest| [&set[..], &[mode, "--digest", digest]].concat();
    let seen = admin.types(&with("allow", shown)).await;
    assert_eq!(seen.assert_exit(0).json()["digest"], shown);
    let stale = format!("sha256:{}", "0".repeat(64));
    let stale = admin.types(&with("allow", &stale)).await;
    stale.assert_exit(7).assert_told(&["look at it again"]);
    admin.types(&with("unset", shown)).await.assert_exit(2);
    let typo = admin
        .types(&["mode", "set", "linear.creat_issue", "deny"])
        .await;
    typo.assert_exit(0)
        .assert_told(&["warning: no source has this action"]);
    admin
        .types(&["mode", "set", "create_issue", "deny"])
        .await
        .assert_exit(2);
}

#[tokio::test]
async fn drift_shows_where_modes_are_listed() {
    let host = TestHost::start().await;
    host.set_mode("create_issue", "allow").await;
    let host = host.restart_serving(LinearVersion::OtherParams).await;
    let served = Served::start(&host).await;
    let mut admin = Terminal::with_token(&served, &host.admin_token).watched();
    let modes = admin.types(&["mode", "list"]).await;
    let header = modes.assert_exit(0).stdout.lines().next().unwrap();
    assert!(header.ends_with("DRIFTED"), "{modes:?}");
    let row = modes.stdout.lines().nth(1).unwrap();
    assert!(row.contains("allow") && row.ends_with("true"), "{row}");
    let mut agent = Terminal::with_token(&served, &host.sandbox_token).watched();
    let actions = agent.types(&["actions", "list"]).await;
    let shown = &actions.assert_exit(0).stdout;
    assert!(shown.contains("require_approval (drifted)"), "{shown}");
}

#[tokio::test]
async fn grants_and_plugins_are_the_operators() {
    let host = TestHost::builder().set("plugins.require_signed", "none");
    let host = host.start().await;
    let served = Served::start(&host).await;
    let mut operator = Terminal::operator(&served);
    let grant = operator
        .types(&["egress", "grant", "http://10.1.2.3:8080"])
        .await;
    let id = grant.assert_exit(0).id();
    let list = operator.types(&["egress", "list"]).await;
    assert!(list.stdout.contains("http://10.1.2.3:8080"), "{list:?}");
    operator
        .types(&["egress", "revoke", &id])
        .await
        .assert_exit(0);
    let list = operator.types(&["egress", "list"]).await;
    assert!(!list.stdout.contains("http://10.1.2.3:8080"), "{list:?}");

    let mut watching = Terminal::operator(&served).watched();
    let file = plugins_directory().join("linear.wasm");
    let install = ["plugin", "install", file.to_str().unwrap()];
    operator.types(&install).await.assert_exit(0);
    let plugins = watching.types(&["plugin", "list"]).await;
    let text = &plugins.assert_exit(0).stdout;
    assert!(
        text.contains("call https://api.linear.app POST /graphql"),
        "{text}"
    );
    let token = watching
        .types(&["token", "sandbox", "--session", &host.session_id])
        .await;
    assert!(
        token.assert_exit(0).stdout.contains("It works until 20"),
        "{token:?}"
    );
}
