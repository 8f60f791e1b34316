//! Debian packages: the machine's own apt installs packages, and a private configuration with more suites downloads
//! packages without installing them. The private configuration is derived from the machine's sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::{tool, workspace};

/// Suites of the archive for kernels and sources.
const ARCHIVE_SUITES: [&str; 4] = ["bookworm", "trixie", "trixie-backports", "sid"];
/// Suites of the security archive for kernels.
const SECURITY_SUITES: [&str; 3] = ["bullseye-security", "bookworm-security", "trixie-security"];
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// How long a private index is used before it is fetched again.
const FRESH: Duration = Duration::from_hours(12);

/// Installs the missing ones of `packages` with the machine's own apt.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("setup: installing {}", missing.join(" "));
    let _none = NoDaemons::new()?;
    let install = || {
        let mut cmd = Command::new("apt-get");
        cmd.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
        cmd.args(["install", "--yes", "--no-install-recommends"]).args(&missing);
        tool::run(&mut cmd)
    };
    // A machine that was never updated knows no packages: update it and try again.
    if install().is_ok() {
        return Ok(());
    }
    tool::run(Command::new("apt-get").arg("update").stdin(Stdio::null()))?;
    install()
}

/// Keeps packages from starting their daemons while it exists: invoke-rc.d(8) asks this program. A program of the
/// machine's own stays.
struct NoDaemons {
    is_new: bool,
}

impl NoDaemons {
    const POLICY: &str = "/usr/sbin/policy-rc.d";

    fn new() -> Result<Self> {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let made = fs::OpenOptions::new().write(true).create_new(true).mode(0o755).open(Self::POLICY);
        match made {
            Ok(mut file) => file.write_all(b"#!/bin/sh\nexit 101\n").context(Self::POLICY)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(Self { is_new: false }),
            Err(error) => return Err(error).context(Self::POLICY),
        }
        Ok(Self { is_new: true })
    }
}

impl Drop for NoDaemons {
    fn drop(&mut self) {
        if self.is_new {
            let _gone = fs::remove_file(Self::POLICY);
        }
    }
}

fn is_installed(package: &str) -> bool {
    let mut cmd = Command::new("dpkg-query");
    let status = tool::output(cmd.args(["--show", "--showformat=${db:Status-Status}", package]));
    status.is_ok_and(|status| status == "installed")
}

/// The packages that contain each of these files.
pub(crate) fn owners(
    paths: impl Iterator<Item = &'static str>,
) -> Result<BTreeMap<&'static str, BTreeSet<String>>> {
    let paths: Vec<&str> = paths.collect();
    let mut cmd = Command::new("dpkg-query");
    cmd.arg("--search").args(&paths).env("LC_ALL", "C").stdin(Stdio::null());
    // Up to Debian 12, packages contain /bin and /sbin, which are now links to the folders in /usr.
    cmd.args(paths.iter().filter_map(|path| path.strip_prefix("/usr")));
    let output = cmd.output().with_context(|| format!("failed to run {cmd:?}"))?;
    // dpkg fails if one of the files is unknown, as one spelling of each file is.
    let known = search_result(&String::from_utf8_lossy(&output.stdout));
    let of = |path: &str| known.get(path).cloned().unwrap_or_default();
    Ok(paths
        .into_iter()
        .map(|path| {
            (
                path,
                path.strip_prefix("/usr").map(of).unwrap_or_default().into_iter().chain(of(path)).collect(),
            )
        })
        .collect())
}

/// Parses lines of the form `package, other:amd64: /path`; lines about diversions contain no packages.
fn search_result(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut owners: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with("diversion by ")) {
        let Some((packages, path)) = line.split_once(": ") else { continue };
        let names = packages.split(", ").filter_map(|name| name.split(':').next()).map(str::to_owned);
        owners.entry(path.to_owned()).or_default().extend(names);
    }
    owners
}

/// Unpacks `package` into `folder`, without installing it.
pub(crate) fn unpack(package: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
    tool::run(Command::new("dpkg-deb").arg("--extract").arg(package).arg(folder))
}

/// A private apt with separate sources, lists and cache, all below the target directory.
#[derive(Debug)]
pub(crate) struct Private {
    folder: PathBuf,
}

impl Private {
    /// Writes the configuration and fetches the indexes, unless they are recent.
    pub(crate) fn open() -> Result<Self> {
        let apt = Self { folder: workspace::target().join("apt") };
        for name in ["lists/partial", "cache/archives/partial", "packages"] {
            let folder = apt.folder.join(name);
            fs::create_dir_all(&folder).with_context(|| format!("failed to create {}", folder.display()))?;
        }
        let sources = sources_list(&machine_sources()?, &ARCHIVE_SUITES, &SECURITY_SUITES)?;
        let (list, stamp) = (apt.folder.join("sources.list"), apt.folder.join("updated"));
        let age =
            fs::metadata(&stamp).and_then(|found| found.modified()).ok().and_then(|time| time.elapsed().ok());
        let known = fs::read_to_string(&list).is_ok_and(|text| text == sources);
        if known && age.is_some_and(|age| age < FRESH) {
            return Ok(apt);
        }
        fs::write(&list, sources).with_context(|| format!("failed to write {}", list.display()))?;
        tool::run(apt.command("apt-get").arg("update"))?;
        fs::write(&stamp, "").with_context(|| format!("failed to write {}", stamp.display()))?;
        Ok(apt)
    }

    /// Versions of `package` in all suites, newest first; none if it is unknown.
    pub(crate) fn versions(&self, package: &str) -> Result<Vec<String>> {
        let listing = tool::output(self.command("apt-cache").args(["madison", package]))?;
        Ok(listing
            .lines()
            .filter_map(|line| line.split('|').nth(1))
            .map(|version| version.trim().to_owned())
            .collect())
    }

    /// Names of the packages that this version of `package` depends on.
    pub(crate) fn depends(&self, package: &str, version: &str) -> Result<Vec<String>> {
        let about = tool::output(self.command("apt-cache").arg("show").arg(format!("{package}={version}")))?;
        let depends = about.lines().find_map(|line| line.strip_prefix("Depends: ")).unwrap_or_default();
        Ok(depends
            .split([',', '|'])
            .filter_map(|name| name.split_whitespace().next())
            .map(str::to_owned)
            .collect())
    }

    /// Names of all packages that start with `prefix`.
    pub(crate) fn names(&self, prefix: &str) -> Result<Vec<String>> {
        let listing = tool::output(self.command("apt-cache").args(["pkgnames", prefix]))?;
        Ok(listing.lines().map(str::to_owned).collect())
    }

    /// Downloads this version of `package` and returns the file.
    pub(crate) fn download(&self, package: &str, version: &str) -> Result<PathBuf> {
        let folder = self.folder.join("packages").join(format!("{package}_{version}"));
        fs::create_dir_all(&folder).with_context(|| format!("failed to create {}", folder.display()))?;
        if let Some(found) = only_package(&folder)? {
            return Ok(found);
        }
        println!("downloading {package} {version}");
        let mut cmd = self.command("apt-get");
        tool::run(cmd.arg("download").arg(format!("{package}={version}")).current_dir(&folder))?;
        only_package(&folder)?.with_context(|| format!("{cmd:?} left nothing in {}", folder.display()))
    }

    fn command(&self, program: &str) -> Command {
        let mut cmd = Command::new(program);
        let mut set = |name: &str, value: &Path| {
            cmd.arg("-o").arg(format!("{name}={}", value.display()));
        };
        set("Dir::Etc::sourcelist", &self.folder.join("sources.list"));
        set("Dir::Etc::sourceparts", Path::new("/dev/null"));
        set("Dir::State::Lists", &self.folder.join("lists"));
        set("Dir::Cache", &self.folder.join("cache"));
        set("APT::Sandbox::User", Path::new("root"));
        set("Acquire::Languages", Path::new("none"));
        set("Acquire::IndexTargets::deb::DEP-11::DefaultEnabled", Path::new("false"));
        // The hooks in the machine's configuration are for its own lists, not for private ones.
        cmd.args(["-o", "APT::Update::Post-Invoke-Success::=true", "-qq"]).stdin(Stdio::null());
        cmd
    }
}

fn only_package(folder: &Path) -> Result<Option<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("failed to list {}", folder.display()))?;
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(paths.find(|path| path.extension().is_some_and(|extension| extension == "deb")))
}

/// One source of packages in the machine's own configuration.
#[derive(Debug, Default, PartialEq, Eq)]
struct Source {
    uri: String,
    suites: Vec<String>,
    components: Vec<String>,
    keyring: Option<String>,
}

/// Every source of binary packages in the machine's apt configuration.
fn machine_sources() -> Result<Vec<Source>> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
    }
    files.sort();
    let mut sources = Vec::new();
    for file in files.iter().filter(|file| file.is_file()) {
        let text = fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))?;
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("list") => sources.extend(text.lines().filter_map(parse_line)),
            Some("sources") => sources.extend(parse_stanzas(&text)),
            _ => {}
        }
    }
    Ok(sources)
}

/// Reads one line of the form `deb [options] uri suite components...`.
fn parse_line(line: &str) -> Option<Source> {
    let rest = line.trim().strip_prefix("deb ")?.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let mut words = rest.split('#').next()?.split_whitespace().map(str::to_owned);
    let keyring = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="));
    Some(Source {
        uri: words.next()?,
        suites: vec![words.next()?],
        components: words.collect(),
        keyring: keyring.map(str::to_owned),
    })
}

/// Reads the stanzas of a file in the deb822 format.
fn parse_stanzas(text: &str) -> Vec<Source> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    lines.split(|line| line.trim().is_empty()).filter_map(parse_stanza).collect()
}

fn parse_stanza(lines: &[&str]) -> Option<Source> {
    let words = |key: &str| -> Vec<String> {
        let mut values = lines.iter().filter_map(|line| line.split_once(':'));
        let found = values.find(|(name, _)| name.eq_ignore_ascii_case(key));
        found.map(|(_, value)| value.split_whitespace().map(str::to_owned).collect()).unwrap_or_default()
    };
    let enabled = words("Enabled").first().is_none_or(|word| word != "no");
    let binary = words("Types").iter().any(|word| word == "deb");
    (enabled && binary).then_some(())?;
    let keyring = words("Signed-By").into_iter().find(|word| word.starts_with('/'));
    Some(Source {
        uri: words("URIs").into_iter().next()?,
        suites: words("Suites"),
        components: words("Components"),
        keyring,
    })
}

/// A list of sources of one Debian release, from the machine's mirrors.
pub(crate) fn sources_of(suite: &str) -> Result<String> {
    sources_list(&machine_sources()?, &[suite], &[&format!("{suite}-security")])
}

/// A list of sources: the machine's mirrors, with these suites of the archive and of its security part.
fn sources_list(machine: &[Source], archive_suites: &[&str], security_suites: &[&str]) -> Result<String> {
    let codename = codename()?;
    let find = |suite: &str| {
        let debian = |source: &&Source| {
            source.keyring.as_ref().is_none_or(|keyring| keyring.contains("debian-archive"))
        };
        let mut sources = machine.iter().filter(|source| source.components.iter().any(|word| word == "main"));
        sources.find(|source| debian(source) && source.suites.iter().any(|word| word == suite))
    };
    let archive =
        find(&codename).with_context(|| format!("the machine's apt has no source for {codename}"))?;
    let security = format!("{codename}-security");
    let security =
        find(&security).with_context(|| format!("the machine's apt has no source for {security}"))?;
    let mut text = String::new();
    for (source, suites) in [(archive, archive_suites), (security, security_suites)] {
        let keyring = source.keyring.as_deref().unwrap_or(KEYRING);
        ensure!(Path::new(keyring).exists(), "{keyring}, which signs {}, is missing", source.uri);
        for suite in suites {
            text.push_str(&format!("deb [arch=amd64 signed-by={keyring}] {} {suite} main\n", source.uri));
        }
    }
    Ok(text)
}

/// The machine's Debian release by name, `bookworm`.
fn codename() -> Result<String> {
    let text = fs::read_to_string("/etc/os-release").context("failed to read /etc/os-release")?;
    let name = text.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    Ok(name.context("/etc/os-release names no VERSION_CODENAME")?.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(uri: &str, suites: &[&str], components: &[&str], keyring: Option<&str>) -> Source {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Source {
            uri: uri.into(),
            suites: words(suites),
            components: words(components),
            keyring: keyring.map(Into::into),
        }
    }

    #[test]
    fn owners_of_files() {
        let text = "diversion by dash from: /bin/sh\ndiversion by dash to: /bin/sh.distrib\ndash: /bin/sh\n\
            libc6:amd64, libc6:i386: /usr/share/doc/libc6\n";
        let found = search_result(text);
        let names = |path: &str| found.get(path).map(|names| names.iter().map(String::as_str).collect());
        assert_eq!(names("/bin/sh"), Some(vec!["dash"]));
        assert_eq!(names("/usr/share/doc/libc6"), Some(vec!["libc6"]));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn lines() {
        let plain = source("http://mirror/debian", &["bookworm"], &["main", "contrib"], None);
        assert_eq!(parse_line("deb http://mirror/debian bookworm main contrib # ours"), Some(plain));
        let signed = source("http://mirror/debian", &["bookworm"], &["main"], Some("/k.gpg"));
        assert_eq!(
            parse_line("deb [arch=amd64 signed-by=/k.gpg] http://mirror/debian bookworm main"),
            Some(signed)
        );
        assert_eq!(parse_line("# deb http://mirror/debian bookworm main"), None);
        assert_eq!(parse_line("deb-src http://mirror/debian bookworm main"), None);
    }

    #[test]
    fn stanzas() {
        let text = "Types: deb\n# a comment\nURIs: http://mirror/debian\nSuites: bookworm bookworm-updates\n\
            Components: main\nSigned-By: /k.gpg\n\nTypes: deb-src\nURIs: http://mirror/debian\nSuites: bookworm\n\n\
            Enabled: no\nTypes: deb\nURIs: http://off\nSuites: bookworm\n";
        let expected =
            source("http://mirror/debian", &["bookworm", "bookworm-updates"], &["main"], Some("/k.gpg"));
        assert_eq!(parse_stanzas(text), [expected]);
    }
}
