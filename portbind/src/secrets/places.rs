//! Passwords recognised by their place after the name of a program.

use crate::order::collect_sorted;
use std::collections::BTreeSet;

/// The place of a password among the words of a program.
struct Place {
    /// The program, or the subcommand.
    names: &'static [&'static str],
    /// The number of non-option words before the password.
    before: usize,
    /// The short option without which there is no password.
    needs: Option<char>,
    /// The short option with which one word fewer precedes the password.
    fewer: Option<char>,
    /// Short options whose value is the next word.
    valued: &'static str,
}

/// A place that depends on no option.
const ALWAYS: Place = Place { names: &[], before: 0, needs: None, fewer: None, valued: "" };

/// The most words after the name that are read: a command may hold many such names.
const FARTHEST: usize = 32;

/// From the manual page of each program.
const PLACES: [Place; 6] = [
    Place {
        names: &["htpasswd", "htpasswd2", "mosquitto_passwd"],
        before: 2,
        needs: Some('b'),
        fewer: Some('n'),
        valued: "Cr",
    },
    Place { names: &["add_user", "change_password", "authenticate_user"], before: 1, ..ALWAYS },
    Place { names: &["wpa_passphrase"], before: 1, ..ALWAYS },
    Place { names: &["radtest"], before: 1, ..ALWAYS },
    Place { names: &["authtoken", "add-authtoken"], ..ALWAYS },
    // `mc alias set NAME URL KEY SECRET`, `mc admin user add NAME KEY SECRET`
    Place { names: &["mc", "mcli"], before: 5, ..ALWAYS },
];

/// Whether a word names such a program.
pub(super) fn is_secret_name(word: &str) -> bool {
    find(word).is_some()
}

/// The indices of passwords in the words of a command.
pub(super) fn passwords(words: &[&str]) -> BTreeSet<usize> {
    let named = words.iter().enumerate().filter_map(|(at, word)| Some((at + 1, find(word)?)));
    collect_sorted(named.filter_map(|(from, place)| Some(from + place.password(&words[from..])?)))
}

fn find(word: &str) -> Option<&'static Place> {
    let name = word.rsplit('/').next().unwrap_or_default();
    PLACES.iter().find(|place| place.names.contains(&name))
}

impl Place {
    /// The index of the password among the words after the name.
    fn password(&self, words: &[&str]) -> Option<usize> {
        let (mut has_needed, mut before, mut is_value) = (self.needs.is_none(), self.before, false);
        let mut others = Vec::new();
        for (at, word) in words.iter().enumerate().take(FARTHEST) {
            match word.strip_prefix('-') {
                _ if is_value => is_value = false,
                Some(options) if others.is_empty() => {
                    let has = |option: Option<char>| option.is_some_and(|option| options.contains(option));
                    has_needed |= has(self.needs);
                    before -= usize::from(has(self.fewer) && before == self.before);
                    is_value = options.ends_with(|last| self.valued.contains(last));
                }
                // A gap at the end of a command is followed by an empty word.
                _ if !word.is_empty() => others.push(at),
                _ => {}
            }
        }
        others.get(before).copied().filter(|_| has_needed)
    }
}
