//! What happened on the port before, one line a moment.

use super::{DIM, Line, PLAIN, Style, label, who, words};
use crate::event::{Code, Moment, MomentKind, Refusal};

/// The timeline, where it was asked for or where the holder's process cannot speak for itself any more.
pub(super) fn lines(refusal: &Refusal, style: &Style) -> Vec<Line> {
    let holder_is_gone = words::conflicting(&refusal.holders).any(|holder| holder.processes.is_empty());
    // When the port was let go, and who took it when, is the point of this cause.
    let is_told_by_it = refusal.cause.code == Code::StolenFreePort;
    if !style.history && !holder_is_gone && !is_told_by_it {
        return Vec::new();
    }
    let labels = std::iter::once("history").chain(std::iter::repeat(""));
    refusal.history.iter().zip(labels).map(|(moment, first)| line(moment, first, style)).collect()
}

fn line(moment: &Moment, first: &str, style: &Style) -> Line {
    let mut line = label(first);
    let time = moment.time.map_or_else(|| "before".to_owned(), |time| words::clock(time, style));
    line.push(DIM, format!("{time:<12}  "));
    if let Some(process) = &moment.process {
        who(process, &mut line);
    }
    line.push(PLAIN, what(moment));
    line
}

fn what(moment: &Moment) -> String {
    let address = moment.address;
    let peer = moment.peer.map_or_else(String::new, |(address, port)| {
        format!(" with {}", words::endpoint(address, port, None))
    });
    match moment.what {
        MomentKind::Bound { .. } if moment.time.is_none() => {
            format!("had it on {address} when tracing began")
        }
        MomentKind::Listening if moment.time.is_none() => {
            format!("was listening on {address} when tracing began")
        }
        MomentKind::Bound { any: false } => format!("bound it on {address}"),
        MomentKind::Bound { any: true } => format!("got it from the kernel by bind to port 0, on {address}"),
        MomentKind::Listening => format!("began to listen on {address}"),
        MomentKind::Leaving => format!("closed a connection{peer} first, which leaves TIME_WAIT"),
        MomentKind::Closed => "let go of it".to_owned(),
        MomentKind::Connected => format!("got it from the kernel for a connection{peer}"),
    }
}
