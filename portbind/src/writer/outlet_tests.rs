use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;

use super::*;

const MOMENT: Duration = Duration::from_millis(50);

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn finish(outlets: &Outlets) -> u64 {
    runtime().block_on(outlets.finish(MOMENT, Instant::now() + 10 * MOMENT))
}

fn pipe() -> (File, File) {
    let (reader, writer) = io::pipe().unwrap();
    (OwnedFd::from(reader).into(), OwnedFd::from(writer).into())
}

#[test]
fn all_that_is_flushed_is_written_in_order() {
    let (mut reader, writer) = pipe();
    let mut outlets = Outlets::default();
    let mut outlet = outlets.add(writer);
    for number in 0..1000 {
        writeln!(outlet, "{number}").unwrap();
        outlet.flush().unwrap();
    }
    assert_eq!(finish(&outlets), 0);
    drop((outlet, outlets));
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, (0..1000).map(|number| format!("{number}\n")).collect::<String>());
}

#[test]
fn all_that_the_kernel_takes_at_once_is_there_after_the_flush() {
    let (mut reader, writer) = pipe();
    rustix::io::ioctl_fionbio(&reader, true).unwrap();
    let mut outlets = Outlets::default();
    let mut outlet = outlets.add(writer);
    let marker = outlet.marker();
    let mut there = [0; 16];
    for _ in 0..3 {
        marker.next_is_an_event();
        outlet.write_all(b"piece").unwrap();
        outlet.flush().unwrap();
        assert_eq!(reader.read(&mut there).unwrap(), 5);
    }
    assert!(!outlet.shared.state().has_thread);
    assert_eq!(finish(&outlets), 0);
    drop(outlet);
    assert_eq!(reader.read(&mut there).unwrap(), 0, "it is open after its last word");
}

#[test]
fn a_piece_that_is_taken_in_part_is_passed_on_whole() {
    let (mut reader, writer) = pipe();
    let mut outlets = Outlets::default();
    let mut outlet = outlets.add(writer);
    let marker = outlet.marker();
    marker.next_is_an_event();
    // More than a pipe holds.
    let piece: Vec<u8> = (0..=u8::MAX).cycle().take(200_000).collect();
    outlet.write_all(&piece).unwrap();
    outlet.flush().unwrap();
    outlet.write_all(b"end").unwrap();
    outlet.flush().unwrap();
    assert_eq!(outlet.shared.state().events, 1);
    let mut all = vec![0; piece.len() + 3];
    reader.read_exact(&mut all).unwrap();
    assert!(all[..piece.len()] == piece && all.ends_with(b"end"));
    assert_eq!(finish(&outlets), 0);
}

#[test]
fn after_it_was_given_up_nobody_waits_for_it() {
    let (_reader, writer) = pipe();
    let mut outlets = Outlets::default();
    let mut outlet = outlets.add(writer);
    outlet.write_all(&[b'x'; 200_000]).unwrap();
    outlet.flush().unwrap();
    let _ = finish(&outlets);
    let begin = Instant::now();
    outlet.write_all(b"late").unwrap();
    outlet.flush().unwrap();
    drop(outlet);
    assert!(begin.elapsed() < Duration::from_secs(1));
}

#[test]
fn nobody_waits_for_a_pipe_that_nobody_reads() {
    let (_reader, writer) = pipe();
    let mut outlets = Outlets::default();
    let mut outlet = outlets.add(writer);
    let marker = outlet.marker();
    let mut events = 0;
    while outlets.have_room() {
        marker.next_is_an_event();
        outlet.write_all(&[b'x'; 4096]).unwrap();
        outlet.flush().unwrap();
        events += 1;
    }
    assert!(events > 60, "{events}");
    let begin = Instant::now();
    let unwritten = finish(&outlets);
    assert!(begin.elapsed() < Duration::from_secs(1));
    // A pipe holds 64 KiB, which are 16 of these events.
    assert!((events - 17..=events).contains(&unwritten), "{unwritten} of {events}");
    assert!(outlets.have_room(), "what was given up still takes room");
    drop(outlet);
    assert!(begin.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_closed_pipe_is_an_error_of_the_next_flush() {
    let (reader, writer) = pipe();
    drop(reader);
    let mut outlets = Outlets::default();
    let mut outlet = outlets.add(writer);
    outlet.write_all(b"x").unwrap();
    outlet.flush().unwrap();
    assert_eq!(finish(&outlets), 0);
    assert_eq!(outlets.failure().unwrap().kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(outlet.flush().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn a_slow_reader_is_waited_for_while_it_reads() {
    let (mut reader, writer) = pipe();
    let mut outlets = Outlets::default();
    let mut outlet = outlets.add(writer);
    for _ in 0..50 {
        outlet.write_all(&[b'x'; 4096]).unwrap();
        outlet.flush().unwrap();
    }
    let read = thread::spawn(move || {
        let mut total = 0;
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = reader.read(&mut bytes) {
            total += count;
            thread::sleep(MOMENT / 10);
        }
        total
    });
    let finished = runtime().block_on(outlets.finish(20 * MOMENT, Instant::now() + 200 * MOMENT));
    assert_eq!(finished, 0);
    drop((outlet, outlets));
    assert_eq!(read.join().unwrap(), 50 * 4096);
}

#[test]
fn haste_ends_the_wait_and_the_rest_is_counted() {
    let (_reader, writer) = pipe();
    let mut outlets = Outlets::default();
    let (mut outlet, others) = (outlets.add(writer), outlets.beside());
    let marker = outlet.marker();
    for events in [1, 40, 0] {
        marker.next_has(events);
        outlet.write_all(&vec![b'x'; 128 * 1024]).unwrap();
        outlet.flush().unwrap();
    }
    let begin = Instant::now();
    others.haste().begin();
    let minute = Duration::from_secs(60);
    assert_eq!(runtime().block_on(outlets.finish(minute, begin + minute)), 41);
    assert!(begin.elapsed() < 4 * HASTE, "{:?}", begin.elapsed());
    assert_eq!(outlets.dropped(), Dropped { pieces: 3, events: 41 });
}
