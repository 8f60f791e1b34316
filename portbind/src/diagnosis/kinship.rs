//! How two processes are related: the same program, or a common ancestor.

use std::path::{Component, Path, PathBuf};

use crate::diagnosis::program::{file_name, is_interpreter, script, titled_tool};
use crate::event::Process;

/// Two instances of one program: the same executable and, for an interpreter, the same script.
pub(super) fn same_program(one: &Process, other: &Process) -> bool {
    if one.pid == other.pid || !same_executable(one, other) {
        return false;
    }
    if !one.exe.as_deref().is_some_and(is_interpreter) {
        return true;
    }
    match (script(&one.args), script(&other.args)) {
        (Some(script), Some(same)) if script == same => true,
        (Some(("", script)), Some(("", same))) if is_path(script) && is_path(same) => {
            absolute(one, script).is_some_and(|path| absolute(other, same) == Some(path))
        }
        (Some(("", script)), None) => titled_tool(&other.args) == Some(file_name(script)),
        (None, Some(("", script))) => titled_tool(&one.args) == Some(file_name(script)),
        (None, None) => {
            let tool = titled_tool(&one.args);
            tool.is_some() && tool == titled_tool(&other.args)
        }
        _ => false,
    }
}

/// The same file; for what `go run` builds, which has a new folder in each run, the same name, and no other folder.
fn same_executable(one: &Process, other: &Process) -> bool {
    let (Some(exe), Some(same)) = (one.exe.as_deref(), other.exe.as_deref()) else { return false };
    let is_built = |exe: &str| exe.contains("/go-build") && exe.contains("/exe/");
    let is_one_build = || is_built(exe) && is_built(same) && file_name(exe) == file_name(same);
    let is_elsewhere = one.cwd.is_some() && other.cwd.is_some() && one.cwd != other.cwd;
    exe == same || is_one_build() && !is_elsewhere
}

/// Whether a script is named as a file, and not as a class of Java.
fn is_path(script: &str) -> bool {
    script.contains('/') || script.contains('.')
}

/// The path of a script as seen from the root of its process.
fn absolute(process: &Process, script: &str) -> Option<PathBuf> {
    let folder = process.cwd.as_deref().unwrap_or_default();
    let path = Path::new(folder).join(script);
    let parts = path.components().filter(|part| !matches!(part, Component::CurDir));
    path.is_absolute().then(|| parts.collect())
}

/// How two processes are related.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kinship {
    /// The same process, or one is an ancestor of the other.
    Line,
    /// Children of one process (other than process 1, which adopts orphans).
    Siblings,
    /// Not related.
    None,
}

/// How two processes are related, as far as their ancestors are known.
pub(super) fn kinship(one: &Process, other: &Process) -> Kinship {
    let above = |process: &Process, pid| process.ancestors.iter().any(|ancestor| ancestor.pid == pid);
    let parent =
        |process: &Process| process.ancestors.first().map(|ancestor| ancestor.pid).filter(|pid| *pid != 1);
    if one.pid == other.pid || above(one, other.pid) || above(other, one.pid) {
        Kinship::Line
    } else if parent(one).is_some() && parent(one) == parent(other) {
        Kinship::Siblings
    } else {
        Kinship::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Ancestor;

    type Program = (&'static str, &'static [&'static str]);

    fn process(pid: u32, exe: &str, args: &[&str]) -> Process {
        let args = args.iter().map(|&arg| arg.to_owned()).collect();
        let cwd = Some("/srv".to_owned());
        Process { pid, exe: Some(exe.to_owned()), args, cwd, ..Process::default() }
    }

    #[test]
    fn programs_are_the_same_by_executable_and_script() {
        let python = "/usr/bin/python3.11";
        let ruby = "/usr/bin/ruby3.1";
        let java = "/usr/lib/jvm/java-17/bin/java";
        let rows: [(Program, Program, bool); 20] = [
            ((ruby, &["puma 5.6.5 (tcp://[::]:3000)"]), (ruby, &["puma 5.6.5 (tcp://[::]:3001)"]), true),
            ((ruby, &["puma 5.6.5"]), (ruby, &["rails server"]), false),
            (("/bin/nginx", &["nginx"]), ("/bin/nginx", &["nginx", "-g", "x"]), true),
            (("/bin/nginx", &["nginx"]), ("/bin/caddy", &["caddy"]), false),
            ((python, &["python3", "a.py"]), (python, &["python3", "a.py", "--port", "1"]), true),
            ((python, &["python3", "-u", "a.py"]), (python, &["python3", "b.py"]), false),
            (
                (python, &["python3", "-m", "http.server"]),
                (python, &["python3", "-m", "http.server", "1"]),
                true,
            ),
            ((python, &["python3", "-m", "http.server"]), (python, &["python3", "http.server"]), false),
            ((python, &["python3", "-c", "x"]), (python, &["python3", "-c", "x"]), false),
            ((ruby, &["ruby", "-run", "-e", "httpd"]), (ruby, &["ruby", "-run", "-e", "httpd", "."]), true),
            ((ruby, &["puma 5.6.5 (tcp://[::]:3000)"]), (ruby, &["ruby", "/usr/bin/puma", "-p", "1"]), true),
            ((ruby, &["puma 5.6.5 (tcp://[::]:3000)"]), (ruby, &["ruby", "/usr/bin/rackup"]), false),
            ((python, &["python3", "a.py"]), (python, &["python3", "/srv/a.py"]), true),
            ((python, &["python3", "./a.py"]), (python, &["python3", "a.py"]), true),
            ((python, &["python3", "b/a.py"]), (python, &["python3", "/srv/a.py"]), false),
            (("/tmp/go-build1/b001/exe/web", &["web"]), ("/tmp/go-build2/b001/exe/web", &["web"]), true),
            (("/tmp/go-build1/b001/exe/web", &["web"]), ("/tmp/go-build2/b001/exe/api", &["api"]), false),
            ((java, &["java", "org.example.Main"]), (java, &["java", "org.example.Main", "1"]), true),
            ((java, &["java", "-jar", "a.jar"]), (java, &["java", "-Xmx1g", "-jar", "a.jar"]), true),
            ((java, &["java", "Main"]), (java, &["java", "Other"]), false),
        ];
        for ((one_exe, one_args), (other_exe, other_args), expected) in rows {
            let (one, other) = (process(1, one_exe, one_args), process(2, other_exe, other_args));
            assert_eq!(same_program(&one, &other), expected, "{one_args:?} {other_args:?}");
            assert_eq!(same_program(&other, &one), expected, "{other_args:?} {one_args:?}");
        }
        let unknown = Process { pid: 3, ..Process::default() };
        assert!(!same_program(&unknown, &unknown));
    }

    #[test]
    fn kin_is_a_line_or_one_parent() {
        let with = |pid, above: &[u32]| Process {
            pid,
            ancestors: above.iter().map(|&pid| Ancestor::new(pid, String::new())).collect(),
            ..Process::default()
        };
        assert_eq!(kinship(&with(5, &[4, 3]), &with(3, &[1])), Kinship::Line);
        assert_eq!(kinship(&with(3, &[1]), &with(5, &[4, 3])), Kinship::Line);
        assert_eq!(kinship(&with(5, &[4]), &with(6, &[4])), Kinship::Siblings);
        assert_eq!(kinship(&with(5, &[1]), &with(6, &[1])), Kinship::None);
        assert_eq!(kinship(&with(5, &[4, 3]), &with(6, &[2, 3])), Kinship::None);
    }
}
