//! docs/cli.md: every verb and option.

use clap::{Arg, ArgAction, Command};

use crate::help::{Help, sentence};

const INTRODUCTION: &str = "\
# Command line

Written by `cargo xtask generate` from the program itself: change the help texts, not this page.
";

/// The whole page.
pub(crate) fn markdown(command: &Command) -> String {
    let mut command = command.clone().disable_help_subcommand(true);
    command.build();
    let mut text = INTRODUCTION.to_owned();
    section(&command, &command, &mut text);
    for verb in command.get_subcommands() {
        section(verb, &command, &mut text);
    }
    text
}

fn section(command: &Command, program: &Command, text: &mut String) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    text.push_str(&format!("\n## {name}\n\n{about}.\n\n```\n{usage}\n```\n"));
    verbs(command, text);
    let help = Help::of_verb(command, program);
    for paragraph in &help.paragraphs {
        text.push_str(&format!("\n{}\n", prose(paragraph)));
    }
    arguments(command, text);
    statuses(&help, text);
    if !help.examples.is_empty() {
        text.push_str(&format!("\nExamples:\n\n```\n{}\n```\n", help.examples.join("\n")));
    }
}

fn verbs(command: &Command, text: &mut String) {
    if command.has_subcommands() {
        text.push_str("\n| Verb | Does |\n|---|---|\n");
    }
    for verb in command.get_subcommands() {
        let name = verb.get_bin_name().unwrap_or_else(|| verb.get_name());
        let anchor = name.replace(' ', "-");
        let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
        text.push_str(&format!("| [`{name}`](#{anchor}) | {} |\n", cell(&about)));
    }
}

fn arguments(command: &Command, text: &mut String) {
    let shown = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let (positional, options): (Vec<&Arg>, Vec<&Arg>) = shown.partition(|argument| argument.is_positional());
    for (title, arguments) in [("Argument", positional), ("Option", options)] {
        if !arguments.is_empty() {
            text.push_str(&format!("\n| {title} | Meaning |\n|---|---|\n"));
        }
        for argument in arguments {
            text.push_str(&format!("| {} | {} |\n", spelling(argument), meaning(argument)));
        }
    }
}

/// How an argument is written: `-P`, `--port LIST`.
fn spelling(argument: &Arg) -> String {
    let takes_value = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    let names = argument.get_value_names().unwrap_or_default();
    let value = if takes_value { names.join(" ").replace('|', "\\|") } else { String::new() };
    if argument.is_positional() {
        return format!("`{value}`");
    }
    let long = argument.get_long().map(|long| format!("`{}`", format!("--{long} {value}").trim_end()));
    let short = argument.get_short().map(|short| format!("`-{short}`"));
    short.into_iter().chain(long).collect::<Vec<_>>().join(", ")
}

/// Help, values and default in one cell.
fn meaning(argument: &Arg) -> String {
    let help = argument.get_long_help().or_else(|| argument.get_help());
    let mut words = vec![cell(&help.map(ToString::to_string).unwrap_or_default()) + "."];
    if matches!(argument.get_action(), ArgAction::Set | ArgAction::Append) {
        let possible = argument.get_possible_values();
        let values = possible.iter().filter(|value| !value.is_hide_set());
        let values: Vec<String> = values.map(|value| format!("`{}`", value.get_name())).collect();
        if !values.is_empty() {
            words.push(format!("Values: {}.", values.join(", ")));
        }
        let default = argument.get_default_values().iter().map(|value| value.to_string_lossy());
        let default = default.collect::<Vec<_>>().join(",");
        if !default.is_empty() {
            words.push(format!("Default: `{default}`."));
        }
    }
    words.join(" ")
}

fn statuses(help: &Help, text: &mut String) {
    let statuses = help.statuses();
    let (numbered, others): (Vec<_>, Vec<_>) = statuses.iter().partition(|(number, _)| !number.is_empty());
    if help.exit_status.is_some() {
        let notes: String =
            others.iter().map(|(_, meaning)| format!(" {}", prose(&sentence(meaning)))).collect();
        text.push_str(&format!("\nExit status:{notes}\n\n"));
    }
    if !numbered.is_empty() {
        text.push_str("| Status | Means |\n|---|---|\n");
    }
    for (number, meaning) in numbered {
        text.push_str(&format!("| {number} | {} |\n", cell(meaning)));
    }
}

/// Text that stands in a table.
fn cell(text: &str) -> String {
    prose(&text.split_whitespace().collect::<Vec<_>>().join(" ")).replace('|', "\\|")
}

/// Text whose angle brackets are no tags.
fn prose(text: &str) -> String {
    text.replace('<', "&lt;")
}
