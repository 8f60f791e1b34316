use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};

use super::*;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn stale(&self, name: &str) {
        drop(UnixListener::bind(self.at(name)).unwrap());
    }

    fn spot(&self, name: &str) -> Spot {
        Spot::open(&self.at(name)).unwrap()
    }

    /// The names in the folder.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn the_pinned_file_is_removed() {
    let place = Place::new();
    place.stale("s");
    let spot = place.spot("s");
    let pinned = spot.pin().unwrap().unwrap();
    assert_eq!(pinned.object, Object::StaleSocket);
    assert_eq!(spot.take(Step::Remove(pinned.identity)).unwrap(), Taken::Done);
    assert!(place.names().is_empty());
    assert_eq!(spot.take(Step::Remove(pinned.identity)).unwrap(), Taken::Gone);
    assert!(spot.pin().unwrap().is_none());
}

#[test]
fn a_hard_link_of_it_stays() {
    let place = Place::new();
    place.stale("s");
    fs::hard_link(place.at("s"), place.at("t")).unwrap();
    let spot = place.spot("s");
    let pinned = spot.pin().unwrap().unwrap();
    assert_eq!(spot.take(Step::Remove(pinned.identity)).unwrap(), Taken::Done);
    assert_eq!(place.names(), ["t"]);
}

#[test]
fn all_that_took_its_name_is_put_back() {
    let place = Place::new();
    place.stale("s");
    let spot = place.spot("s");
    let pinned = spot.pin().unwrap().unwrap();
    fs::remove_file(place.at("s")).unwrap();
    let live = UnixListener::bind(place.at("s")).unwrap();
    assert_eq!(spot.take(Step::Remove(pinned.identity)).unwrap(), Taken::Replaced);
    // As if the new file had taken the name after the last check: only the remaining steps are run.
    assert_eq!(spot.rename(&spot.name, &spot.aside).unwrap(), Taken::Done);
    assert_eq!(place.names(), [".s.portbind-stale"]);
    assert_eq!(spot.discard(pinned.identity).unwrap(), Taken::Replaced);
    assert_eq!(spot.restore().unwrap(), Taken::Done);
    assert_eq!(place.names(), ["s"]);
    UnixStream::connect(place.at("s")).unwrap();
    drop(live);
}

#[test]
fn nothing_is_replaced() {
    let place = Place::new();
    place.stale("s");
    let aside = UnixListener::bind(place.at(".s.portbind-stale")).unwrap();
    let spot = place.spot("s");
    let pinned = spot.pin().unwrap().unwrap();
    assert_eq!(spot.take(Step::Remove(pinned.identity)).unwrap(), Taken::Occupied);
    assert_eq!(spot.take(Step::Restore).unwrap(), Taken::Occupied);
    assert_eq!(spot.take(Step::Discard(pinned.identity)).unwrap(), Taken::Replaced);
    assert_eq!(place.names(), [".s.portbind-stale", "s"]);
    UnixStream::connect(place.at(".s.portbind-stale")).unwrap();
    drop(aside);
}

#[test]
fn all_that_was_left_is_recognised() {
    let place = Place::new();
    place.stale(".s.portbind-stale");
    let spot = place.spot("s");
    let left = spot.pin_aside().unwrap().unwrap();
    assert_eq!(left.object, Object::StaleSocket);
    assert_eq!(spot.take(Step::Restore).unwrap(), Taken::Done);
    assert_eq!(place.names(), ["s"]);
    place.stale(".s.portbind-stale");
    let left = spot.pin_aside().unwrap().unwrap();
    assert_eq!(spot.take(Step::Discard(left.identity)).unwrap(), Taken::Done);
    assert_eq!(place.names(), ["s"]);
    assert_eq!(aside(&place.at("s")), Some(place.at(".s.portbind-stale")));
    assert_eq!(aside(Path::new("/")), None);
}

#[test]
fn all_that_anybody_can_have_put_there_is_not_recovered() {
    let place = Place::new();
    let mode = |mode| fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(mode)).unwrap();
    let spot = place.spot("s");
    let aside = place.at(".s.portbind-stale");
    let is_left = || {
        assert_eq!(left_aside(&place.at("s")).is_some(), spot.leftover().unwrap().is_some());
        spot.leftover().unwrap().is_some()
    };
    assert!(!is_left());
    fs::write(&aside, "").unwrap();
    assert!(!is_left());
    fs::remove_file(&aside).unwrap();
    place.stale(".s.portbind-stale");
    for folder in [0o755, 0o775, 0o1777] {
        mode(folder);
        assert!(is_left(), "{folder:o}");
    }
    if !rustix::process::geteuid().is_root() {
        return;
    }
    std::os::unix::fs::lchown(&aside, Some(4711), None).unwrap();
    for (folder, expected) in [(0o755, true), (0o775, false), (0o1777, false), (0o757, false)] {
        mode(folder);
        assert_eq!(is_left(), expected, "{folder:o}");
    }
    std::os::unix::fs::chown(place.folder.path(), Some(4711), None).unwrap();
    mode(0o1777);
    assert!(is_left());
}

#[test]
fn links_of_others_lead_nowhere() {
    let place = Place::new();
    let own = rustix::process::geteuid().as_raw();
    let owner = fs::metadata(place.folder.path()).unwrap().uid();
    let mut spot = place.spot("s");
    assert_eq!((spot.rights(owner).unwrap(), owner), (Rights::Own, own));
    spot.links = vec![0, own];
    assert_eq!(spot.rights(owner).unwrap(), Rights::Own);
    spot.links = vec![4711];
    assert_eq!(spot.rights(owner).unwrap(), Rights::Led(4711));
    assert!(Spot::open(Path::new("/")).is_err() && Spot::open(&place.at("none/s")).is_err());
}
