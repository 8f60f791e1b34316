//! Files that a page may go to, and files that it may not.

use std::fs;
use std::os::unix::fs::symlink;

use rustix::fs::{CWD, FileType, mknodat};

use super::*;

fn identity(name: &str, value: &Path) -> Identity {
    let environment = [(OsString::from(name), value.as_os_str().to_owned())].into();
    Identity { uid: 0, becomes: None, umask: None, environment }
}

fn refused(path: &Path) -> String {
    let identity = identity("GITHUB_STEP_SUMMARY", path);
    append(&identity, |_| Some("page".to_owned())).unwrap_err().to_string()
}

#[test]
fn a_page_is_appended_within_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("summary");
    fs::write(&path, "before\n").unwrap();
    let identity = identity("GITHUB_STEP_SUMMARY", &path);
    let mut told = 0;
    let page = |room| {
        told = room;
        Some("page\n".to_owned())
    };
    assert_eq!(append(&identity, page).unwrap(), Page::Shown);
    assert_eq!(fs::read_to_string(&path).unwrap(), "before\npage\n");
    assert_eq!(told, PAGE_LIMIT - 7);
    let error = append(&identity, |_| None).unwrap_err().to_string();
    assert!(error.contains("1 MiB"), "{error}");
}

#[test]
fn nothing_but_a_regular_file_that_is_there_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let [target, link, fifo, none] = ["target", "link", "fifo", "none"].map(|name| folder.path().join(name));
    fs::write(&target, "").unwrap();
    symlink(&target, &link).unwrap();
    mknodat(CWD, &fifo, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    for path in [&link, &fifo, &none, &folder.path().to_owned(), &PathBuf::from("/dev/null")] {
        assert!(refused(path).contains(&path.display().to_string()));
    }
    assert_eq!(fs::read_to_string(&target).unwrap(), "");
    assert!(!none.exists());
}

#[test]
fn a_page_of_azure_is_a_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let identity = identity("AGENT_TEMPDIRECTORY", folder.path());
    let page = |_| Some("page".to_owned());
    let Page::At(path) = create(&identity, page).unwrap() else { panic!("no file") };
    assert_eq!(fs::read_to_string(&path).unwrap(), "page");
    fs::remove_file(&path).unwrap();
    let target = folder.path().join("target");
    symlink(&target, &path).unwrap();
    assert!(create(&identity, page).is_err());
    assert!(!target.exists());
}

#[test]
fn without_a_file_or_a_program_there_is_no_page() {
    let page = |_| Some("page".to_owned());
    let folder = tempfile::tempdir().unwrap();
    let identity = identity("PATH", folder.path());
    assert_eq!(append(&identity, page).unwrap(), Page::Nowhere);
    assert_eq!(create(&identity, page).unwrap(), Page::Nowhere);
    assert_eq!(annotate(&identity, page).unwrap(), Page::Nowhere);
    fs::write(folder.path().join(AGENT), "no program").unwrap();
    assert_eq!(annotate(&identity, page).unwrap(), Page::Nowhere);
}
