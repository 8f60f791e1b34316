//! The page of a report in a real browser, without a network.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::setting::Setting;
use crate::programs;
use crate::recording::{self, Plan};
use crate::scratch::Scratch;

/// Minimum size of a screenshot in bytes; a single-coloured one is far smaller.
const PICTURE: u64 = 20_000;
/// Ports and holders of the recordings.
const PAGES: [(u16, usize); 4] = [(1, 1), (40, 1), (3, 10), (2, 100)];
/// Widths of the window.
const WIDTHS: [u32; 2] = [1280, 400];

/// Defects of the page, as measured in the browser.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Measured {
    pictures: usize,
    too_wide: bool,
    outside: Vec<String>,
    overlapping: Vec<String>,
}

/// The page opens offline without console messages, is no wider than the window, and no label covers another.
pub(super) fn page(setting: Setting<'_>) -> anyhow::Result<()> {
    for (ports, holders) in PAGES {
        let page = Scratch::new("page.html");
        make(setting, Plan { bytes: 400_000, ports, holders, seed: 7 }, page.path())?;
        let shown = browse(page.path(), &["--dump-dom"])?;
        let dom = String::from_utf8_lossy(&shown.stdout);
        for word in ["Contested ports", "Who refused whom", "tcp 8000", "<svg class=\"timeline\"", "</html>"]
        {
            ensure!(dom.contains(word), "not on the page: {word}");
        }
        for width in WIDTHS {
            let measured = measure(page.path(), width)?;
            let is_right = measured.pictures > 0
                && !measured.too_wide
                && measured.outside.is_empty()
                && measured.overlapping.is_empty();
            ensure!(is_right, "{ports} ports, {holders} holders, {width} pixels: {measured:#?}");
        }
        for dark in [false, true] {
            take_picture(page.path(), dark)?;
        }
    }
    Ok(())
}

fn make(setting: Setting<'_>, plan: Plan, page: &Path) -> anyhow::Result<()> {
    let recorded = Scratch::new("page.jsonl");
    recording::write(plan, &mut fs::File::create(recorded.path())?)?;
    let mut command = Command::new(setting.portbind);
    let made = command.arg("report").arg(recorded.path()).arg("--html").arg(page).output()?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Ok(())
}

/// Opens a page; fails if it prints to the browser's console.
fn browse(page: &Path, options: &[&str]) -> anyhow::Result<Output> {
    let profile = Scratch::new("profile");
    let mut command = programs::CHROMIUM.command()?;
    command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]);
    command.args(["--hide-scrollbars", "--no-first-run", "--proxy-server=127.0.0.1:9"]);
    command
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(options)
        .env("HOME", profile.path());
    let shown = command.arg(format!("file://{}", page.display())).output();
    let _gone = fs::remove_dir_all(profile.path());
    let shown = shown.context("chromium cannot be started")?;
    let said = String::from_utf8_lossy(&shown.stderr);
    ensure!(shown.status.success(), "{}:\n{said}", shown.status);
    // Chromium's own pages also print messages: about a slow network, if the machine is busy.
    let mut complaints = said.lines().filter(|line| line.contains("CONSOLE"));
    let complaint = complaints.find(|line| !line.contains("source: chrome://"));
    ensure!(complaint.is_none(), "the page complains: {}", complaint.unwrap_or_default());
    Ok(shown)
}

/// Measures the page from a surrounding page, with everything expanded.
fn measure(page: &Path, width: u32) -> anyhow::Result<Measured> {
    let around = Scratch::new("around.html");
    let frame =
        format!("<iframe id=page width={width} height=900 src=\"file://{}\"></iframe>", page.display());
    let script = include_str!("browser/measure.js");
    fs::write(
        around.path(),
        format!("<!doctype html>{frame}<pre id=measured></pre><script>{script}</script>"),
    )?;
    let shown = browse(around.path(), &["--dump-dom", "--allow-file-access-from-files"])?;
    let dom = String::from_utf8_lossy(&shown.stdout);
    let found = dom.split_once("<pre id=\"measured\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let (text, _) = found.context("nothing was measured")?;
    serde_json::from_str(&text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
        .with_context(|| text.to_owned())
}

/// A screenshot of the page is not blank.
fn take_picture(page: &Path, dark: bool) -> anyhow::Result<()> {
    let picture = Scratch::new("page.png");
    let shot = format!("--screenshot={}", picture.path().display());
    let scheme = if dark { "0" } else { "1" };
    let scheme = format!("--blink-settings=preferredColorScheme={scheme}");
    browse(page, &[&shot, "--window-size=1280,1000", &scheme])?;
    let size = fs::metadata(picture.path())?.len();
    ensure!(size > PICTURE, "a picture of {size} bytes");
    Ok(())
}
