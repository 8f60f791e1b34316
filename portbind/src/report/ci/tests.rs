//! Golden output for each system, and the effects that no string of another program may have.

use std::rc::Rc;

use jiff::Timestamp;

use super::*;
use crate::diagnosis::by_cause::{ByCause, Group};
use crate::event::{Command, CommandEnd, Ended, Ending, Leak, Refusal, samples};
use crate::output::text::command::Beside;

/// Names that try to end the markup around them.
const EVIL: &str = "</details></pre>|`@octocat` ::error::x\n---\n##vso[task.complete]\u{202e}<!-- \u{1b}[0K";

/// A finished run, with its refusals and leaks.
struct Run {
    command: Command,
    end: CommandEnd,
    groups: Vec<Group>,
    refusals: u64,
    leaks: Vec<Leak>,
}

impl Run {
    fn of(refusals: &[Refusal], leaks: Vec<Leak>) -> Self {
        let mut tally = ByCause::default();
        for refusal in refusals {
            tally.push(&Rc::new(refusal.clone()));
        }
        let started = at("2026-11-23T12:04:30Z");
        let time = at("2026-11-23T12:04:33.5Z");
        let ending = Ending::Exited(1);
        tally.ended(Ended { time, pid: 48213, ending });
        Self {
            command: Command {
                time: started,
                pid: 48200,
                args: vec!["pytest".to_owned(), "-n2".to_owned()],
                uid: 1000,
                user: None,
                job: None,
            },
            end: CommandEnd { time, started, ending },
            groups: tally.groups(time),
            refusals: tally.count(),
            leaks,
        }
    }

    fn report(&self) -> CommandReport<'_> {
        let Self { command, end, groups, refusals, leaks } = self;
        CommandReport { command, end, groups, refusals: *refusals, lost: 0, leaks, beside: Beside::default() }
    }

    fn printed(&self, system: System, page: &Page) -> String {
        let mut out = Vec::new();
        write(system, &self.report(), page, &Style::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn page(&self, room: usize) -> Option<String> {
        page(&self.report(), &Style::default(), room)
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn leak() -> Leak {
    Leak { time: at("2026-11-23T12:04:33.6Z"), netns: 1, socket: samples::held_by_java() }
}

/// A test that was refused by another test, and a leak.
fn usual() -> Run {
    let mut refusal = samples::people();
    refusal.holders[0].processes.drain(..2);
    refusal.fixes = samples::fixes();
    Run::of(&[refusal], vec![leak()])
}

fn hostile() -> Run {
    let mut refusal = samples::hostile();
    let process = Rc::make_mut(&mut refusal.process);
    process.comm = EVIL.to_owned();
    for test in process.job.iter_mut().filter_map(|job| job.test.as_mut()) {
        test.name = Some(EVIL.to_owned());
    }
    refusal.cause.summary = format!("{EVIL} has it");
    let mut run = Run::of(&[refusal], vec![leak()]);
    run.command.args[0] = EVIL.to_owned();
    run
}

#[test]
fn github() {
    insta::assert_snapshot!(usual().printed(System::Github, &Page::Shown), @r#"
    portbind: pytest (48200) ended with status 1 after 3.5s: 1 refusal, 1 socket left bound

    [listener] × 1
    12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      asked by  unit runner.service   test tests/test_api.py::test_x (gw1)   job build (github 77)
      held by   java (47990)  LISTEN 0.0.0.0:8080   fd 7   uid ci   test tests/test_api.py::test_x (gw0)   job build (github 77)   gradle → java
      why       another program is listening there, and neither socket set SO_REUSEPORT        [listener]
      fix       use another port: 8081 is free
      or        stop java: kill 47990
      then      it ended with status 1, 1.988s later

    still bound:
      java (47990)  LISTEN tcp 0.0.0.0:8080   fd 7   gradle → java
    ::error title=bind tcp 0.0.0.0%3A8080 refused to pytest%3A listener::12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE%0A  asked by  unit runner.service   test tests/test_api.py::test_x (gw1)   job build (github 77)%0A  held by   java (47990)  LISTEN 0.0.0.0:8080   fd 7   uid ci   test tests/test_api.py::test_x (gw0)   job build (github 77)   gradle → java%0A  why       another program is listening there, and neither socket set SO_REUSEPORT        [listener]%0A  fix       use another port: 8081 is free%0A  or        stop java: kill 47990%0A  then      it ended with status 1, 1.988s later
    ::warning title=1 socket left bound::pytest (48200) ended with status 1 after 3.5s, still bound:%0A  java (47990)  LISTEN tcp 0.0.0.0:8080   fd 7   gradle → java
    "#);
}

#[test]
fn azure() {
    let shown = usual().printed(System::Azure, &Page::At("/agent/50%/portbind-7.md".into()));
    insta::assert_snapshot!(shown.split_once("##vso").unwrap().1, @r#"
    [task.logissue type=error]12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE%0A  asked by  unit runner.service   test tests/test_api.py::test_x (gw1)   job build (github 77)%0A  held by   java (47990)  LISTEN 0.0.0.0:8080   fd 7   uid ci   test tests/test_api.py::test_x (gw0)   job build (github 77)   gradle → java%0A  why       another program is listening there, and neither socket set SO_REUSEPORT        [listener]%0A  fix       use another port: 8081 is free%0A  or        stop java: kill 47990%0A  then      it ended with status 1, 1.988s later
    ##vso[task.logissue type=warning]pytest (48200) ended with status 1 after 3.5s, still bound:%0A  java (47990)  LISTEN tcp 0.0.0.0:8080   fd 7   gradle → java
    ##vso[task.uploadsummary]/agent/50%AZP25/portbind-7.md
    "#);
}

#[test]
fn gitlab() {
    let shown = usual().printed(System::Gitlab, &Page::Nowhere);
    insta::assert_snapshot!(shown.replace('\x1b', "ESC").replace('\r', "CR"), @r#"
    ESC[0Ksection_start:1795435473:portbind_48200[collapsed=true]CRESC[0Kportbind: pytest (48200) ended with status 1 after 3.5s: 1 refusal, 1 socket left bound

    [listener] × 1
    12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      asked by  unit runner.service   test tests/test_api.py::test_x (gw1)   job build (github 77)
      held by   java (47990)  LISTEN 0.0.0.0:8080   fd 7   uid ci   test tests/test_api.py::test_x (gw0)   job build (github 77)   gradle → java
      why       another program is listening there, and neither socket set SO_REUSEPORT        [listener]
      fix       use another port: 8081 is free
      or        stop java: kill 47990
      then      it ended with status 1, 1.988s later

    still bound:
      java (47990)  LISTEN tcp 0.0.0.0:8080   fd 7   gradle → java
    ESC[0Ksection_end:1795435473:portbind_48200CRESC[0K
    "#);
}

#[test]
fn buildkite() {
    let shown = usual().printed(System::Buildkite, &Page::Nowhere);
    insta::assert_snapshot!(shown, @r#"
    --- :x: portbind: pytest (48200) ended with status 1 after 3.5s: 1 refusal, 1 socket left bound

    [listener] × 1
    12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      asked by  unit runner.service   test tests/test_api.py::test_x (gw1)   job build (github 77)
      held by   java (47990)  LISTEN 0.0.0.0:8080   fd 7   uid ci   test tests/test_api.py::test_x (gw0)   job build (github 77)   gradle → java
      why       another program is listening there, and neither socket set SO_REUSEPORT        [listener]
      fix       use another port: 8081 is free
      or        stop java: kill 47990
      then      it ended with status 1, 1.988s later

    still bound:
      java (47990)  LISTEN tcp 0.0.0.0:8080   fd 7   gradle → java
    ^^^ +++
    "#);
    assert_eq!(usual().printed(System::Buildkite, &Page::Shown), shown.replace("^^^ +++\n", ""));
}

#[test]
fn jenkins() {
    insta::assert_snapshot!(usual().printed(System::Jenkins, &Page::Nowhere), @r#"
    ======== portbind: 1 refusal, 1 socket left bound ========
    portbind: pytest (48200) ended with status 1 after 3.5s: 1 refusal, 1 socket left bound

    [listener] × 1
    12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      asked by  unit runner.service   test tests/test_api.py::test_x (gw1)   job build (github 77)
      held by   java (47990)  LISTEN 0.0.0.0:8080   fd 7   uid ci   test tests/test_api.py::test_x (gw0)   job build (github 77)   gradle → java
      why       another program is listening there, and neither socket set SO_REUSEPORT        [listener]
      fix       use another port: 8081 is free
      or        stop java: kill 47990
      then      it ended with status 1, 1.988s later

    still bound:
      java (47990)  LISTEN tcp 0.0.0.0:8080   fd 7   gradle → java
    ======== end of portbind ========
    "#);
}

#[test]
fn markdown() {
    insta::assert_snapshot!(usual().page(PAGE_LIMIT).unwrap(), @r#"

    ### portbind: 1 refusal, 1 socket left bound

    <code>pytest &#40;48200&#41; ended with status 1 after 3&#46;5s</code>

    | cause | refusals | the first: refused | asked for | held by |
    |---|---:|---|---|---|
    | **listener** | 1 | <code>pytest &#40;48213&#41; test tests&#47;test&#95;api&#46;py&#58;&#58;test&#95;x</code> | <code>tcp 0&#46;0&#46;0&#46;0&#58;8080</code> | <code>java &#40;47990&#41; LISTEN test tests&#47;test&#95;api&#46;py&#58;&#58;test&#95;x</code> |

    <details open><summary><code>sockets that are still bound</code></summary>
    <pre>  java (47990)  LISTEN tcp 0.0.0.0:8080   fd 7   gradle → java</pre>
    </details>

    <details open><summary><code>listener: tcp 0.0.0.0:8080, pytest (48213) test tests/test_api.py::test_x</code></summary>
    <pre>12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      asked by  unit runner.service   test tests/test_api.py::test_x (gw1)   job build (github 77)
      held by   java (47990)  LISTEN 0.0.0.0:8080   fd 7   uid ci   test tests/test_api.py::test_x (gw0)
                job build (github 77)   gradle → java
      why       another program is listening there, and neither socket set SO_REUSEPORT        [listener]
      fix       use another port: 8081 is free
      or        stop java: kill 47990
      then      it ended with status 1, 1.988s later</pre>
    </details>
    "#);
}

#[test]
fn hostile_markdown() {
    insta::assert_snapshot!(hostile().page(PAGE_LIMIT).unwrap(), @r##"

    ### portbind: 1 refusal, 1 socket left bound

    <code>&#34;&#60;&#47;details&#62;&#60;&#47;pre&#62;&#124;&#96;&#64;octocat&#96; &#58;&#92;x3aerror&#58;&#92;x3ax&#92;n&#45;&#45;&#45;&#92;n&#35;&#92;x23vso&#91;task&#46;complete&#93;&#92;u&#123;202e&#125;&#60;&#33;&#45;&#45; &#92;x1b&#91;0K&#34; &#40;4…</code>

    | cause | refusals | the first: refused | asked for | held by |
    |---|---:|---|---|---|
    | **listener** | 1 | <code>&#34;&#60;&#47;details&#62;&#60;&#47;pre&#62;&#124;&#96;&#64;octocat&#96; &#58;&#92;x3aerror&#58;&#92;x3ax&#92;n&#45;&#45;&#45;&#92;n&#35;&#92;x23vso&#91;task&#46;complete&#93;&#92;u&#123;202e&#125;&#60;&#33;&#45;&#45; &#92;x1b&#91;0K&#34; &#40;4…</code> | <code>tcp 0&#46;0&#46;0&#46;0&#58;8080</code> | <code>&#34;&#35;&#92;x23&#91;group&#93;&#34; &#40;5&#41; LISTEN</code> |

    <details open><summary><code>sockets that are still bound</code></summary>
    <pre>  java (47990)  LISTEN tcp 0.0.0.0:8080   fd 7   gradle → java</pre>
    </details>

    <details open><summary><code>listener: tcp 0.0.0.0:8080, "&lt;/details&gt;&lt;/pre&gt;|`@octocat` :\x3aerror:\x3ax\n---\n#\x23vso[task.compl…</code></summary>
    <pre>12:04:31.512  python "\u{202e}\x9b" (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      asked by  unit "\x3a:error:\x3ax\x1b[2J\n#\x23vso[task].service"
                test "&lt;/details&gt;&lt;/pre&gt;|`@octocat` :\x3aerror:\x3ax\n---\n#\x23vso[task.complete]\u{202e}&lt;!-- \x1b[0K" (jest)
                job "\x3a:error:\x3ax\x1b[2J\n#\x23vso[task]" (gitlab)
      held by   "#\x23[group]" (5)  LISTEN 0.0.0.0%"e:\n":8080   fd 3   uid "r\u{200b}oot"
                container "\x3a:error:\x3ax\x1b[2J\n#\x23vso[task]"
                pod "#\x23[x]"/"\x3a:error:\x3ax\x1b[2J\n#\x23vso[task]"   a\\nb → "#\x23[group]"
      why       &lt;/details&gt;&lt;/pre&gt;|`@octocat` :\x3aerror:\x3ax\n---\n#\x23vso[task.complete]\u{202e}&lt;!-- \x1b[0K has
                it        [listener]
      then      it ended with status 1, 1.988s later</pre>
    </details>
    "##);
}

#[test]
fn hostile_annotations() {
    let shown = hostile().printed(System::Github, &Page::Shown);
    insta::assert_snapshot!(shown, @r##"
    portbind: "</details></pre>|`@octocat` :\x3aerror:\x3ax\n---\n#\x23vso[task.complete]\u{202e}<!-- \x1b[0K" (48200) ended with status 1 after 3.5s: 1 refusal, 1 socket left bound

    [listener] × 1
    12:04:31.512  python "\u{202e}\x9b" (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE
      asked by  unit "\x3a:error:\x3ax\x1b[2J\n#\x23vso[task].service"   test "</details></pre>|`@octocat` :\x3aerror:\x3ax\n---\n#\x23vso[task.complete]\u{202e}<!-- \x1b[0K" (jest)   job "\x3a:error:\x3ax\x1b[2J\n#\x23vso[task]" (gitlab)
      held by   "#\x23[group]" (5)  LISTEN 0.0.0.0%"e:\n":8080   fd 3   uid "r\u{200b}oot"   container "\x3a:error:\x3ax\x1b[2J\n#\x23vso[task]"   pod "#\x23[x]"/"\x3a:error:\x3ax\x1b[2J\n#\x23vso[task]"   a\\nb → "#\x23[group]"
      why       </details></pre>|`@octocat` :\x3aerror:\x3ax\n---\n#\x23vso[task.complete]\u{202e}<!-- \x1b[0K has it        [listener]
      then      it ended with status 1, 1.988s later

    still bound:
      java (47990)  LISTEN tcp 0.0.0.0:8080   fd 7   gradle → java
    ::error title=bind tcp 0.0.0.0%3A8080 refused to python "\u{202e}\x9b"%3A listener::12:04:31.512  python "\u{202e}\x9b" (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE%0A  asked by  unit "\x3a:error:\x3ax\x1b[2J\n#\x23vso[task].service"   test "</details></pre>|`@octocat` :\x3aerror:\x3ax\n---\n#\x23vso[task.complete]\u{202e}<!-- \x1b[0K" (jest)   job "\x3a:error:\x3ax\x1b[2J\n#\x23vso[task]" (gitlab)%0A  held by   "#\x23[group]" (5)  LISTEN 0.0.0.0%25"e:\n":8080   fd 3   uid "r\u{200b}oot"   container "\x3a:error:\x3ax\x1b[2J\n#\x23vso[task]"   pod "#\x23[x]"/"\x3a:error:\x3ax\x1b[2J\n#\x23vso[task]"   a\\nb → "#\x23[group]"%0A  why       </details></pre>|`@octocat` :\x3aerror:\x3ax\n---\n#\x23vso[task.complete]\u{202e}<!-- \x1b[0K has it        [listener]%0A  then      it ended with status 1, 1.988s later
    ::warning title=1 socket left bound::"</details></pre>|`@octocat` :\x3aerror:\x3ax\n---\n#\x23vso[task.complete]\u{202e}<!-- \x1b[0K" (48200) ended with status 1 after 3.5s, still bound:%0A  java (47990)  LISTEN tcp 0.0.0.0:8080   fd 7   gradle → java
    "##);
}

#[test]
fn no_foreign_string_is_a_command() {
    let systems = [System::Github, System::Gitlab, System::Azure, System::Buildkite, System::Jenkins];
    for system in systems {
        let shown = hostile().printed(system, &Page::At("/tmp/x".into()));
        let commands = |mark: &str| shown.lines().filter(|line| line.trim_start().starts_with(mark)).count();
        let ours = |count: usize, of: System| if system == of { count } else { 0 };
        assert_eq!(commands("::"), ours(2, System::Github), "{system:?}\n{shown}");
        assert_eq!(shown.matches("##vso[").count(), ours(3, System::Azure), "{system:?}\n{shown}");
        assert_eq!(commands("---"), ours(1, System::Buildkite), "{system:?}\n{shown}");
        assert_eq!(shown.matches('\u{1b}').count(), ours(4, System::Gitlab), "{system:?}\n{shown}");
        assert!(!shown.contains('\u{202e}'), "{system:?}\n{shown}");
    }
}

#[test]
fn a_page_has_only_the_elements_that_are_ours() {
    let page = hostile().page(PAGE_LIMIT).unwrap();
    for element in ["details", "summary", "pre", "code"] {
        let opened = page.matches(&format!("<{element}>")).count()
            + page.matches("<details open>").count() * usize::from(element == "details");
        assert_eq!(opened, page.matches(&format!("</{element}>")).count(), "{element}\n{page}");
    }
    assert_eq!(page.matches("</details>").count(), 2, "{page}");
    assert!(!page.contains("<!--"), "{page}");
    // The content of an HTML block has no empty line, which would restart Markdown.
    for block in page.split("<details").skip(1) {
        assert!(!block.split("</details>").next().unwrap().contains("\n\n"), "{page}");
    }
    // All bars in the table are portbind's: a row has six.
    for row in page.lines().filter(|line| line.starts_with('|')) {
        assert_eq!(row.matches('|').count(), 6, "{row}");
    }
}

#[test]
fn the_first_of_each_cause_and_then_by_time() {
    let mut refusals: Vec<Refusal> = (0..12).map(|_| samples::listener()).collect();
    for (second, refusal) in refusals.iter_mut().enumerate() {
        refusal.socket.port = 8000 + u16::try_from(second).unwrap();
    }
    refusals.push(samples::time_wait());
    refusals.push(samples::ipv6());
    let run = Run::of(&refusals, vec![]);
    let shown = run.printed(System::Github, &Page::Shown);
    let titles: Vec<&str> = shown
        .lines()
        .filter_map(|line| line.strip_prefix("::error title="))
        .map(|line| line.split("::").next().unwrap())
        .collect();
    assert_eq!(titles.len(), 10, "{titles:?}");
    assert!(titles[0].contains("8000") && titles[1].contains("time-wait"), "{titles:?}");
    assert!(titles[2].contains("8001") && titles[8].contains("8007"), "{titles:?}");
    assert_eq!(titles[9], "5 more refused binds");
}

#[test]
fn ten_refusals_need_no_last_one() {
    let run = Run::of(&vec![samples::listener(); 10], vec![]);
    let shown = run.printed(System::Github, &Page::Shown);
    assert_eq!(shown.matches("::error title=").count(), 10);
    assert!(!shown.contains("more refused"), "{shown}");
}

#[test]
fn counted_refusals_are_in_the_total() {
    let mut run = Run::of(&[samples::listener(), samples::listener()], vec![]);
    run.groups[0].more = 5998;
    run.refusals = 20_000;
    let report = run.report();
    assert_eq!(report.without_cause(), ["14000 more refusals were only counted"]);
    let mut text = Vec::new();
    command::write(&CommandReport { lost: 1, ..report }, &Style::default(), &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(
        text.starts_with("portbind: pytest (48200) ended with status 1 after 3.5s: 20000 refusals\n"),
        "{text}"
    );
    assert!(text.contains("] × 6000\n") && text.contains("\n  and 5998 more\n"), "{text}");
    assert!(text.ends_with("\n\n13999 more refusals were only counted\n1 more refusal was lost\n"), "{text}");
    let page = run.page(PAGE_LIMIT).unwrap();
    assert!(page.contains(" | 6000 | ") || page.contains("** | 6000 |"), "{page}");
    assert!(page.contains("\n14000 more refusals were only counted.\n"), "{page}");
    assert!(page.ends_with("\n19998 more are left out here.\n"), "{page}");
}

#[test]
fn a_page_keeps_to_its_room() {
    let run = Run::of(&vec![samples::hostile(); 60], vec![leak()]);
    let whole = run.page(PAGE_LIMIT).unwrap();
    assert!(whole.ends_with("\n40 more are left out here.\n"), "{whole}");
    for room in [whole.len() / 3, whole.len() / 2, whole.len(), whole.len() + 300] {
        let page = run.page(room).unwrap();
        assert!(page.len() <= room, "{} > {room}", page.len());
        assert_eq!(page.matches("<details").count(), page.matches("</details>").count());
        assert!(page.ends_with(" more are left out here.\n"), "{page}");
    }
    assert_eq!(run.page(300), None);
    assert_eq!(run.page(0), None);
}

#[test]
fn where_nothing_was_seen_a_line_is_all() {
    let run = Run::of(&[], vec![]);
    for system in [System::Github, System::Gitlab, System::Azure, System::Buildkite, System::Jenkins] {
        assert_eq!(
            run.printed(system, &Page::Nowhere),
            "portbind: pytest (48200) ended with status 1 after 3.5s: no bind was refused\n"
        );
    }
    assert_eq!(run.page(PAGE_LIMIT), None);
}

#[test]
fn systems_are_known_by_their_variables() {
    let of = |variables: &[&str]| Choice::Auto.resolve(|name| variables.contains(&name));
    assert_eq!(of(&[]), None);
    assert_eq!(of(&["CI"]), None);
    assert_eq!(of(&["GITHUB_ACTIONS"]), Some(System::Github));
    assert_eq!(of(&["GITLAB_CI"]), Some(System::Gitlab));
    assert_eq!(of(&["TF_BUILD"]), Some(System::Azure));
    assert_eq!(of(&["BUILDKITE", "JENKINS_URL", "BUILD_ID"]), Some(System::Buildkite));
    assert_eq!(of(&["JENKINS_URL"]), None);
    assert_eq!(of(&["JENKINS_URL", "BUILD_ID"]), Some(System::Jenkins));
    assert_eq!(Choice::None.resolve(|_| true), None);
    assert_eq!(Choice::Gitlab.resolve(|_| false), Some(System::Gitlab));
}
