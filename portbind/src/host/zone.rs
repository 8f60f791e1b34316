//! The time zone of this machine.

use std::env;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Component, Path};

use jiff::tz::TimeZone;

/// A link to the file of the zone, or a copy of that file.
const LOCALTIME: &str = "/etc/localtime";
/// The text before the name of a zone in the path of its file.
const FOLDER: &str = "zoneinfo/";

/// The folder of the zones (tzset(3)).
const DATABASE: &str = "/usr/share/zoneinfo";
/// The most bytes of a zone file that are read; a file of the database has a few KiB.
const MAX_BYTES: u64 = 256 * 1024;

/// The time zone of the user who started this process: `TZ`, otherwise the machine's.
///
/// `TZ` names a file by any path (tzset(3)), and may come from a user who has fewer rights to read files than this
/// process. So the name is looked up in the database of zones only, and `TZDIR` is ignored.
#[must_use]
pub fn local() -> TimeZone {
    let named = env::var_os("TZ").map(|value| by_name(Path::new(DATABASE), value.to_str()?));
    named.unwrap_or_else(|| read(Path::new(LOCALTIME))).unwrap_or(TimeZone::UTC)
}

/// The zone that a value of `TZ` names: a zone of the database, also by its path there, or a POSIX rule. UTC if the
/// value is empty.
fn by_name(database: &Path, value: &str) -> Option<TimeZone> {
    let value = value.strip_prefix(':').unwrap_or(value);
    if value.is_empty() {
        return Some(TimeZone::UTC);
    }
    let path = Path::new(value);
    if path == Path::new(LOCALTIME) {
        return read(path);
    }
    let name = path.strip_prefix(database).unwrap_or(path);
    let is_below = name.components().all(|part| matches!(part, Component::Normal(_)));
    let found = is_below.then(|| read(&database.join(name))).flatten();
    found.or_else(|| TimeZone::posix(value).ok())
}

/// The zone that a file describes; its name comes from the target of a link to the file.
fn read(path: &Path) -> Option<TimeZone> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    let target = fs::read_link(path).unwrap_or_default();
    let name = target.to_str().and_then(|target| Some(target.rsplit_once(FOLDER)?.1));
    TimeZone::tzif(name.unwrap_or("Local"), &bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use jiff::Timestamp;

    use super::*;

    /// Version 1, without transitions: one type of local time, an hour east of Greenwich, with the name `ABC`.
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
    fn a_wrong_zone_is_none() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("localtime");
        assert_eq!(read(&path), None);
        fs::write(&path, b"no zone").unwrap();
        assert_eq!(read(&path), None);
    }

    #[test]
    fn all_that_tz_names_is_searched_in_the_database_only() {
        let root = tempfile::tempdir().unwrap();
        let database = root.path().join("zoneinfo");
        fs::create_dir_all(database.join("Some")).unwrap();
        for file in [database.join("Some/Town"), root.path().join("secret")] {
            fs::write(file, zone()).unwrap();
        }
        let offset = |value: &str| {
            by_name(&database, value).map(|zone| zone.to_offset(Timestamp::UNIX_EPOCH).seconds())
        };
        let within = database.join("Some/Town").display().to_string();
        for value in ["Some/Town", ":Some/Town", &within, &format!(":{within}")] {
            assert_eq!(offset(value), Some(3600), "{value}");
        }
        let outside = root.path().join("secret").display().to_string();
        for value in
            ["../secret", ":../secret", "Some/../../secret", &outside, &format!(":{outside}"), "No/Town", "."]
        {
            assert_eq!(offset(value), None, "{value}");
        }
        assert_eq!(
            (offset(""), offset(":"), offset("CET-1CEST,M3.5.0,M10.5.0/3")),
            (Some(0), Some(0), Some(3600))
        );
    }

    #[test]
    fn as_jiff_finds_it() {
        let now = Timestamp::now();
        assert_eq!(local().to_offset(now), TimeZone::system().to_offset(now));
    }
}
