//! Recordings with the largest numbers and the earliest and latest times possible.

use jiff::Timestamp;
use proptest::prelude::*;

use crate::diagnosis::comparison::{Side, compare};
use crate::event::samples;
use crate::output::comparison::Comparison;
use crate::output::{Document as _, Style};
use crate::recording::{Line, Reader, fingerprint};
use crate::report::Collector;
use crate::report::print::html;
use crate::wire::{self, Release, Summary, Time};

fn time() -> impl Strategy<Value = Time> {
    prop_oneof![
        Just(Timestamp::MIN),
        Just(Timestamp::MAX),
        Just(Timestamp::UNIX_EPOCH),
        Just(samples::listener().time),
    ]
    .prop_map(Time)
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(1), Just(u64::MAX), Just(u64::MAX - 1), any::<u64>()]
}

fn length() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(f64::MAX), Just(-1.0), Just(1e-300), Just(60_000.0)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// No sum overflows; sums saturate.
    #[test]
    fn no_total_overflows(
        times in proptest::collection::vec(time(), 6),
        numbers in proptest::collection::vec(number(), 6),
        after_ms in length(),
    ) {
        let time = |index: usize| times[index];
        let number = |index: usize| numbers[index];
        let (listener, time_wait) = (samples::listener(), samples::time_wait());
        let mut refusal = wire::Refusal::from(&listener);
        refusal.holders.extend(time_wait.holders.iter().map(wire::Holder::from));
        refusal.time = time(0);
        refusal.lost = number(0);
        refusal.bystanders = u32::MAX;
        for holder in &mut refusal.holders {
            holder.since = Some(time(1));
            holder.time_wait_left_ms = Some(number(1));
        }
        let summary = Summary {
            schema: wire::SCHEMA.into(), kind: "summary".into(), refused: number(2), shown: number(3),
            coalesced: number(4), filtered: number(5), lost: number(0), steps_lost: number(1),
            returns_missed: number(2), passed_over: number(3), history_lost: number(4), history_evicted: number(5),
            seconds: after_ms, caches: Vec::new(), lost_by: Vec::new(),
        };
        let release = Release {
            schema: wire::SCHEMA.into(), kind: "release".into(), time: time(2), refused: time(0), after_ms,
            process: refusal.process.ancestors[0].clone(), socket: refusal.socket.clone(),
        };
        let lines: Vec<String> = [
            serde_json::to_string(&refusal).unwrap(), serde_json::to_string(&release).unwrap(),
            serde_json::to_string(&summary).unwrap(),
        ].into_iter().collect();
        let text_of_lines = format!("{0}\n{0}\n{1}\n{2}\n{0}\n{2}\n", lines[0], lines[1], lines[2]);
        let mut collector = Collector::default();
        let mut side = Side::new(number(0));
        for line in Reader::new(text_of_lines.as_bytes()) {
            let line = line.unwrap();
            collector.push(&line);
            if let Line::Refusal(refusal) = &line {
                side.add(fingerprint(refusal));
            }
        }
        let report = collector.finish();
        let coalesced = report.totals.coalesced;
        prop_assert_eq!(coalesced, number(4).saturating_add(number(4)));
        for style in [Style::default(), Style { width: Some(40), ..Style::default() }] {
            report.text(&style, &mut Vec::new()).unwrap();
            Comparison { before: &side, after: &side }.text(&style, &mut Vec::new()).unwrap();
        }
        html(&report, &mut Vec::new()).unwrap();
        report.json(&Style::default(), &mut Vec::new()).unwrap();
        prop_assert_eq!(compare(&side, &side).len(), 1);
    }
}
