//! What stands below the options of a help text, by kind.

use clap::Command;

/// The blocks of a help text, which empty lines part.
#[derive(Debug, Default)]
pub(crate) struct Help {
    /// Plain paragraphs.
    pub(crate) paragraphs: Vec<String>,
    /// What follows `Exit status:`, as one line.
    pub(crate) exit_status: Option<String>,
    /// The lines that follow `Examples:`.
    pub(crate) examples: Vec<String>,
}

impl Help {
    /// Reads that of a verb.
    pub(crate) fn of(command: &Command) -> Self {
        let text = command.get_after_long_help().or_else(|| command.get_after_help());
        let text = text.map(ToString::to_string).unwrap_or_default();
        let mut help = Self::default();
        for block in text.split("\n\n").filter(|block| !block.trim().is_empty()) {
            if let Some(rest) = block.strip_prefix("Exit status:") {
                help.exit_status = Some(one_line(rest));
            } else if let Some(rest) = block.strip_prefix("Examples:") {
                help.examples.extend(rest.lines().skip(1).map(dedented));
            } else {
                help.paragraphs.push(one_line(block));
            }
        }
        help
    }

    /// That of a verb; of the program's statuses those that it does not tell itself, unless it has a set of its own.
    pub(crate) fn of_verb(verb: &Command, program: &Command) -> Self {
        let mut help = Self::of(verb);
        let shared = Self::of(program);
        let own = help.statuses();
        if own.iter().any(|(number, _)| number.is_empty()) {
            return help;
        }
        let shown = |number: &str| own.iter().any(|(other, _)| *other == number);
        // What 0 and 1 mean is for each verb to say.
        let more = shared
            .statuses()
            .into_iter()
            .filter(|(number, _)| own.is_empty() || !["0", "1"].contains(number));
        let more = more.filter(|(number, _)| !shown(number));
        let mut all: Vec<_> = own.iter().copied().chain(more).collect();
        all.sort_unstable();
        let clauses: Vec<String> =
            all.iter().map(|(number, meaning)| format!("{number} {meaning}")).collect();
        help.exit_status = Some(clauses.join("; "));
        help
    }

    /// Each status with what it means: `("0", "somebody is there")`.
    pub(crate) fn statuses(&self) -> Vec<(&str, &str)> {
        let text = self.exit_status.as_deref().unwrap_or_default();
        let clauses = text.split(';').map(|clause| clause.trim().trim_end_matches('.'));
        clauses.filter(|clause| !clause.is_empty()).map(status).collect()
    }
}

/// Parts the number, or `128 + N`, from its meaning; what begins with no number has none.
fn status(clause: &str) -> (&str, &str) {
    let number = clause.bytes().take_while(u8::is_ascii_digit).count();
    let sum = if number > 0 && clause[number..].starts_with(" + ") { number + " + N".len() } else { number };
    clause.split_at_checked(sum).map_or(("", clause), |(number, meaning)| (number, meaning.trim()))
}

/// Without the indentation that sets examples off in a help text.
fn dedented(line: &str) -> String {
    line.strip_prefix("  ").unwrap_or(line).trim_end().to_owned()
}

/// With a capital letter and a full stop.
pub(crate) fn sentence(clause: &str) -> String {
    let (first, rest) = clause.split_at(clause.chars().next().map_or(0, char::len_utf8));
    format!("{}{rest}.", first.to_uppercase())
}

fn one_line(block: &str) -> String {
    block.split_whitespace().collect::<Vec<_>>().join(" ")
}
