use std::fs;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::thread;

use proptest::prelude::*;
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, openat};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{getgid, getuid};

use super::git;
use super::head::{is_name, name};
use super::question::{ANSWER, QUESTION, Question, answer, branch};
use super::server::serve;
use crate::host::helper::{receive, send};

/// Makes something in a folder, with another folder that it may lead to.
type Make = fn(&Path, &Path);

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn root(path: &Path) -> OwnedFd {
    openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap()
}

/// The branch around a folder, for this test's user.
fn branch_around(place: &Path, folder: &str) -> Option<String> {
    git::branch(root(place).as_fd(), folder.as_bytes(), getuid().as_raw())
}

fn write(place: &Path, path: &str, text: &str) {
    let path = place.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn a_branch_is_read_from_below() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    write(place, "srv/app/.git/HEAD", "ref: refs/heads/feature/login\n");
    write(place, "srv/app/src/x", "");
    write(place, "srv/other/.git/HEAD", COMMIT);
    for folder in ["/srv/app", "/srv/app/src", "/srv/./app/../app/src/"] {
        assert_eq!(branch_around(place, folder).as_deref(), Some("feature/login"), "{folder}");
    }
    assert_eq!(branch_around(place, "/srv/other").as_deref(), Some("0123456789ab"));
    for folder in ["/srv", "/", "/none", "/srv/app/src/x"] {
        assert_eq!(branch_around(place, folder), None, "{folder}");
    }
    assert_eq!(git::branch(root(place).as_fd(), b"/srv/app", 4711).is_some(), getuid().is_root());
}

#[test]
fn a_linked_work_tree_is_followed_below_the_root() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    write(place, "srv/app/.git/worktrees/b/HEAD", "ref: refs/heads/b\n");
    write(place, "srv/b/.git", "gitdir: /srv/app/.git/worktrees/b\n");
    write(place, "srv/app/.git/modules/m/HEAD", "ref: refs/heads/m\n");
    write(place, "srv/app/m/.git", "gitdir: ../.git/modules/m\n");
    assert_eq!(branch_around(place, "/srv/b").as_deref(), Some("b"));
    assert_eq!(branch_around(place, "/srv/app/m").as_deref(), Some("m"));
}

#[test]
fn nothing_but_a_small_file_without_links_is_read() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    write(place, "real/HEAD", "ref: refs/heads/main\n");
    let rows: [(&str, Make); 6] = [
        ("linked", |folder, real| symlink(real, folder.join(".git")).unwrap()),
        ("link-within", |folder, real| {
            fs::create_dir(folder.join(".git")).unwrap();
            symlink(real.join("HEAD"), folder.join(".git/HEAD")).unwrap();
        }),
        ("pipe", |folder, _| {
            fs::create_dir(folder.join(".git")).unwrap();
            let pipe = folder.join(".git/HEAD");
            mknodat(CWD, pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        }),
        ("large", |folder, _| write(folder, ".git/HEAD", &format!("ref: refs/heads/a{}", "\n".repeat(4096)))),
        ("secret", |folder, _| write(folder, ".git/HEAD", "root:$6$x:19000:0:99999:7:::\n")),
        ("control", |folder, _| write(folder, ".git/HEAD", "ref: refs/heads/a\u{1b}[2J\n")),
    ];
    for (folder, make) in rows {
        let path = place.join(folder);
        fs::create_dir(&path).unwrap();
        make(&path, &place.join("real"));
        assert_eq!(branch_around(place, &format!("/{folder}")), None, "{folder}");
    }
}

#[test]
fn git_agrees() {
    let place = tempfile::tempdir().unwrap();
    let git = |folder: &str, words: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@b", "-C"]).arg(place.path().join(folder));
        command.args(words).output().unwrap().status.success()
    };
    assert!(git("", &["init", "--quiet", "--initial-branch", "trunk", "app"]));
    assert!(git("app", &["commit", "--quiet", "--allow-empty", "--message", "m"]));
    assert!(git("app", &["worktree", "add", "--quiet", "-b", "topic", "../topic"]));
    let of = |folder: &str| {
        let folder = place.path().join(folder);
        git::branch(root(Path::new("/")).as_fd(), folder.to_str().unwrap().as_bytes(), getuid().as_raw())
    };
    assert_eq!((of("app").as_deref(), of("topic").as_deref()), (Some("trunk"), Some("topic")));
}

#[test]
fn the_helper_answers_and_lives_on() {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), "app/.git/HEAD", "ref: refs/heads/main\n");
    let link = || socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    let (ours, theirs) = link();
    let helper = thread::spawn(move || serve(theirs.as_fd()));
    let ask = |bytes: &[u8]| {
        send(ours.as_fd(), bytes, Some(root(place.path()).as_fd())).unwrap();
        branch(&receive::<ANSWER>(ours.as_fd()).unwrap().unwrap().0.unwrap())
    };
    let question = Question { uid: getuid().as_raw(), gid: getgid().as_raw(), folder: b"/app" };
    let is_root = getuid().is_root();
    for _ in 0..3 {
        assert_eq!(ask(&[1; 5]), None);
        assert_eq!(ask(&[0xff; QUESTION]), None);
        assert_eq!(ask(&question.to_bytes().unwrap()).is_some(), is_root);
    }
    drop(ours);
    helper.join().unwrap().unwrap();
}

proptest! {
    #[test]
    fn any_answer_is_a_name_or_nothing(bytes in proptest::collection::vec(any::<u8>(), ANSWER)) {
        if let Some(name) = branch(&bytes.try_into().unwrap()) {
            prop_assert!(is_name(&name));
        }
    }

    #[test]
    fn any_text_is_a_name_or_nothing(text in ".{0,200}") {
        if let Some(name) = name(&text) {
            prop_assert_eq!(branch(&answer(Some(&name))), Some(name));
        }
    }

    #[test]
    fn a_question_survives_the_way(uid: u32, gid: u32, folder in proptest::collection::vec(any::<u8>(), 0..1024)) {
        let question = Question { uid, gid, folder: &folder };
        let bytes = question.to_bytes().unwrap();
        prop_assert_eq!(Question::of_bytes(&bytes), Some(question));
    }
}
