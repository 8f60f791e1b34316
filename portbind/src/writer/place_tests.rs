//! Paths that root follows or refuses; files that are replaced or kept.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::place::{Rights, append, append_existing, create, replace};
use super::refused::Refused;
use super::walk::find;

const BOTH: [Rights; 2] = [Rights::Root, Rights::User];

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    (folder, path)
}

fn reason<T: std::fmt::Debug>(result: std::io::Result<T>) -> Option<Refused> {
    result.unwrap_err().get_ref().and_then(|inner| inner.downcast_ref()).cloned()
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn names(path: &Path) -> Vec<String> {
    let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn a_file_is_made_once_and_appended_to() {
    for rights in BOTH {
        let (_kept, path) = folder();
        let file = path.join("file");
        append(&file, rights).unwrap().write_all(b"one\n").unwrap();
        append(&file, rights).unwrap().write_all(b"two\n").unwrap();
        assert_eq!((fs::read_to_string(&file).unwrap().as_str(), mode(&file)), ("one\ntwo\n", 0o600));
    }
}

#[test]
fn root_goes_through_no_link_of_others() {
    let (_kept, path) = folder();
    let [target, link, inner] = ["target", "link", "folder/link"].map(|name| path.join(name));
    fs::create_dir(path.join("folder")).unwrap();
    fs::write(&target, "precious").unwrap();
    symlink(&target, &link).unwrap();
    symlink("..", &inner).unwrap();
    symlink(path.join("none"), path.join("dangling")).unwrap();
    for through in [link.clone(), path.join("dangling"), inner.join("target"), inner.join("folder/../target")]
    {
        assert!(matches!(reason(append(&through, Rights::Root)), Some(Refused::Link(_))), "{through:?}");
        assert!(append_existing(&through, Rights::Root).is_err(), "{through:?}");
    }
    assert!(matches!(reason(create(&inner.join("new"), Rights::Root)), Some(Refused::Link(_))));
    assert!(matches!(reason(replace(&inner.join("new"), Rights::Root)), Some(Refused::Link(_))));
    // The link in the folder is replaced, and not its target.
    let opened = replace(&link, Rights::Root).unwrap();
    opened.temporary.unwrap().finish().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_file());
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    assert!(!path.join("none").exists() && !path.join("new").exists());
}

#[test]
fn a_user_may_go_where_the_kernel_lets_it() {
    let (_kept, path) = folder();
    symlink("target", path.join("link")).unwrap();
    append(&path.join("link"), Rights::User).unwrap();
    assert!(path.join("target").exists());
    // The page of a step is a file that GitHub created, never a link.
    assert!(append_existing(&path.join("link"), Rights::User).is_err());
}

#[test]
fn links_of_the_system_are_followed() {
    // hier(7): a link of root's in a folder of root's, on every Debian and in every Debian-based container.
    let (target, link) = (Path::new("/run"), Path::new("/var/run"));
    if fs::symlink_metadata(link).is_ok_and(|link| link.is_symlink() && link.uid() == 0) {
        let found = rustix::fs::fstat(find(&link.join("file")).unwrap().folder).unwrap();
        assert_eq!(found.st_ino, fs::metadata(target).unwrap().ino());
    }
    let refused = reason(find(Path::new("/proc/self/root/tmp/file")));
    assert_eq!(refused, Some(Refused::Link("/proc/self".into())));
}

#[test]
fn a_path_has_to_name_a_file() {
    let (_kept, path) = folder();
    for rights in BOTH {
        for wrong in ["", "/", ".", "..", "folder/", "none/file", "file/more"] {
            let wrong =
                if wrong.starts_with('/') || wrong.is_empty() { wrong.into() } else { path.join(wrong) };
            fs::write(path.join("file"), "").unwrap();
            assert!(append(&wrong, rights).is_err(), "{wrong:?}");
            assert!(replace(&wrong, rights).is_err(), "{wrong:?}");
        }
    }
    assert_eq!(names(&path), ["file"]);
}

#[test]
fn root_writes_to_no_file_with_another_name() {
    let (_kept, path) = folder();
    let [target, link] = ["target", "link"].map(|name| path.join(name));
    fs::write(&target, "precious").unwrap();
    fs::hard_link(&target, &link).unwrap();
    assert_eq!(reason(append(&link, Rights::Root)), Some(Refused::HardLink));
    assert_eq!(reason(append_existing(&link, Rights::Root)), Some(Refused::HardLink));
    // Only the name is replaced.
    let opened = replace(&link, Rights::Root).unwrap();
    (&opened.file).write_all(b"page").unwrap();
    opened.temporary.unwrap().finish().unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    assert_eq!(fs::read_to_string(&link).unwrap(), "page");
}

#[test]
fn nothing_but_a_regular_file_is_the_page_of_a_step() {
    let (_kept, path) = folder();
    let fifo = path.join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    for rights in BOTH {
        for wrong in [&fifo, &path, &path.join("none"), &PathBuf::from("/dev/null")] {
            assert!(append_existing(wrong, rights).is_err(), "{wrong:?}");
        }
    }
    assert_eq!(names(&path), ["fifo"]);
}

#[test]
fn a_pipe_gets_a_reader_in_time() {
    let (_kept, path) = folder();
    let fifo = path.join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let reader = std::thread::spawn({
        let fifo = fifo.clone();
        move || fs::read_to_string(fifo).unwrap()
    });
    append(&fifo, Rights::User).unwrap().write_all(b"line").unwrap();
    assert_eq!(reader.join().unwrap(), "line");
    assert_eq!(reason(append(&fifo, Rights::User)), Some(Refused::NoReader));
    assert_eq!(reason(replace(&fifo, Rights::User)), Some(Refused::NoReader));
}

#[test]
fn all_that_is_replaced_stays_until_the_end() {
    for rights in BOTH {
        let (_kept, path) = folder();
        let page = path.join("page");
        fs::write(&page, "old").unwrap();
        fs::set_permissions(&page, fs::Permissions::from_mode(0o640)).unwrap();
        let opened = replace(&page, rights).unwrap();
        (&opened.file).write_all(b"new").unwrap();
        assert_eq!(fs::read_to_string(&page).unwrap(), "old");
        opened.temporary.unwrap().finish().unwrap();
        assert_eq!((fs::read_to_string(&page).unwrap().as_str(), mode(&page)), ("new", 0o640));
        // An abandoned replacement leaves no file.
        drop(replace(&page, rights).unwrap());
        drop(replace(&path.join("other"), rights).unwrap());
        assert_eq!(names(&path), ["page"]);
    }
}

#[test]
fn a_device_is_written_and_not_replaced() {
    for rights in BOTH {
        let opened = replace(Path::new("/dev/null"), rights).unwrap();
        assert!(opened.temporary.is_none());
    }
}

#[test]
fn a_new_page_is_for_everybody_and_never_an_old_one() {
    let (_kept, path) = folder();
    let page = path.join("page");
    create(&page, Rights::Root).unwrap();
    assert_eq!(mode(&page) & 0o644, mode(&page));
    assert!(create(&page, Rights::Root).is_err());
    symlink(path.join("target"), path.join("link")).unwrap();
    assert!(create(&path.join("link"), Rights::User).is_err());
    assert!(!path.join("target").exists());
}

#[test]
fn a_long_name_has_room_for_its_temporary_one() {
    let (_kept, path) = folder();
    let page = path.join("n".repeat(255));
    replace(&page, Rights::User).unwrap().temporary.unwrap().finish().unwrap();
    assert!(page.exists());
}
