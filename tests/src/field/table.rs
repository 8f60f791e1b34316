//! docs/field.md: the corpus as a table, made from the headers of its rows.

use std::fmt::Write as _;

use super::row::Row;

const HEAD: &str = "\
# The field corpus

Each row is a situation that somebody reported in public, or, where no report is named, a common one. A script in
`tests/field/` plays it with real programs in namespaces of its own, and portbind must show the cause, the holder, the
relation and the first remedy of the row. Then the script applies the first remedy (if it has a command, the printed
command itself), and the refused program must start.

`cargo xtask field` plays the rows whose programs are there, and `cargo xtask field --install --all` installs what is
missing and plays all. Continuous integration plays the rows of which the last column says so. The command
`cargo xtask field --table` writes this page from the headers of the scripts, which `tests/field/README.md` describes.

What needs a daemon is played by other checks of `portbind-tests`: containers of dockerd and podman, clients of dockerd,
and its own allocator of ports (moby/moby 25981 and 20486) by `containers: `, supervisord by `supervisors: `. Lines of
logs are tests of `log_errors` (`portbind/tests/wordings/`), and a check, `explain: real programs`.

";

/// The page.
pub(crate) fn page(rows: &[Row]) -> String {
    let mut page = HEAD.to_owned();
    page += "| row | report | situation | cause | holder | relation | first remedy | played by |\n";
    page += "|---|---|---|---|---|---|---|---|\n";
    for row in rows {
        let reports: Vec<String> = row.report.iter().map(|report| link(report)).collect();
        let code = |code: Option<&str>| code.map_or_else(|| "–".to_owned(), |code| format!("`{code}`"));
        let holder = Some(&*row.holder).filter(|holder| !holder.is_empty());
        let by = if row.is_for_ci { "CI" } else { "hand" };
        let _infallible = writeln!(
            page,
            "| {} | {} | {} | [`{cause}`](causes/{cause}.md) | {} | {} | {} | {by} |",
            row.name,
            reports.join(", "),
            row.situation,
            code(holder),
            code(row.relation.as_deref()),
            code(row.first.as_deref()),
            cause = row.cause,
        );
    }
    page + &wrong(rows)
}

/// The rows that portbind shows wrongly.
fn wrong(rows: &[Row]) -> String {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|row| row.wrong.as_ref().map(|wrong| format!("- {}: {wrong}\n", row.name)))
        .collect();
    let head = format!("\n{} rows; in {} of them, portbind's answer is wrong today", rows.len(), wrong.len());
    if wrong.is_empty() { format!("{head}.\n") } else { format!("{head}:\n\n{}", wrong.concat()) }
}

/// A link to a report.
fn link(report: &str) -> String {
    match report.split_once('#') {
        _ if report.starts_with("https://") => format!("<{report}>"),
        Some((repository, number)) => {
            format!("[{report}](https://github.com/{repository}/issues/{number})")
        }
        None => "–".to_owned(),
    }
}
