//! The time zone of this machine.

use std::env;
use std::fs;
use std::path::Path;

use jiff::tz::TimeZone;

/// What the zone is a link to, or a copy of.
const LOCALTIME: &str = "/etc/localtime";
/// What stands before the name of a zone in the path of its file.
const FOLDER: &str = "zoneinfo/";

/// The time zone of who started this process: `TZ`, or else the machine's.
#[must_use]
pub fn local() -> TimeZone {
    // What is in TZ has many forms, which jiff knows. For the machine's zone, too, it would go through all files of
    // the time zone database first, to look up one name there.
    let of_machine = env::var_os("TZ").is_none().then(|| read(Path::new(LOCALTIME))).flatten();
    of_machine.unwrap_or_else(TimeZone::system)
}

/// The zone that a file describes, with the name that a link to it tells.
fn read(path: &Path) -> Option<TimeZone> {
    let bytes = fs::read(path).ok()?;
    let target = fs::read_link(path).unwrap_or_default();
    let name = target.to_str().and_then(|target| Some(target.rsplit_once(FOLDER)?.1));
    TimeZone::tzif(name.unwrap_or("Local"), &bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use jiff::Timestamp;

    use super::*;

    /// Of version 1, without transitions: one type of local time, an hour east of Greenwich, with the name `ABC`.
    fn zone() -> Vec<u8> {
        let counts = [0_u32, 0, 0, 0, 1, 4];
        let counts = counts.iter().flat_map(|count| count.to_be_bytes());
        let local_time = 3600_u32.to_be_bytes().into_iter().chain([0, 0]);
        b"TZif".iter().copied().chain([0; 16]).chain(counts).chain(local_time).chain(*b"ABC\0").collect()
    }

    #[test]
    fn zones_of_links_and_copies() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("zoneinfo/Some/Town");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, zone()).unwrap();
        let link = root.path().join("localtime");
        symlink(&file, &link).unwrap();
        for (path, name) in [(&link, "Some/Town"), (&file, "Local")] {
            let zone = read(path).unwrap();
            assert_eq!(zone.iana_name(), Some(name));
            assert_eq!(zone.to_offset(Timestamp::UNIX_EPOCH).seconds(), 3600);
        }
    }

    #[test]
    fn what_is_no_zone_is_none() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("localtime");
        assert_eq!(read(&path), None);
        fs::write(&path, b"no zone").unwrap();
        assert_eq!(read(&path), None);
    }

    #[test]
    fn as_jiff_finds_it() {
        let now = Timestamp::now();
        assert_eq!(local().to_offset(now), TimeZone::system().to_offset(now));
    }
}
