//! Normalizes an event of the text format: replaces what differs between runs.

use std::collections::BTreeMap;

/// Columns of a line, and of its indentation.
const WIDTH: usize = 100;
const INDENT: usize = 12;
/// Substitutes for the first pid, for the requested port, for another server port, and for the first client port.
const FIRST_PID: usize = 100;
const PORT: u32 = 8080;
const OTHER_PORT: u32 = 9000;
const CLIENT_PORT: u32 = 50_000;
/// Substitute for a netlink port id.
const NETLINK_PORT: u32 = 4711;
/// Stands for a blank at which a line is not wrapped.
const GLUE: &str = "\u{a0}";
/// Ports that the tests hand out, and the range above one in which a free port is searched.
const HANDED_OUT: std::ops::Range<u32> = 10_000..32_000;
const NEAR: u32 = 40;
/// Ports that the kernel assigns.
const EPHEMERAL: std::ops::Range<u32> = 32_768..61_000;
/// Ports that appear in scenarios.
const NAMED: std::ops::Range<u32> = 42_000..42_100;

/// The pid in the first line of an event.
pub(super) fn caller(line: &str) -> Option<u32> {
    let (_, rest) = line.split_once(" (")?;
    rest.split_once(')')?.0.parse().ok()
}

/// The event with wrapped lines, without the caller's surroundings.
pub(super) fn normal(lines: &[String]) -> String {
    let shown: Vec<&str> =
        lines.iter().map(String::as_str).filter(|line| !line.starts_with("  asked by")).collect();
    whole(&shown)
}

/// The lines, wrapped.
pub(crate) fn whole(lines: &[&str]) -> String {
    let asked = lines.first().and_then(|line| port_asked(line));
    let mut pids = Vec::new();
    let mut clients = BTreeMap::new();
    let mut text = String::new();
    for line in lines {
        let line = without_ancestors(line);
        let line = words(&line, |number, before, after| {
            let value: u32 = number.parse().ok()?;
            if before.ends_with('(') && after.starts_with(')') || before.ends_with("kill ") {
                let known = pids.iter().position(|pid| *pid == value).unwrap_or_else(|| {
                    pids.push(value);
                    pids.len() - 1
                });
                return Some((FIRST_PID + known).to_string());
            }
            if before.ends_with(" route:") || before.ends_with(" port id ") {
                return Some(NETLINK_PORT.to_string());
            }
            if before.ends_with("ends in ") || before.ends_with("interface number ") || NAMED.contains(&value)
            {
                return None;
            }
            if let Some(asked) = asked.filter(|asked| HANDED_OUT.contains(asked))
                && (asked..asked + NEAR).contains(&value)
            {
                // The next free port depends on other tests that run at the same time.
                return Some((PORT + u32::from(value != asked)).to_string());
            }
            if !before.ends_with(':') {
                return None;
            }
            if HANDED_OUT.contains(&value) {
                return Some(OTHER_PORT.to_string());
            }
            EPHEMERAL.contains(&value).then(|| {
                let next = CLIENT_PORT + u32::try_from(clients.len()).unwrap_or(0);
                clients.entry(value).or_insert(next).to_string()
            })
        });
        wrap(&with_whole_command(&at_noon(&line)), &mut text);
    }
    text.replace(GLUE, " ")
}

/// The requested port in the first line of an event.
fn port_asked(line: &str) -> Option<u32> {
    let (address, _) = line.split_once("  →  ")?;
    let (_, port) = address.rsplit_once(':')?;
    port.split(' ').next()?.parse().ok()
}

/// A holder's line without the ancestors.
fn without_ancestors(line: &str) -> String {
    let kept = line.split("   ").filter(|group| !group.contains(" → "));
    let text = kept.collect::<Vec<_>>().join("   ");
    if line.starts_with("  held by") { text } else { line.to_owned() }
}

/// Replaces whole numbers; `change` also receives the text before and after each.
fn words(line: &str, mut change: impl FnMut(&str, &str, &str) -> Option<String>) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(start);
        let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        let (number, after) = number.split_at(end);
        text.push_str(before);
        let changed = change(number, &text, after);
        text.push_str(changed.as_deref().unwrap_or(number));
        rest = after;
    }
    text.push_str(rest);
    text
}

/// Sets every time of day to noon, and every TIME_WAIT to its start.
fn at_noon(line: &str) -> String {
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    for index in 0..words.len() {
        let shape: String = words[index].chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        if shape == "99:99:99.999" {
            words[index] = "12:00:00.000".to_owned();
        }
        if index >= 2 && words[index - 1] == "in" && words[index - 2].starts_with("end") && shape == "99.9s" {
            words[index] = "59.9s".to_owned();
        }
    }
    words.join(" ")
}

/// The line with [`GLUE`] in its command, which is not wrapped.
fn with_whole_command(line: &str) -> String {
    let Some((before, words)) = line.split_once(": sysctl ") else { return line.to_owned() };
    format!("{before}: sysctl{GLUE}{}", words.replace(' ', GLUE))
}

/// Appends a line, wrapped at [`WIDTH`] columns.
fn wrap(line: &str, text: &mut String) {
    let mut column = 0;
    for (index, word) in line.split(' ').enumerate() {
        let columns = word.chars().count();
        if columns > 0 && column > INDENT && column + 1 + columns > WIDTH {
            text.truncate(text.trim_end().len());
            text.push('\n');
            text.push_str(&" ".repeat(INDENT));
            column = INDENT;
        } else if index > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += columns;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn all_that_differs_is_replaced() {
        let one = lines(
            "13:14:15.678  client (4711)  bind tcp 127.0.0.1:12345  →  EADDRINUSE\n  asked by  unit x.service\n  \
             held by   server (4710)  LISTEN 127.0.0.1:12345   fd 3   since 13:14:15.500   uid root   bash → server\n  \
             held by   TIME-WAIT 127.0.0.1:12345 ↔ 127.0.0.1:41234   ends in 59.7s   uid root\n  \
             why       another program is listening there        [listener]\n  \
             fix       stop server: kill 4710\n  or        use another port: 12346 is free",
        );
        let expected = "12:00:00.000  client (100)  bind tcp 127.0.0.1:8080  →  EADDRINUSE\n  \
             held by   server (101)  LISTEN 127.0.0.1:8080   fd 3   since 12:00:00.000   uid root\n  \
             held by   TIME-WAIT 127.0.0.1:8080 ↔ 127.0.0.1:50000   ends in 59.9s   uid root\n  \
             why       another program is listening there        [listener]\n  \
             fix       stop server: kill 101\n  or        use another port: 8081 is free\n";
        assert_eq!(normal(&one), expected);
    }

    #[test]
    fn all_that_a_scenario_names_stays() {
        let one = lines(
            "13:14:15.678  client (7)  bind tcp 127.0.0.1:42000  →  EADDRINUSE\n  or        net.x=42001,50000 8080",
        );
        assert!(normal(&one).contains("127.0.0.1:42000"));
        assert!(normal(&one).contains("42001,"));
    }

    #[test]
    fn long_lines_are_wrapped_below_their_words() {
        let one = lines(&format!("x (7)\n  why       {}end", "word ".repeat(30)));
        let text = normal(&one);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
        assert!(text.lines().nth(2).unwrap().starts_with(&format!("{}word", " ".repeat(INDENT))));
    }
}
