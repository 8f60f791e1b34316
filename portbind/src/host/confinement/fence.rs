//! Restricts a helper to changing files in the folders that were opened for it.

use std::io;
use std::os::fd::BorrowedFd;

use landlock::{
    ABI, AccessFs, BitFlags, PathBeneath, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError,
};

/// The newest Landlock version whose rights are requested; an older kernel has fewer of these rights, or none (before
/// 5.13), and enforces the rights that it has.
const NEWEST: ABI = ABI::V3;

/// Makes the kernel refuse this process, for good, to make, change, rename or remove files outside of these folders;
/// inside of them, only regular files are permitted. A descriptor that is already open can still be written to. A
/// kernel without Landlock is no error.
///
/// # Errors
/// The kernel's error.
pub fn fence(folders: &[BorrowedFd<'_>]) -> io::Result<()> {
    let of_files: BitFlags<AccessFs> =
        AccessFs::WriteFile | AccessFs::Truncate | AccessFs::MakeReg | AccessFs::RemoveFile;
    let rules = folders.iter().map(|folder| Ok::<_, RulesetError>(PathBeneath::new(folder, of_files)));
    let fenced = Ruleset::default()
        .handle_access(AccessFs::from_write(NEWEST))
        .and_then(Ruleset::create)
        .and_then(|ruleset| ruleset.add_rules(rules))
        // no_new_privs is set already, and the filter of system calls refuses prctl(2).
        .and_then(|ruleset| ruleset.no_new_privs(false).restrict_self());
    fenced.map(drop).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::fd::AsFd as _;
    use std::thread;

    use super::*;

    #[test]
    fn files_outside_of_the_folders_are_not_changed() {
        let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (new, old) = (inside.path().join("new"), outside.path().join("old"));
        fs::write(&old, "old").unwrap();
        let folder = File::open(inside.path()).unwrap();
        // A fence applies to one thread, and ends with that thread.
        let paths = (new.clone(), old.clone());
        thread::spawn(move || {
            rustix::thread::set_no_new_privs(true).unwrap();
            fence(&[folder.as_fd()]).unwrap();
            let (new, old) = paths;
            fs::write(&new, "x").unwrap();
            fs::rename(&new, new.with_extension("renamed")).unwrap();
            assert!(fs::write(&old, "new").is_err());
            assert!(fs::remove_file(&old).is_err());
            assert!(fs::write(old.with_extension("new"), "").is_err());
        })
        .join()
        .unwrap();
        assert_eq!(fs::read(&old).unwrap(), b"old");
    }
}
