//! The program of a process by its executable and, for an interpreter, its arguments: the same name in every run.

use crate::escape::Escaped;
use crate::event::Process;

/// Interpreters, by the start of their name: the arguments name the program that they run.
const INTERPRETERS: [&str; 10] =
    ["python", "node", "ruby", "perl", "php", "java", "bash", "dash", "sh", "deno"];
/// Interpreter options that name the program to run.
const NAMING: [&str; 3] = ["-m", "--module", "-jar"];
/// Interpreter options whose next word is not the program to run.
const TAKING: [&str; 16] = [
    "-cp",
    "-classpath",
    "--class-path",
    "-p",
    "--module-path",
    "--add-opens",
    "--add-exports",
    "--add-modules",
    "-W",
    "-X",
    "-I",
    "-r",
    "--require",
    "--import",
    "--loader",
    "--env-file",
];
/// Digits of the hash that Cargo appends to the name of a test program.
const HASH: usize = 16;

/// Whether this executable is an interpreter, which runs a program named by its arguments.
#[must_use]
pub fn is_interpreter(exe: &str) -> bool {
    interpreter(file_name(exe)).is_some()
}

/// Where distributions and package managers install programs, which belong to no project.
const INSTALLED: [&str; 5] = ["/usr/", "/bin/", "/sbin/", "/snap/", "/nix/store/"];

/// Whether an executable was installed by a distribution or a package manager.
#[must_use]
pub fn is_installed(exe: &str) -> bool {
    INSTALLED.iter().any(|folder| exe.starts_with(folder))
}

/// Programs that bind no ports: if one of them has a listener open, it inherited the listener.
const WITHOUT_PORTS: [&str; 35] = [
    "sleep", "tail", "cat", "tee", "sh", "dash", "bash", "zsh", "fish", "ksh", "env", "nohup", "setsid",
    "timeout", "xargs", "watch", "make", "less", "more", "vi", "vim", "nano", "top", "htop", "script",
    "flock", "find", "grep", "sed", "awk", "gawk", "mawk", "yes", "tar", "gzip",
];

/// Executables that are several programs, and run as the one that they are called: Debian's redis-server is a link to
/// redis-check-rdb.
const SEVERAL: [&str; 7] = [
    "redis-check-rdb",
    "redis-check-aof",
    "valkey-check-rdb",
    "busybox",
    "toybox",
    "uwsgi-core",
    "coreutils",
];

/// The name of the program that an executable with this file name runs as.
pub(super) fn called<'a, T: AsRef<str>>(file: &'a str, args: &'a [T]) -> &'a str {
    let Some(first) = args.first().filter(|_| SEVERAL.contains(&file)) else { return file };
    // Behind the name, a title has more words.
    let word = first.as_ref().split(' ').next().unwrap_or_default();
    let name = file_name(word).trim_end_matches(':');
    let applet = args.get(1).map(AsRef::as_ref).filter(|_| name == file);
    applet.or(Some(name)).filter(|name| !name.is_empty() && !name.starts_with('-')).unwrap_or(file)
}

/// Whether a process runs a program that binds no ports.
#[must_use]
pub fn never_binds(process: &Process) -> bool {
    process.exe.as_deref().is_some_and(|exe| WITHOUT_PORTS.contains(&file_name(exe)))
}

/// The program that an interpreter runs, with the option that names it; `None` if the arguments name none, as with `-c
/// CODE`.
#[must_use]
pub fn script<T: AsRef<str>>(args: &[T]) -> Option<(&str, &str)> {
    let is_php = args.first().is_some_and(|first| file_name(first.as_ref()).starts_with("php"));
    // A program that sets its title leaves empty arguments.
    let mut args = args.iter().skip(1).map(AsRef::as_ref).filter(|arg| !arg.is_empty());
    while let Some(arg) = args.next() {
        if NAMING.contains(&arg) || is_php && arg == "-S" {
            return args.next().map(|name| (arg, name));
        }
        // Ruby's own collection of small programs: `ruby -run -e httpd`.
        if arg == "-run" {
            return args
                .next()
                .filter(|next| *next == "-e")
                .and_then(|_| args.next())
                .map(|name| ("-run -e", name));
        }
        if arg == "-c" || arg == "-e" {
            return None;
        }
        if TAKING.contains(&arg) {
            args.next();
        } else if !arg.starts_with('-') {
            return Some(("", arg));
        }
    }
    None
}

/// A name for the program that is the same in every run and on every machine: the executable's file name without
/// versions and hashes and, for an interpreter, the program it runs. If the executable is unknown, `comm`, the name of
/// the thread. Each part is escaped, so that the name can stand in a sentence.
#[must_use]
pub fn name<T: AsRef<str>>(comm: &str, exe: Option<&str>, args: &[T]) -> String {
    let Some(exe) = exe else { return Escaped(comm).to_string() };
    let file = file_name(exe.strip_suffix(" (deleted)").unwrap_or(exe));
    let Some(interpreter) = interpreter(file) else {
        return Escaped(without_hash(called(file, args))).to_string();
    };
    match script(args) {
        Some(("", script)) => format!("{interpreter} {}", Escaped(file_name(script))),
        Some((option, script)) => format!("{interpreter} {option} {}", Escaped(file_name(script))),
        None => interpreter.to_owned(),
    }
}

/// The last part of a path.
#[must_use]
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The interpreter's name without its version.
pub(super) fn interpreter(file: &str) -> Option<&'static str> {
    INTERPRETERS.into_iter().find(|interpreter| {
        let rest = file.strip_prefix(interpreter);
        rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
    })
}

/// `api-0123456789abcdef` is `api`.
pub(super) fn without_hash(file: &str) -> &str {
    match file.rsplit_once('-') {
        Some((name, hash))
            if hash.len() == HASH
                && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
                && !name.is_empty() =>
        {
            name
        }
        _ => file,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_the_same() {
        for (exe, args, expected) in [
            (Some("/usr/sbin/nginx"), vec!["nginx: worker"], "nginx"),
            (
                Some("/usr/bin/python3.11"),
                vec!["python3", "-m", "http.server", "8000"],
                "python -m http.server",
            ),
            (Some("/usr/bin/python3.12"), vec!["python3", "/tmp/x1/app.py"], "python app.py"),
            (Some("/usr/bin/python3.12"), vec!["python3", "-c", "x"], "python"),
            (Some("/opt/jdk/bin/java"), vec!["java", "-cp", "/tmp/a.jar", "Main"], "java Main"),
            (Some("/opt/jdk/bin/java"), vec!["java", "-Xmx1g", "-jar", "/srv/a.jar"], "java -jar a.jar"),
            (Some("/ci/target/debug/deps/api-0123456789abcdef"), vec![], "api"),
            (
                Some("/usr/bin/redis-check-rdb"),
                vec!["/usr/bin/redis-server 127.0.0.1:6379", ""],
                "redis-server",
            ),
            (Some("/usr/bin/uwsgi-core"), vec!["uwsgi", "--http", ":80"], "uwsgi"),
            (Some("/usr/bin/busybox"), vec!["busybox", "httpd", "-f"], "httpd"),
            (Some("/usr/bin/busybox"), vec!["-sh"], "busybox"),
            (Some("/usr/bin/foo-bar (deleted)"), vec![], "foo-bar"),
            (Some("/-0123456789abcdef"), vec![], "-0123456789abcdef"),
            (None, vec!["x"], "comm"),
            (Some("/tmp/a refused by b"), vec![], "\"a refused by b\""),
            (Some("/usr/bin/python3"), vec!["python3", "/a b.py"], "python \"a b.py\""),
        ] {
            assert_eq!(name("comm", exe, &args), expected, "{exe:?} {args:?}");
        }
    }
}
