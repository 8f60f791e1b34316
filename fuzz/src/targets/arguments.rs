//! Words of the command line, of all verbs.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::str::FromStr;

use clap::Parser as _;
use portbind::cli::Cli;
use portbind::cli::values::{
    Comm, ErrorSet, NetnsRef, PortList, PortProtocol, ProtocolSet, Seconds, Target, Zone,
};

use crate::harmless;

/// A command line that parses to nothing is printed with what is wrong with it.
pub(crate) fn run(data: &[u8]) {
    let words = data.split(|&byte| byte == 0);
    let line = std::iter::once(OsStr::new("portbind")).chain(words.map(OsStr::from_bytes));
    if let Err(error) = Cli::try_parse_from(line) {
        // Help and the version are no errors.
        let _text = error.render().to_string();
    }
    for word in data.split(|&byte| byte == 0).filter_map(|word| std::str::from_utf8(word).ok()) {
        values(word);
    }
}

fn values(word: &str) {
    if let Some(ports) = value::<PortList>(word) {
        assert_eq!(ports.to_string().parse(), Ok(ports), "the list of ports is another one when read again");
    }
    if let Some(comm) = value::<Comm>(word) {
        assert!((1..16).contains(&comm.as_str().len()), "{comm:?} is no name that the kernel keeps");
    }
    value::<ErrorSet>(word);
    value::<NetnsRef>(word);
    value::<PortProtocol>(word);
    value::<ProtocolSet>(word);
    value::<Seconds>(word);
    value::<Target>(word);
    value::<Zone>(word);
}

fn value<T: FromStr<Err: ToString>>(word: &str) -> Option<T> {
    T::from_str(word).inspect_err(|error| harmless::check_text(error.to_string().as_bytes())).ok()
}
