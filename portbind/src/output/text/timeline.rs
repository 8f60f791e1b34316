//! Earlier events on the port, one line each.

use super::layout::{at_most, label, who};
use super::people::Party;
use crate::escape::Escaped;
use crate::event::Code;
use crate::output::line::{DIM, Line, PLAIN};
use crate::output::style::Style;
use crate::output::words;
use crate::wire::{Moment, Refusal};

/// The most events that are shown; live refusals have fewer.
const MOST_MOMENTS: usize = 48;

/// The timeline, if it was asked for, or if the holder's process has ended.
pub(super) fn lines(refusal: &Refusal<'_>, style: &Style) -> Vec<Line> {
    let holder_is_gone = words::conflicting(refusal).any(|holder| holder.processes.is_empty());
    // For this cause the timeline is the explanation: when the port was released, and which process took it.
    let is_the_point = refusal.cause.code == Code::StolenFreePort.as_str();
    if !style.history && !holder_is_gone && !is_the_point {
        return Vec::new();
    }
    let labels = std::iter::once("history").chain(std::iter::repeat(""));
    let moments = refusal.history.iter().zip(labels);
    at_most(MOST_MOMENTS, moments, |(moment, first)| vec![line(moment, first, style)])
}

fn line(moment: &Moment<'_>, first: &str, style: &Style) -> Line {
    let mut line = label(first);
    let time = moment.time.map_or_else(|| "before".to_owned(), |time| words::clock(time.0, style));
    line.push(DIM, format!("{time:<12}  "));
    if let Some(process) = &moment.process {
        who(Party::from(process).runs(), process.pid, &mut line);
    }
    line.push(PLAIN, happened(moment));
    line
}

fn happened(moment: &Moment<'_>) -> String {
    let address = moment.address;
    let peer = moment
        .peer
        .as_ref()
        .map_or_else(String::new, |peer| format!(" with {}", words::endpoint(peer.address, peer.port, None)));
    match (&*moment.what, moment.time) {
        ("bound", None) => format!("had it on {address} when tracing began"),
        ("listening", None) => format!("was listening on {address} when tracing began"),
        ("bound", _) if moment.any => format!("got it from the kernel by bind to port 0, on {address}"),
        ("bound", _) => format!("bound it on {address}"),
        ("listening", _) => format!("began to listen on {address}"),
        ("leaving", _) => format!("closed a connection{peer} first, which leaves TIME_WAIT"),
        ("closed", _) => "let go of it".to_owned(),
        ("connected", _) => format!("got it from the kernel for a connection{peer}"),
        (other, _) => Escaped(other).to_string(),
    }
}
