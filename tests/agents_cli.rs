//! `tandem agent` as a process: agents as files and back, what is wrong with a file and where, and a switch that needs no word of a change.
#![allow(clippy::unwrap_used, missing_docs)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

mod support;

use support::{boot_in, fakes};

const ASHA: &str = r#"# An agent of Tandem: what was set of it. docs/settings.md explains each line; what is not here has its default.

[identity]
name = "Asha"

[script]
sales_script_text = """
Namaste from Acme!
Ask for the budget.
"""

[script.business_info]
company_name = "Acme"

[calling]
call_timeout = 40
"#;

/// `tandem agent …` in a folder, with an empty environment.
fn agent(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.arg("agent").args(arguments).current_dir(folder).env_clear();
    command
}

fn folder_with(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn stdout(output: &Output) -> &str {
    assert!(output.status.success(), "{}", stderr(output));
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_str(stdout(output)).unwrap()
}

#[test]
fn an_agent_is_made_changed_and_left_alone_by_its_file() {
    let folder = folder_with(&[("asha.toml", ASHA)]);
    let folder = folder.path();
    let planned = agent(folder, &["apply", "asha.toml", "--dry-run"]);
    assert!(stdout(&planned).starts_with("Asha would be created\n+ name: \"Asha\"\n"), "{}", stdout(&planned));
    assert_eq!(agent(folder, &["show", "Asha"]).status.code(), Some(1), "nothing was done");

    let made = agent(folder, &["apply", "asha.toml"]);
    assert_eq!(stdout(&made), "Asha was created: version 1 is live\n");
    assert!(
        stderr(&made).contains("+ business_info.company_name: \"Acme\""),
        "shown before it was done: {}",
        stderr(&made)
    );
    assert_eq!(stdout(&agent(folder, &["export", "asha"])), ASHA, "the same bytes");
    let again = json_of(&agent(folder, &["apply", "asha.toml", "--json"]));
    assert_eq!((&again[0]["outcome"], &again[0]["version"]), (&json!("unchanged"), &json!(1)));

    let changed =
        ASHA.replace("Ask for the budget.", "Ask for the place.").replace("call_timeout = 40", "call_timeout = 45");
    std::fs::write(folder.join("asha.toml"), &changed).unwrap();
    let planned = agent(folder, &["apply", "asha.toml", "--dry-run"]);
    let expected = "Asha would become version 2\n\
        ~ sales_script_text: 1 line added, 1 line removed\n     Namaste from Acme!\n    -Ask for the budget.\n    +Ask for the place.\n\
        ~ call_timeout: 40 -> 45\n";
    assert_eq!(stdout(&planned), expected);
    let applied = json_of(&agent(folder, &["apply", "asha.toml", "--json"]));
    assert_eq!(
        (&applied[0]["outcome"], &applied[0]["version"], &applied[0]["dry_run"]),
        (&json!("updated"), &json!(2), &json!(false))
    );
    let fields: Vec<&str> =
        applied[0]["differences"].as_array().unwrap().iter().map(|line| line["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["sales_script_text", "call_timeout"]);
    assert_eq!(stdout(&agent(folder, &["export", "Asha"])), changed);
}

#[test]
fn agents_are_listed_shown_and_written_as_files_that_make_them_again() {
    let folder = folder_with(&[("asha.toml", ASHA)]);
    let folder = folder.path();
    agent(folder, &["apply", "asha.toml"]);
    let listed = agent(folder, &["list"]);
    let names: Vec<&str> = stdout(&listed).lines().map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(names, ["name", "front-desk", "logistics", "assistant", "Asha"]);
    assert_eq!(json_of(&agent(folder, &["list", "--json"]))[3]["version"], 1);

    let shown = agent(folder, &["show", "4"]);
    assert!(stdout(&shown).starts_with("# agent 4, ") && stdout(&shown).ends_with(ASHA), "{}", stdout(&shown));
    let shown = json_of(&agent(folder, &["show", "asha", "--json"]));
    assert_eq!((&shown["call_timeout"], &shown["retention_days"]), (&json!(40), &json!(-1)), "defaults as well");

    let written = json_of(&agent(folder, &["export", "--all", "--to", "agents", "--json"]));
    assert_eq!(written.as_array().unwrap().len(), 4);
    assert_eq!(std::fs::read_to_string(folder.join("agents/Asha.toml")).unwrap(), ASHA);
    let elsewhere = ["apply", "agents/Asha.toml", "agents/front-desk.toml", "--data-dir", "elsewhere", "--json"];
    let again = json_of(&agent(folder, &elsewhere));
    let outcomes: Vec<&Value> = again.as_array().unwrap().iter().map(|applied| &applied["outcome"]).collect();
    assert_eq!(outcomes, ["created", "unchanged"], "on another database");
    assert_eq!(stdout(&agent(folder, &["export", "asha", "--data-dir", "elsewhere"])), ASHA);
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_nothing_is_applied() {
    let wrong = ASHA.replace("call_timeout = 40", "call_timeout = 4\neagernes = \"low\"");
    let nameless = ASHA.replace("name = \"Asha\"", "default_language = \"hi\"");
    let folder = folder_with(&[
        ("asha.toml", ASHA),
        ("wrong.toml", &wrong),
        ("none.toml", &nameless),
        ("torn.toml", "[identity\n"),
    ]);
    let folder = folder.path();
    let refused = |arguments: &[&str], words: &[&str]| {
        let output = agent(folder, &[&["apply"], arguments].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(output.stdout.is_empty());
        for words in words {
            assert!(stderr(&output).contains(words), "{words:?} is not in {}", stderr(&output));
        }
    };
    refused(
        &["asha.toml", "wrong.toml"],
        &["wrong.toml", "nothing was applied", "line 16: /calling/call_timeout", "line 17: /calling/eagernes"],
    );
    refused(&["none.toml"], &["line 3: /identity/name: is missing"]);
    refused(&["torn.toml"], &["torn.toml", "line 1, column"]);
    refused(&["gone.toml"], &["gone.toml", "tandem agent export"]);
    refused(&["asha.toml", "./asha.toml"], &["both describe agent \"Asha\""]);
    refused(&["asha.toml", "--agent", "nobody"], &["there is no agent \"nobody\"", "tandem agent list"]);
    refused(&["asha.toml", "none.toml", "--agent", "nobody"], &["takes one file: 2 were given"]);
    let listed = json_of(&agent(folder, &["list", "--json"]));
    assert_eq!(listed.as_array().unwrap().len(), 3, "{listed}");
    assert_eq!(agent(folder, &["apply"]).status.code(), Some(2));
    assert_eq!(agent(folder, &["export"]).status.code(), Some(2));
}

#[test]
fn an_agent_is_renamed_by_a_file_and_never_onto_another() {
    let folder = folder_with(&[("asha.toml", ASHA)]);
    let folder = folder.path();
    agent(folder, &["apply", "asha.toml"]);
    let renamed = ASHA.replace("\"Asha\"", "\"Meera\"");
    let mut piped = command(folder, &["apply", "-", "--agent", "asha", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    piped.stdin.take().unwrap().write_all(renamed.as_bytes()).unwrap();
    let applied = json_of(&piped.wait_with_output().unwrap());
    assert_eq!((&applied[0]["agent"], &applied[0]["version"]), (&json!("Meera"), &json!(2)));
    assert_eq!(agent(folder, &["show", "Asha"]).status.code(), Some(1));

    agent(folder, &["apply", "asha.toml"]);
    let taken = agent(folder, &["apply", "asha.toml", "--agent", "Meera"]);
    assert_eq!(taken.status.code(), Some(1));
    assert!(stderr(&taken).contains("another agent is called \"Asha\""), "{}", stderr(&taken));

    let needed = agent(folder, &["apply", "asha.toml", "--agent", "front-desk"]);
    assert_eq!(needed.status.code(), Some(1));
    assert!(
        stderr(&needed).contains("DEFAULT_AGENT names it"),
        "the server would not start again: {}",
        stderr(&needed)
    );
    assert!(agent(folder, &["show", "front-desk"]).status.success());
}

#[test]
fn help_has_examples() {
    let folder = folder_with(&[]);
    for (command, words) in [
        ("show", "tandem agent show front-desk"),
        ("export", "tandem agent export --all --to agents/"),
        ("apply", "tandem agent apply agents/*.toml --dry-run"),
    ] {
        let help = agent(folder.path(), &[command, "--help"]);
        assert!(stdout(&help).contains("Examples:") && stdout(&help).contains(words), "{command}");
    }
    assert!(agent(folder.path(), &["list", "--help"]).status.success());
}

/// The command line writes into the database of a switch that runs, which takes it from there, says so, and wrote down who did it.
#[tokio::test(flavor = "multi_thread")]
async fn a_running_switch_has_the_change_without_a_word() {
    let folder = folder_with(&[("asha.toml", ASHA)]);
    let here = folder.path().to_owned();
    let program = boot_in(folder, &[], fakes()).await.unwrap();
    let applied = tokio::task::spawn_blocking(move || json_of(&agent(&here, &["apply", "asha.toml", "--json"])));
    assert_eq!(applied.await.unwrap()[0]["outcome"], "created");
    let shown = program.get("/api/agents/asha").await.json();
    assert_eq!((&shown["call_timeout"], &shown["version"]), (&json!(40), &json!(1)));
    let audit: String = {
        let file = program.folder.path().join("data/tandem.db");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).read_only(true);
        let mut db = <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options).await.unwrap();
        sqlx::query_scalar("SELECT record FROM audit_log ORDER BY id DESC LIMIT 1").fetch_one(&mut db).await.unwrap()
    };
    let audit: Value = serde_json::from_str(&audit).unwrap();
    assert_eq!((&audit["who"]["kind"], &audit["action"]), (&json!("cli"), &json!("created")));
    program.running.shutdown().await;
}
