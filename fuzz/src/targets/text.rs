//! Strings that other programs chose, on their way into sentences, columns, logs, pages and shell commands.

use std::path::Path;

use portbind::escape::{Escaped, LogLine, Prose, TestName, Visible, columns, cut, path, pattern};
use portbind::event::ShellCommand;
use portbind::secrets::{mask, mask_text};

use crate::harmless;

/// The text in each of its forms.
pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let name = Escaped(&text).to_string();
    for shown in [&name, &Prose(&text).to_string(), &pattern(&text), &path(Path::new(&*text))] {
        assert!(!shown.contains("##") && !shown.starts_with(':'), "{text:?} is printed as {shown:?}");
        assert!(!shown.contains('\n'), "{text:?} is printed on more than one line");
        harmless::check_text(shown.as_bytes());
    }
    assert_eq!(Prose(&name).to_string(), name, "{text:?} is escaped twice");
    // These forms stand behind other words, where CI systems look for no command.
    for shown in [TestName(&text).to_string(), LogLine(&text).to_string(), Visible(&text).to_string()] {
        harmless::check_text(format!("a {shown}").replace("##", "").as_bytes());
    }
    for width in [0, 1, 2, 3, 17, 80] {
        let shown = [Escaped(&text).cut(width), Escaped(&text).column(width), cut(&name, width).into_owned()];
        for shown in shown {
            assert!(columns(&shown) <= width, "{shown:?} is wider than {width} columns");
        }
    }
    commands(&text);
    secrets(&text);
}

fn commands(text: &str) {
    let commands = [
        ShellCommand::remove(text.as_bytes()),
        ShellCommand::stop_units(None, &[text]),
        ShellCommand::set_sysctl("net.ipv4.ip_local_reserved_ports", text),
        ShellCommand::who_is_at(text),
        ShellCommand::recorded(text),
    ];
    for command in commands.into_iter().flatten() {
        harmless::check_text(command.as_str().as_bytes());
        assert!(!command.as_str().contains('\n'), "a command of more than one line: {command:?}");
    }
}

/// What was masked once has nothing more to be masked.
fn secrets(text: &str) {
    let args: Vec<String> = text.split('\0').map(str::to_owned).collect();
    if let Some(masked) = mask(&args) {
        assert_eq!(masked.len(), args.len(), "an argument is missing");
    }
    let once = mask_text(text);
    assert_eq!(mask_text(&once), once, "{text:?} is masked twice");
}
