//! What the parts cost: BTF, records, the rule, the formats.

use std::fs;
use std::hint::black_box;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::rc::Rc;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use portbind::diagnosis::rule::{
    Asked, Endpoint, Generation, Group, Held, Memory, Port, Stage, Transport, changes, decide,
};
use portbind::event::{
    Cause, Code, Errno, Holder, HolderProcess, Operation, Process, Protocol, Refusal, Socket, State,
};
use portbind::kernel::btf::Btf;
use portbind::kernel::layout;
use portbind::kernel::record::Record;
use portbind::output::{Format, Printer, Style};
use portbind_abi::{self as abi, kind};
use zerocopy::{FromZeros as _, IntoBytes as _};

const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Excerpts of real kernels' BTF: parsed, and every row of the layout looked up.
fn btf(criterion: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/btf");
    for series in ["5.10", "6.1", "7.3"] {
        let Ok(bytes) = fs::read(folder.join(format!("{series}.btf"))) else { continue };
        criterion.bench_function(&format!("btf parse {series}"), |bench| {
            bench.iter(|| Btf::parse(black_box(&bytes)).map(|btf| btf.len()));
        });
        let Ok(btf) = Btf::parse(&bytes) else { continue };
        criterion.bench_function(&format!("btf layout {series}"), |bench| {
            bench.iter(|| layout::resolve(black_box(&btf)).is_ok());
        });
    }
}

/// The record of one refusal with one holder.
fn records(criterion: &mut Criterion) {
    let header = abi::Header { kind: kind::REFUSAL, ..abi::Header::new_zeroed() };
    let refusal = abi::Refusal { header, holders: 1, ..abi::Refusal::new_zeroed() };
    let mut words = vec![0_u64; refusal.bytes() / size_of::<u64>()];
    if refusal.write_to_prefix(words.as_mut_bytes()).is_err() {
        return;
    }
    criterion.bench_function("record of a refusal", |bench| {
        bench.iter(|| Record::parse(black_box(words.as_bytes())).is_ok());
    });
}

/// The rule, with one holder and with as many as are kept.
fn rule(criterion: &mut Criterion) {
    let endpoint = Endpoint {
        address: ANY,
        v6_only: false,
        device: 0,
        master: 0,
        reuse_address: true,
        reuse_port: false,
        uid: 1000,
    };
    let asked = Asked {
        transport: Transport::Tcp,
        endpoint,
        port: Port::Given,
        listening: false,
        force_reuse: false,
        group: Group::None,
    };
    for count in [1, 32] {
        let held = vec![Held { endpoint, stage: Stage::Listening }; count];
        criterion.bench_function(&format!("rule decide {count}"), |bench| {
            let memory = Memory::default();
            bench.iter(|| decide(Generation::NEWEST, black_box(&asked), black_box(&held), &memory));
        });
        criterion.bench_function(&format!("rule changes {count}"), |bench| {
            bench.iter(|| changes(Generation::NEWEST, black_box(&asked), black_box(&held)));
        });
    }
}

fn process(pid: u32, comm: &str) -> Rc<Process> {
    let mut process = Process::default();
    (process.pid, process.tid, process.comm) = (pid, pid, comm.to_owned());
    process.exe = Some(format!("/usr/bin/{comm}"));
    process.args = [comm, "-m", "server"].map(str::to_owned).to_vec();
    Rc::new(process)
}

fn refusal() -> Refusal {
    let mut holder = Holder::new(Protocol::Tcp, State::Listen, ANY, 8080);
    (holder.inode, holder.uid, holder.user) = (Some(53_719), Some(1000), Some("ci".to_owned()));
    (holder.options_known, holder.backlog) = (true, Some((3, 128)));
    holder.processes.push(HolderProcess::new(process(47_990, "java"), vec![7]));
    let mut socket = Socket::new(Protocol::Tcp, ANY, 8080, 4_026_531_840);
    socket.uid = 1000;
    let (operation, process) = (Operation::Bind, process(48_213, "pytest"));
    let cause = Cause::new(Code::Listener, "another program is listening there".to_owned());
    let mut refusal =
        Refusal::new(Timestamp::UNIX_EPOCH, operation, Errno::EADDRINUSE, process, socket, cause);
    (refusal.holders, refusal.backend) = (vec![holder], "fexit");
    refusal
}

/// A refusal with one holder in each format of events.
fn formats(criterion: &mut Criterion) {
    let refusal = refusal();
    for (name, format) in [("text", Format::Text), ("brief", Format::Brief), ("json", Format::Json)] {
        let mut printer = Printer::new(format, Style::default(), io::sink());
        criterion.bench_function(&format!("{name} of a refusal"), |bench| {
            bench.iter(|| printer.event(black_box(&refusal)).is_ok());
        });
    }
}

criterion_group!(parts, btf, records, rule, formats);
criterion_main!(parts);
