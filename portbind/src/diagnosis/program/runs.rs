//! What a process runs, in the words of its ecosystem: `java org.example.Main`, `node server.js`, `npm run dev`.

use super::executable::{called, file_name, interpreter, is_interpreter, script, without_hash};
use crate::escape::Escaped;
use crate::event::Process;
use crate::secrets::mask_text;

/// The most bytes of one word, and of a title.
const WORD: usize = 60;
/// Tools whose next word says what they do, as in `npm run dev`.
const WITH_COMMAND: [&str; 17] = [
    "npm",
    "npx",
    "yarn",
    "pnpm",
    "rails",
    "manage.py",
    "flask",
    "uvicorn",
    "gunicorn",
    "hypercorn",
    "daphne",
    "celery",
    "pytest",
    "next",
    "artisan",
    "mix",
    "puma",
];
/// Files that are the program of a tool, and the tool's name.
const PROGRAMS: [(&str, &str); 4] =
    [("npm-cli.js", "npm"), ("npx-cli.js", "npx"), ("yarn.js", "yarn"), ("pnpm.cjs", "pnpm")];
/// Tools that run the application which one of their arguments names as `MODULE:NAME`.
const APPLICATION_SERVERS: [&str; 5] = ["gunicorn", "uvicorn", "hypercorn", "daphne", "granian"];
/// Commands that are recognised behind options.
const COMMANDS: [&str; 7] = ["run", "serve", "server", "start", "dev", "runserver", "flower"];
/// Verbs that another word follows, as in `npm run dev`.
const VERBS: [&str; 3] = ["run", "exec", "dlx"];

/// The argument by which Python knows a worker that its module multiprocessing started (`get_command_line`,
/// Lib/multiprocessing/spawn.py).
pub const OF_MULTIPROCESSING: &str = "--multiprocessing-fork";

/// What a process runs, for people: the executable's file name and, for an interpreter, the program that it runs. If
/// the executable is unknown, the name of the process. Secrets are masked, and each word is escaped.
#[must_use]
pub fn runs<T: AsRef<str>>(comm: &str, exe: Option<&str>, args: &[T]) -> String {
    let Some(exe) = exe else { return word(comm) };
    let file = file_name(exe.strip_suffix(" (deleted)").unwrap_or(exe));
    if let Some(title) = title(file, args) {
        return title;
    }
    let Some(interpreter) = interpreter(file) else {
        return of_tool(without_hash(called(file, args)), args, 1);
    };
    if interpreter == "node" && args.iter().any(|arg| arg.as_ref() == "--watch") {
        return format!(
            "node --watch{}",
            script(args).map_or_else(String::new, |(_, script)| format!(" {}", word(script)))
        );
    }
    if args.iter().any(|arg| arg.as_ref() == OF_MULTIPROCESSING) {
        return format!("{interpreter} multiprocessing worker");
    }
    match script(args) {
        Some(("-m", module)) if interpreter == "python" => {
            let position = args.iter().position(|arg| arg.as_ref() == "-m").map_or(usize::MAX, |at| at + 2);
            if WITH_COMMAND.contains(&module) {
                return of_tool(module, args, position);
            }
            format!("{interpreter} -m {}", word(module))
        }
        Some(("", script)) => of_script(interpreter, script, args),
        Some((option, script)) => format!("{interpreter} {option} {}", word(file_name(script))),
        None => interpreter.to_owned(),
    }
}

/// As [`runs`], for a process.
#[must_use]
pub fn runs_of(process: &Process) -> String {
    runs(&process.comm, process.exe.as_deref(), &process.args)
}

/// A process for a sentence: what it runs, and its pid.
#[must_use]
pub fn with_pid(process: &Process) -> String {
    format!("{} ({})", runs_of(process), process.pid)
}

/// A script that an interpreter runs: a tool by its own name, any other script behind the interpreter's name.
fn of_script<T: AsRef<str>>(interpreter: &str, script: &str, args: &[T]) -> String {
    let file = file_name(script);
    let next = args.iter().position(|arg| arg.as_ref() == script).map_or(usize::MAX, |at| at + 1);
    if let Some((_, tool)) = PROGRAMS.iter().find(|(program, _)| *program == file) {
        return of_tool(tool, args, next);
    }
    let is_installed = script.contains("/bin/") || script.contains("/.bin/");
    if is_installed && interpreter != "java" {
        return of_tool(file, args, next);
    }
    // A relative path as it was typed, as in `ruby bin/rails server`.
    let shown = if script.starts_with('/') { file } else { script };
    let verb = verb(file, args, next).map_or_else(String::new, |verb| format!(" {verb}"));
    format!("{interpreter} {}{verb}", word(shown))
}

/// A program by its name, and what it was asked to do.
fn of_tool<T: AsRef<str>>(name: &str, args: &[T], next: usize) -> String {
    let verb = verb(name, args, next).map_or_else(String::new, |verb| format!(" {verb}"));
    format!("{}{verb}", word(name))
}

/// The first words after the tool's name that are no options; `None` if they say nothing about the tool.
fn verb<T: AsRef<str>>(tool: &str, args: &[T], next: usize) -> Option<String> {
    if !WITH_COMMAND.contains(&tool) {
        return None;
    }
    let mut words = args.iter().skip(next).map(AsRef::as_ref).filter(|arg| !arg.is_empty());
    if APPLICATION_SERVERS.contains(&tool) {
        return words.find(|arg| is_application(arg)).map(word);
    }
    let first = match words.next()? {
        // Options of the tool before its command, as in `flask --app web run`.
        option if option.starts_with('-') => return words.find(|arg| COMMANDS.contains(arg)).map(word),
        first => first,
    };
    let second = VERBS.contains(&first).then(|| words.next().filter(|arg| !arg.starts_with('-'))).flatten();
    let first = word(first);
    Some(second.map_or_else(|| first.clone(), |second| format!("{first} {}", word(second))))
}

/// `MODULE:NAME`, and not `HOST:PORT`.
fn is_application(word: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "_.()".contains(c))
    };
    word.split_once(':').is_some_and(|(module, name)| is_part(module) && is_part(name))
}

/// The tool that a title begins with, as in `puma 5.6.5 (tcp://127.0.0.1:3000)`, where the title has replaced the
/// arguments.
#[must_use]
pub fn titled_tool<T: AsRef<str>>(args: &[T]) -> Option<&str> {
    let mut words = args.iter().map(AsRef::as_ref).filter(|arg| !arg.is_empty());
    let title: &str = words.next().filter(|_| words.next().is_none())?;
    let first = title.split([' ', ':']).next()?;
    interpreter(file_name(first).trim_start_matches('-')).is_none().then_some(first)
}

/// A title that the program set in place of its arguments: `nginx: worker process`, `sshd: root@notty`, `npm run dev`.
fn title<T: AsRef<str>>(file: &str, args: &[T]) -> Option<String> {
    let mut words = args.iter().map(AsRef::as_ref).filter(|arg| !arg.is_empty());
    let only = words.next().filter(|_| words.next().is_none())?.trim_end();
    if let Some((name, role)) = only.split_once(": ") {
        // A master process repeats its whole command line.
        let role = role.split(" process").next().unwrap_or_default();
        let is_title = name == file || is_interpreter(file) && WITH_COMMAND.contains(&name);
        if is_title || !is_interpreter(file) {
            return (is_title && !role.is_empty()).then(|| format!("{} {}", word(name), word(role)));
        }
    }
    let mut words = only.split(' ').filter(|word| !word.is_empty());
    let first = words.next()?;
    let rest: Vec<&str> = words.collect();
    if WITH_COMMAND.contains(&first) && !rest.is_empty() {
        // Puma's title has its version there.
        let is_version = rest.first().is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit()));
        return Some(if is_version { word(first) } else { of_tool(first, &rest, 0) });
    }
    // The title of a program that an interpreter runs: `webpack`, `next-server (v14)`. A login shell has a dash before
    // its name.
    let is_own_name = interpreter(file_name(first).trim_start_matches('-')).is_some();
    if is_own_name && !rest.is_empty() && is_interpreter(file) {
        // The whole command line as a title, as pm2 writes it.
        let words: Vec<&str> = only.split(' ').filter(|word| !word.is_empty()).collect();
        return Some(runs("", Some(first.trim_start_matches('-')), &words));
    }
    (is_interpreter(file) && !is_own_name).then(|| word(file_name(first).trim_end_matches(':')))
}

/// A word for a sentence: without its secrets, cut, and escaped.
fn word(text: &str) -> String {
    Escaped(&mask_text(text)).cut(WORD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_described_in_the_words_of_their_ecosystem() {
        let python = Some("/usr/bin/python3.11");
        let node = Some("/usr/bin/node");
        let java = Some("/usr/lib/jvm/java-17/bin/java");
        let rows: &[(Option<&str>, &[&str], &str)] = &[
            (
                java,
                &["java", "-cp", "a.jar:b.jar", "-Xmx1g", "org.example.Main", "7"],
                "java org.example.Main",
            ),
            (java, &["java", "-Da=b", "-jar", "/srv/app.jar", "--x"], "java -jar app.jar"),
            (node, &["node", "server.js"], "node server.js"),
            (node, &["node", "/srv/app/server.js", "--port", "1"], "node server.js"),
            (node, &["node", "-e", "x"], "node"),
            (node, &["node", "/usr/lib/node_modules/npm/bin/npm-cli.js", "run", "dev"], "npm run dev"),
            (node, &["npm run dev", "", ""], "npm run dev"),
            (node, &["node", "/srv/node_modules/.bin/vite", "--port", "1"], "vite"),
            (node, &["node", "/srv/node_modules/.bin/next", "dev"], "next dev"),
            (python, &["python3", "-m", "http.server", "8000"], "python -m http.server"),
            (python, &["python3", "-m", "pytest", "tests/a.py"], "pytest tests/a.py"),
            (python, &["/v/bin/python", "/v/bin/gunicorn", "app:app"], "gunicorn app:app"),
            (
                python,
                &["/v/bin/python", "/v/bin/gunicorn", "-b", ":8000", "-w", "2", "a.b:app"],
                "gunicorn a.b:app",
            ),
            (python, &["python3", "-m", "uvicorn", "--port", "1", "a:make()"], "uvicorn \"a:make()\""),
            (python, &["/v/bin/python", "/v/bin/gunicorn", "-b", "localhost:8000"], "gunicorn"),
            (node, &["webpack", "", "", ""], "webpack"),
            (Some("/usr/bin/ruby3.1"), &["puma 5.6.5 (tcp://[::]:3000)", ""], "puma"),
            (node, &["next-server (v14.2.3)", ""], "next-server"),
            (node, &["node", "", ""], "node"),
            (Some("/bin/bash"), &["-bash"], "bash"),
            (
                Some("/usr/bin/php8.2"),
                &["php", "-S", "localhost:8000", "-t", "public"],
                "php -S localhost:8000",
            ),
            (
                Some("/usr/bin/ruby3.1"),
                &["ruby", "-run", "-e", "httpd", ".", "-p", "80"],
                "ruby -run -e httpd",
            ),
            (Some("/usr/bin/redis-check-rdb"), &["redis-server *:6379", ""], "redis-server"),
            (python, &["/v/bin/python", "/v/bin/flask", "--app", "x", "run"], "flask run"),
            (node, &["node --inspect /srv/app.js", "", ""], "node app.js"),
            (node, &["PM2 v5.3.0: God Daemon (/root/.pm2)", "", ""], "PM2"),
            (node, &["/usr/bin/node", "--watch", "a.js"], "node --watch a.js"),
            (python, &["python3", "manage.py", "runserver"], "python manage.py runserver"),
            (python, &["python3", "-c", "secret"], "python"),
            (Some("/usr/bin/ruby3.1"), &["ruby", "bin/rails", "server"], "ruby bin/rails server"),
            (Some("/usr/sbin/nginx"), &["nginx: master process nginx -c /x"], "nginx master"),
            (Some("/usr/sbin/sshd"), &["sshd: root@notty", "", ""], "sshd root@notty"),
            (Some("/usr/lib/erlang/bin/beam.smp"), &["beam.smp", "-x"], "beam.smp"),
            (Some("/opt/server (deleted)"), &["server"], "server"),
            (None, &["x"], "comm"),
        ];
        for (exe, args, expected) in rows {
            assert_eq!(runs("comm", *exe, args), *expected, "{exe:?} {args:?}");
        }
    }

    #[test]
    fn foreign_words_stay_words() {
        let evil = "a'; rm -rf / #\n::error::x";
        let shown = runs("comm", Some("/usr/bin/node"), &["node", evil]);
        assert!(!shown.contains('\n'), "{shown}");
        assert!(shown.len() < 120, "{shown}");
        let secret = runs("comm", Some("/usr/bin/node"), &["node", "https://u:hunter2@host/x.js"]);
        assert!(!secret.contains("hunter2"), "{secret}");
    }
}
