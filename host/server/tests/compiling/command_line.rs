//! `portcullis cache`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::PORTCULLIS;

/// The folder that `cargo xtask test` fills.
const PLUGINS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/plugins");

/// A gateway's configuration, with a cache.
struct Setup {
    folder: TempDir,
    master_key: String,
}

impl Setup {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            master_key: "ab".repeat(32),
        }
    }

    fn directory(&self) -> PathBuf {
        self.folder.path().join("compiled")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(PORTCULLIS)
            .args(arguments)
            .arg("--json")
            .env_clear()
            .env("PORTCULLIS__AUTH__OPERATOR_KEY", "o".repeat(32))
            .env("PORTCULLIS__AUTH__TOKEN_SECRET", "t".repeat(32))
            .env("PORTCULLIS__SECRETS__MASTER_KEY", &self.master_key)
            .env("PORTCULLIS__PLUGINS__CACHE_DIRECTORY", self.directory())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// The conditions of all files, and the exit code.
    fn verify(&self) -> (Vec<String>, i32) {
        let output = self.run(&["cache", "verify"]);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let files = document["files"].as_array().unwrap();
        let conditions = files.iter().map(|file| {
            let engine = file["engine"].as_str().unwrap();
            format!("{engine} {}", file["condition"].as_str().unwrap())
        });
        (conditions.collect(), output.status.code().unwrap())
    }

    /// Starts a gateway with one plugin, and stops it when it serves.
    fn serve(&self) {
        let plugins = self.folder.path().join("plugins");
        fs::create_dir_all(&plugins).unwrap();
        let linear = Path::new(PLUGINS).join("linear.wasm");
        fs::copy(&linear, plugins.join("linear.wasm"))
            .unwrap_or_else(|error| panic!("{error}; run `cargo xtask plugins` first"));
        let mut gateway = Command::new(PORTCULLIS)
            .args(["serve", "--listen", "127.0.0.1:0", "--plugins"])
            .arg(&plugins)
            .args(["--storage", "sqlite:portcullis.db"])
            .env_clear()
            .env("PORTCULLIS__AUTH__OPERATOR_KEY", "o".repeat(32))
            .env("PORTCULLIS__AUTH__TOKEN_SECRET", "t".repeat(32))
            .env("PORTCULLIS__SECRETS__MASTER_KEY", &self.master_key)
            .env("PORTCULLIS__PLUGINS__CACHE_DIRECTORY", self.directory())
            .env("PORTCULLIS__LOG__FORMAT", "text")
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = std::io::BufReader::new(gateway.stderr.take().unwrap());
        let mut lines = std::io::BufRead::lines(log).map(Result::unwrap);
        assert!(lines.any(|line| line.contains("portcullis listens")));
        gateway.kill().unwrap();
        gateway.wait().unwrap();
    }
}

#[test]
fn what_a_gateway_keeps_is_verified_and_cleared() {
    let setup = Setup::new();
    assert_eq!(setup.verify(), (vec![], 0));
    setup.serve();
    assert_eq!(setup.verify(), (vec!["current ok".to_owned()], 0));
    setup.serve();
    assert_eq!(setup.verify(), (vec!["current ok".to_owned()], 0));

    let mut entries = fs::read_dir(setup.directory()).unwrap();
    let file = entries.next().unwrap().unwrap().path();
    let whole = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    for (bytes, condition) in [
        (changed.as_slice(), "current tampered"),
        (&whole[..whole.len() / 2], "current truncated"),
        (b"nonsense", "? tampered"),
    ] {
        fs::write(&file, bytes).unwrap();
        assert_eq!(setup.verify(), (vec![condition.to_owned()], 1));
    }
    fs::write(&file, &whole).unwrap();
    let other = Setup {
        folder: setup.folder,
        master_key: "cd".repeat(32),
    };
    let condition = "current other master key".to_owned();
    assert_eq!(other.verify(), (vec![condition], 0));

    let output = other.run(&["cache", "clear"]);
    let cleared: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(cleared["files"], 1);
    assert_eq!(cleared["bytes"], whole.len());
    assert_eq!(other.verify(), (vec![], 0));
}

#[test]
fn a_directory_that_others_may_enter_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let setup = Setup::new();
    fs::create_dir(setup.directory()).unwrap();
    fs::set_permissions(setup.directory(), fs::Permissions::from_mode(0o755)).unwrap();
    for act in ["verify", "clear"] {
        let output = setup.run(&["cache", act]);
        assert_eq!(output.status.code(), Some(1));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("chmod 700"), "{told}");
    }
}
