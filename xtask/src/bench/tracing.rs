//! Measurements of tracers: start, memory, the cost for other processes, the time to a line, storms.

use anyhow::Result;

use super::setting::{Metric, Setting, medians, rows};
use super::table::{Goal, Row, Section, number};
use super::tools::Tracer;

/// 10 MB in KiB.
const MEMORY: f64 = 9_765.0;
/// Two equal runs differ by less than this factor.
const NOISE: f64 = 1.03;

/// Time from exec until the tracer is ready.
pub(super) fn start(setting: &Setting) -> Result<Section> {
    let tracers: Vec<_> = setting.tracers().into_iter().map(Some).collect();
    // The options of a measured start are only the tracer's.
    let samples = setting.interleave(setting.rounds(9), "start --terminal", &without_terminal(&tracers))?;
    let metric = |key, what| Metric { key, what, unit: "ms", goal: setting.start_goal };
    let metrics = [
        metric("ready_ms", "exec to the line that says so"),
        metric("first_ms", "exec to the first refusal shown"),
    ];
    Ok(Section {
        name: "start",
        title: "From exec until it is armed".to_owned(),
        rows: rows(&metrics, &samples),
        notes: vec![],
    })
}

/// The measurement provides a terminal for all of them already.
fn without_terminal(tracers: &[Option<Tracer>]) -> Vec<Option<Tracer>> {
    tracers.iter().map(|tracer| tracer.clone().map(Tracer::on_given_terminal)).collect()
}

/// Peak memory.
pub(super) fn memory(setting: &Setting) -> Result<Section> {
    let tracers: Vec<_> = setting.tracers().into_iter().map(Some).collect();
    let events = setting.fewer(if setting.calls < 10_000 { 2_000 } else { 10_000 });
    let samples = setting.interleave(setting.rounds(3), &format!("memory --events {events}"), &tracers)?;
    let metric = |key, what| Metric { key, what, unit: "KiB", goal: Goal::AtMost(MEMORY) };
    let metrics = [metric("idle_kib", "peak RSS, idle"), metric("after_kib", "peak RSS, after refusals")];
    let reported = medians("shown", &samples);
    let reported: Vec<String> =
        reported.iter().map(|(tool, reported)| format!("{tool} {}", number(*reported))).collect();
    Ok(Section {
        name: "memory",
        title: "Memory".to_owned(),
        rows: rows(&metrics, &samples),
        notes: vec![format!("{events} refusals, 200 µs apart. Shown: {}.", reported.join(", "))],
    })
}

/// The cost of a call without a tracer and with each tracer.
pub(super) fn calls(setting: &Setting) -> Result<Section> {
    let with_nobody = [None].into_iter().chain(setting.tracers().into_iter().map(Some));
    let tracers: Vec<_> = with_nobody.collect();
    let count = setting.fewer(setting.calls);
    let calls = "--call getppid --call null --call bind --call close --call refused";
    let samples =
        setting.interleave(setting.rounds(7), &format!("loop {calls} --count {count}"), &tracers)?;
    let measured = setting.interleave(
        setting.rounds(3),
        &format!("loop {calls} --count {count} --stats"),
        tracers.get(1..).unwrap_or_default(),
    )?;
    // A tracepoint at the end of all system calls makes all of them slower; the other hooks are only on binds.
    let everywhere = setting.backends.contains(&"tracepoint");
    let others = if everywhere { Goal::None } else { Goal::OfPeer(NOISE, "nobody") };
    let of_binds = |times| if everywhere { Goal::None } else { Goal::OfPeer(times, "bindsnoop") };
    let metric = |key, what, goal| Metric { key, what, unit: "ns", goal };
    let ends = [
        metric("getppid_ns", "getppid", others),
        metric("null_ns", "write and read of /dev/null", others),
        metric("bind_ns", "bind that succeeds", Goal::None),
        metric("close_ns", "close of a bound socket", Goal::None),
        metric("refused_ns", "bind that is refused", Goal::None),
    ];
    let inside = [
        metric("getppid_program_ns", "programs in getppid", Goal::None),
        metric("bind_program_ns", "programs in a bind that succeeds", of_binds(1.0)),
        metric("close_program_ns", "programs in the close of a bound socket", Goal::None),
        metric("refused_program_ns", "programs in a bind that is refused", of_binds(2.0)),
    ];
    let added = [
        metric("bind_ns", "added to a bind that succeeds", of_binds(1.0)),
        metric("close_ns", "added to the close of a bound socket", Goal::None),
        metric("refused_ns", "added to a bind that is refused", of_binds(2.0)),
    ];
    let mut all = rows(&ends, &samples);
    for metric in added {
        let bare = medians(metric.key, &samples).get("nobody").copied().unwrap_or_default();
        let with = rows(&[metric], &samples).into_iter().filter(|row| row.tool != "nobody");
        all.extend(with.map(|row| Row { spread: row.spread.less(bare), ..row }));
    }
    all.extend(rows(&inside, &measured));
    let notes = vec![format!(
        "{count} calls a run, end to end; `programs in` is the kernel's own statistics of a tracer's programs."
    )];
    Ok(Section { name: "calls", title: "The cost to others".to_owned(), rows: all, notes })
}

/// Time from a refused bind to its line.
pub(super) fn latency(setting: &Setting) -> Result<Section> {
    let count = setting.fewer(3_000);
    let ours: Vec<_> = setting.tracers().into_iter().map(Some).collect();
    let samples = setting.interleave(setting.rounds(5), &format!("latency --count {count}"), &ours)?;
    let metric = |key, what, most| Metric { key, what, unit: "µs", goal: Goal::AtMost(most) };
    let metrics = [metric("p50_us", "half of the refusals", 300.0), metric("p99_us", "99 of 100", 3_000.0)];
    Ok(Section {
        name: "latency",
        title: "From a refusal until its line can be read".to_owned(),
        rows: rows(&metrics, &samples),
        notes: vec![format!(
            "{count} refusals a run, 1 ms apart; portbind writes JSON to a pipe, peers to a terminal."
        )],
    })
}

/// Refusals at the maximum rate.
pub(super) fn storm(setting: &Setting) -> Result<Section> {
    let mut section = Section {
        name: "storm",
        title: format!("A storm of {} s", number(setting.storm)),
        rows: vec![],
        notes: vec![],
    };
    let backend = setting.backends.first().copied().unwrap_or("tracepoint");
    for (what, format, reader) in
        [("text", "text", "fast"), ("json", "json", "fast"), ("json, slow reader", "json", "slow")]
    {
        let tracer = Tracer::portbind(&setting.portbind, backend, format);
        let measurement = format!("storm --seconds {} --reader {reader}", setting.storm);
        let samples = setting.interleave(setting.rounds(3), &measurement, &[Some(tracer)])?;
        let metrics = [
            ("slowdown", "slower than alone", "×", Goal::AtMost(1.3)),
            ("memory_kib", "peak RSS", "KiB", Goal::None),
            ("unaccounted", "refusals without account", "", Goal::AtMost(0.0)),
        ]
        .map(|(key, what, unit, goal)| Metric { key, what, unit, goal });
        let found = rows(&metrics, &samples).into_iter();
        section.rows.extend(found.map(|row| Row { what: format!("{what}: {}", row.what), ..row }));
        if let Some(last) = samples.iter().find_map(|(_, runs)| runs.last()) {
            let get = |key: &str| last.get(key).copied().map_or_else(|| "?".to_owned(), number);
            section.notes.push(format!(
                "{what}: {} refused = {} shown + {} coalesced + {} filtered + {} lost, {} made; \
                 of another process {} made, {} shown; a refusal took {} ns alone and {} ns traced.",
                get("refused"),
                get("shown"),
                get("coalesced"),
                get("filtered"),
                get("lost"),
                get("expected"),
                get("others"),
                get("others_told"),
                get("alone_ns"),
                get("traced_ns"),
            ));
        }
    }
    Ok(section)
}

/// The cost of a refusal as the number of sockets grows.
pub(super) fn growth(setting: &Setting) -> Result<Section> {
    let mut section = Section { name: "growth", title: "Growth".to_owned(), rows: vec![], notes: vec![] };
    let tracers: Vec<_> = setting.ours().into_iter().map(Some).collect();
    let with_nobody: Vec<_> = [None].into_iter().chain(tracers.clone()).collect();
    let many = if setting.quick { 1_000 } else { 10_000 };
    let loads = [
        ("--on-port 1", "1 socket on the port".to_owned()),
        ("--on-port 100", "100 sockets on the port".to_owned()),
        (&*format!("--on-port {many}"), format!("{many} sockets on the port")),
        ("--listeners 10", "10 listeners elsewhere".to_owned()),
        (&*format!("--listeners {many}"), format!("{many} listeners elsewhere")),
    ];
    for (options, load) in loads {
        let (calls, count) = (setting.fewer(setting.calls / 10), setting.fewer(300));
        let bound = format!("loop --call refused --count {calls} {options}");
        let reported = format!("latency --count {count} {options}");
        let metric = |key, what, unit| Metric { key, what, unit, goal: Goal::None };
        let bound = setting.interleave(setting.rounds(3), &bound, &with_nobody)?;
        let reported = setting.interleave(setting.rounds(3), &reported, &tracers)?;
        let mut found = rows(&[metric("refused_ns", "the call", "ns")], &bound);
        found.extend(rows(&[metric("p50_us", "until its line", "µs")], &reported));
        let named = found.into_iter();
        section.rows.extend(named.map(|row| Row { what: format!("{load}: {}", row.what), ..row }));
    }
    Ok(section)
}
