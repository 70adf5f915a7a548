//! Help, completions, and command lines that are wrong.

use portcullis::cli;

use super::terminal::Terminal;

/// Every command below the first, by the words that are typed.
fn commands() -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![(Vec::new(), cli::command())];
    while let Some((words, command)) = open.pop() {
        for below in command.get_subcommands() {
            let mut words: Vec<String> = words.clone();
            words.push(below.get_name().to_owned());
            open.push((words, below.clone()));
        }
        found.push(words);
    }
    found
}

#[tokio::test]
async fn every_command_teaches_by_example() {
    let commands = commands();
    assert!(commands.len() > 45, "{}", commands.len());
    for words in commands {
        let mut arguments: Vec<_> = words.iter().map(String::as_str).collect();
        arguments.push("--help");
        let help = Terminal::new().types(&arguments).await;
        let (_, example) = help
            .assert_exit(0)
            .stdout
            .split_once("\nExample")
            .unwrap_or_else(|| panic!("no example: {help:?}"));
        let line = format!("portcullis {}", words.join(" "));
        assert!(example.contains(line.trim_end()), "no `{line}`: {help:?}");
    }
}

#[tokio::test]
async fn exit_codes_are_documented_where_they_are_met() {
    for arguments in [
        &["actions", "--help"][..],
        &["actions", "run", "--help"],
        &["approve", "--help"],
    ] {
        let help = Terminal::new().types(arguments).await;
        for line in ["3    denied", "4    pending", "5    expired", "6    failed"] {
            assert!(help.stdout.contains(line), "{help:?}");
        }
    }
}

#[tokio::test]
async fn nothing_typed_is_answered_with_help() {
    for arguments in [&[][..], &["org"], &["org", "members"]] {
        let ended = Terminal::new().types(arguments).await;
        assert_eq!(ended.assert_exit(2).stdout, "");
        ended.assert_told(&["Usage: portcullis", "\nExamples:\n"]);
        assert!(!ended.stderr.contains("error:"), "{ended:?}");
    }
}

#[tokio::test]
async fn what_most_commands_take_stands_below_what_is_their_own() {
    let help = Terminal::new()
        .types(&["session", "create", "--help"])
        .await;
    let (own, common) = help.stdout.split_once("\nCommon options:\n").unwrap();
    assert!(
        own.contains("--title") && common.contains("--org"),
        "{help:?}"
    );
}

#[tokio::test]
async fn shells_get_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = Terminal::new().types(&["completions", shell]).await;
        let text = &script.assert_exit(0).stdout;
        for word in [
            "portcullis",
            "connection",
            "rotate",
            "idempotency-key",
            "inbox",
            "approve",
        ] {
            assert!(text.contains(word), "{shell}: no {word}");
        }
    }
}

#[tokio::test]
async fn a_wrong_command_line_ends_with_2_and_a_suggestion() {
    let ended = Terminal::new().types(&["actoins", "list"]).await;
    ended.assert_exit(2).assert_told(&["'actions'"]);
    assert_eq!(ended.stdout, "");
    let json = Terminal::new().types(&["actions", "lst", "--json"]).await;
    let error: serde_json::Value = serde_json::from_str(&json.assert_exit(2).stderr).unwrap();
    assert_eq!(error["error"]["code"], "usage");
    let version = Terminal::new().types(&["--version"]).await;
    assert!(version.assert_exit(0).stdout.starts_with("portcullis "));
}
