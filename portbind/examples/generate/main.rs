//! Writes what is made from the command line and the wire types: completions, man pages, docs/cli.md, docs/schema.json.
//!
//! `cargo xtask generate` runs it. Hidden verbs and the surroundings (terminal, locale, clock) leave no trace.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use portbind::cli::Cli;
use portbind::wire;

mod help;
mod man;
mod reference;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(folder), None) = (arguments.next(), arguments.next()) else {
        return Err("usage: generate FOLDER".into());
    };
    let docs = PathBuf::from(folder);
    let command = visible(&Cli::command());
    completions(&command, &docs.join("completions"))?;
    man::write(&command, &docs.join("man"))?;
    fs::write(docs.join("cli.md"), reference::markdown(&command))?;
    fs::write(docs.join("schema.json"), serde_json::to_string_pretty(&wire::json_schema())? + "\n")?;
    Ok(())
}

/// The command without the verbs that are not for people; clap cannot take one away.
fn visible(command: &Command) -> Command {
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned();
    let mut copy = Command::new(env!("CARGO_PKG_NAME")).version(env!("CARGO_PKG_VERSION"));
    copy = copy.args(command.get_arguments()).subcommands(verbs).subcommand_required(true);
    copy = copy.subcommand_help_heading("COMMANDS");
    if let Some(about) = command.get_about() {
        copy = copy.about(about.clone());
    }
    if let Some(after) = command.get_after_help() {
        copy = copy.after_help(after.clone());
    }
    copy
}

fn completions(command: &Command, folder: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command.clone(), env!("CARGO_PKG_NAME"), folder)?;
    }
    Ok(())
}
