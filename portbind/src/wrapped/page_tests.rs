//! The destination of a page for the caller's environment.

use std::ffi::OsString;

use super::*;

fn of(system: System, name: &str, value: &str) -> Option<Destination> {
    let environment = [(OsString::from(name), OsString::from(value))].into();
    Destination::of(system, &Identity { becomes: None, umask: None, environment })
}

#[test]
fn each_system_has_a_place_of_its_own_or_none() {
    let step = of(System::Github, "GITHUB_STEP_SUMMARY", "/tmp/step");
    assert_eq!(step, Some(Destination::Step("/tmp/step".into())));
    let new = of(System::Azure, "AGENT_TEMPDIRECTORY", "/tmp/agent");
    let name = format!("/tmp/agent/portbind-{}.md", process::id());
    assert_eq!(new, Some(Destination::New(name.into())));
    assert_eq!(of(System::Buildkite, "PATH", "/usr/bin"), Some(Destination::Agent));
    for system in [System::Github, System::Azure, System::Buildkite, System::Gitlab, System::Jenkins] {
        assert_eq!(of(system, "GITHUB_STEP_SUMMARY_", "/tmp/step"), None);
    }
    assert_eq!(of(System::Github, "GITHUB_STEP_SUMMARY", ""), None);
}
