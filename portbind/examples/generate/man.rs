//! Man pages: one of the program, one of each verb.

use std::error::Error;
use std::fs;
use std::path::Path;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::help::{Help, sentence};

/// Pages of others on the subject.
const ELSEWHERE: &str = "bind(2), listen(2), ip(7), socket(7), unix(7), ss(8)";

/// Writes the pages into `folder`.
pub(crate) fn write(command: &Command, folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut command = command.clone().disable_help_subcommand(true);
    command.build();
    fs::create_dir_all(folder)?;
    for page in std::iter::once(&command).chain(command.get_subcommands()) {
        fs::write(folder.join(format!("{}.1", name(page))), render(page, &command)?)?;
    }
    Ok(())
}

fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn render(command: &Command, program: &Command) -> Result<Vec<u8>, Box<dyn Error>> {
    let page = Man::new(command.clone());
    let help = Help::of_verb(command, program);
    let mut out = Vec::new();
    title(command, program).to_writer(&mut out)?;
    page.render_name_section(&mut out)?;
    synopsis(command).to_writer(&mut out)?;
    description(command, &help).to_writer(&mut out)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut out)?;
    }
    page.render_options_section(&mut out)?;
    exit_status(&help).to_writer(&mut out)?;
    examples(&help).to_writer(&mut out)?;
    see_also(command, program).to_writer(&mut out)?;
    Ok(out)
}

/// A page is not dated: its bytes follow from the program alone.
fn title(command: &Command, program: &Command) -> Roff {
    let source = format!("{} {}", program.get_name(), program.get_version().unwrap_or_default());
    let mut roff = Roff::new();
    roff.control("TH", [name(command).to_uppercase().as_str(), "1", "\"\"", &source, "portbind manual"]);
    roff
}

/// The short form: the options follow below, each on its own.
fn synopsis(command: &Command) -> Roff {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    let program = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let rest = usage.strip_prefix(program).unwrap_or_default();
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]).text([bold(program), roman(rest)]);
    roff
}

fn description(command: &Command, help: &Help) -> Roff {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut roff = Roff::new();
    roff.control("SH", ["DESCRIPTION"]).text([roman(format!("{about}."))]);
    for paragraph in &help.paragraphs {
        roff.control("PP", []).text([roman(paragraph.as_str())]);
    }
    roff
}

fn exit_status(help: &Help) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (number, meaning) in help.statuses() {
        if number.is_empty() {
            roff.text([roman(sentence(meaning))]);
        } else {
            roff.control("TP", []).text([bold(number)]).text([roman(meaning)]);
        }
    }
    roff
}

fn examples(help: &Help) -> Roff {
    let mut roff = Roff::new();
    if !help.examples.is_empty() {
        roff.control("SH", ["EXAMPLES"]).control("EX", []);
        for line in &help.examples {
            roff.text([roman(line.as_str())]);
        }
        roff.control("EE", []);
    }
    roff
}

/// Names all the other pages.
fn see_also(command: &Command, program: &Command) -> Roff {
    let pages = std::iter::once(program).chain(program.get_subcommands());
    let others = pages.map(name).filter(|other| *other != name(command));
    let mut names: Vec<String> = others.map(|other| format!("{other}(1)")).collect();
    names.push(ELSEWHERE.to_owned());
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]).text([roman(names.join(", "))]);
    roff
}
