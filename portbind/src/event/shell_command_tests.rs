use std::process::Command;

use proptest::prelude::*;

use super::*;

#[test]
fn commands() {
    let shown = |command: Option<ShellCommand>| command.map(|command| command.to_string());
    for (command, expected) in [
        (ShellCommand::kill(&[7, 4711]), Some("kill 7 4711")),
        (ShellCommand::kill(&[]), None),
        (ShellCommand::kill(&[7, 1]), None),
        (ShellCommand::kill(&[0]), None),
        (ShellCommand::interrupt(&[7, 4711]), Some("kill -INT 7 4711")),
        (ShellCommand::interrupt(&[1]), None),
        (
            ShellCommand::stop_units(None, &["web.socket", "web.service"]),
            Some("systemctl stop -- web.socket web.service"),
        ),
        (
            ShellCommand::stop_units(Some(1001), &["web.service"]),
            Some("systemctl --user --machine=1001@.host stop -- web.service"),
        ),
        (ShellCommand::stop_units(None, &[r"a\x2db.service"]), Some(r"systemctl stop -- 'a\x2db.service'")),
        (ShellCommand::stop_units(None, &["web.service", "x y.service"]), None),
        (ShellCommand::stop_units(None, &["$(id).service"]), None),
        (
            ShellCommand::set_sysctl("net.ipv4.x", "8080,9000-9010"),
            Some("sysctl -w net.ipv4.x=8080,9000-9010"),
        ),
        (ShellCommand::set_sysctl("net.ipv4.x", "15000 60999"), Some("sysctl -w net.ipv4.x='15000 60999'")),
        (ShellCommand::set_sysctl("net.ipv4.x", "1\n2"), None),
        (ShellCommand::set_sysctl("-x", "1"), None),
        (ShellCommand::set_sysctl("", "1"), None),
        (ShellCommand::remove(b"/run/app.sock"), Some("rm -- '/run/app.sock'")),
        (ShellCommand::remove(b"/run/my app's.sock"), Some(r#"rm -- '/run/my app'"'"'s.sock'"#)),
        (ShellCommand::remove(br"/run/a\b\"), Some(r#"rm -- '/run/a\b'"\\"''"#)),
        (ShellCommand::remove(b"/run/a=b"), Some("rm -- '/run/a=b'")),
        (ShellCommand::remove(b"relative"), None),
        (ShellCommand::remove(b"/a\xff"), None),
        (ShellCommand::remove(b"/a\nb"), None),
        (ShellCommand::remove(b"/a::b"), None),
        (ShellCommand::remove(b"/a##b"), None),
        (ShellCommand::remove("/a\u{202e}b".as_bytes()), None),
        (ShellCommand::remove("/a\u{a0}b".as_bytes()), None),
        (ShellCommand::who(8080), Some("portbind who 8080")),
        (ShellCommand::who_is_at("@app"), Some("portbind who '@app'")),
        (ShellCommand::who_is_at("--yes"), None),
    ] {
        assert_eq!(shown(command).as_deref(), expected);
    }
    let both = ShellCommand::kill(&[7]).unwrap().and(&ShellCommand::kill(&[8]).unwrap());
    assert_eq!(both.as_str(), "kill 7 && kill 8");
}

#[test]
fn other_commands_of_recordings_are_not_offered() {
    for text in [
        "",
        "id",
        "kill",
        "kill 1",
        "kill 7; id",
        "kill 7 && id",
        "kill 7 & id",
        "kill $(id)",
        "rm -rf /",
        "rm -- x",
        "rm -- '/a' '/b'",
        "rm -- '/a",
        "sysctl -w x",
        "systemctl stop --",
        "systemctl stop x.service",
        "systemctl --user --machine=x@.host stop -- a.service",
        "kill 7\nid",
        "sh -c id",
        "rm -- /a&id",
        "rm -- /a",
    ] {
        assert_eq!(ShellCommand::recorded(text), None, "{text}");
    }
}

/// The words that a shell passes for a command, without the program name. All programs are functions that only print
/// their words; a substitution would create the file `marker`.
fn words(command: &str) -> Vec<String> {
    let print = r#"{ for word in "$@"; do printf '%s\0' "$word"; done; }"#;
    let functions =
        ["kill", "systemctl", "sysctl", "rm", "portbind"].map(|name| format!("{name}() {print}\n"));
    let script = format!("PATH=/nonexistent\n{}{command}\n", functions.concat());
    let output = Command::new("/bin/sh").args(["-f", "-c", &script]).env_clear().output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{command}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ -~]{0,6}",
        "['\"\\\\ $`;&|<>(){}!#~*?\n\u{fc}]{0,6}",
        Just("$(touch marker)".to_owned()),
        Just("`id`".to_owned()),
        Just("' ; id '".to_owned()),
        Just("\u{202e}".to_owned()),
    ];
    proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// A shell reads exactly the intended words, whatever characters they contain.
    #[test]
    fn a_shell_reads_the_words_that_were_meant(text in hostile(), other in hostile()) {
        let path = format!("/{text}");
        if let Some(command) = ShellCommand::remove(path.as_bytes()) {
            prop_assert_eq!(words(command.as_str()), ["--".to_owned(), path]);
        }
        let name = format!("@{text}");
        if let Some(command) = ShellCommand::who_is_at(&name) {
            prop_assert_eq!(words(command.as_str()), ["who".to_owned(), name]);
        }
        if let Some(command) = ShellCommand::set_sysctl("net.x", &text) {
            prop_assert_eq!(words(command.as_str()), ["-w".to_owned(), format!("net.x={text}")]);
        }
        let units = [format!("{text}.service"), format!("x@{other}.socket")];
        if let Some(command) = ShellCommand::stop_units(Some(7), &[&units[0], &units[1]]) {
            let expected = ["--user", "--machine=7@.host", "stop", "--", &units[0], &units[1]];
            prop_assert_eq!(words(command.as_str()), expected);
        }
    }

    /// Fish interprets `\\` and `\'` within single quotes, so neither may occur there.
    #[test]
    fn single_quotes_hold_no_pair_that_fish_would_read(text in hostile()) {
        let Some(command) = ShellCommand::remove(format!("/{text}").as_bytes()) else { return Ok(()) };
        let mut rest = command.as_str();
        while let Some((_, after)) = rest.split_once(['\'', '"']) {
            let quote = rest.as_bytes()[rest.len() - after.len() - 1];
            let (inside, left) = after.split_once(char::from(quote)).unwrap();
            prop_assert!(quote == b'"' || !inside.contains(r"\\") && !inside.ends_with('\\'), "{}", command);
            prop_assert!(quote == b'\'' || inside == "'" || inside == r"\\", "{}", command);
            rest = left;
        }
    }

    /// Only commands that were offered are accepted when read from a recording.
    #[test]
    fn a_recorded_command_is_read(text in hostile(), pid in 2_u32..) {
        let both = ShellCommand::kill(&[pid]).unwrap();
        for command in [
            ShellCommand::remove(format!("/{text}").as_bytes()),
            ShellCommand::set_sysctl("net.x", &text),
            ShellCommand::stop_units(Some(pid), &[&format!("{text}.service")]),
            ShellCommand::kill(&[pid, pid]).map(|command| command.and(&both)),
        ].into_iter().flatten() {
            prop_assert_eq!(ShellCommand::recorded(command.as_str()), Some(command));
        }
        if let Some(command) = ShellCommand::recorded(&text) {
            let starts = ["kill ", "rm -- ", "sysctl -w ", "systemctl "];
            prop_assert!(starts.iter().any(|start| command.as_str().starts_with(start)));
        }
    }

    /// Every sentence prints an offered command unchanged.
    #[test]
    fn no_output_changes_a_command(text in hostile()) {
        if let Some(command) = ShellCommand::remove(format!("/{text}").as_bytes()) {
            let sentence = format!("remove it: {command}");
            prop_assert_eq!(Prose(&sentence).to_string(), sentence);
        }
    }
}
