//! The inputs that are kept in the repository: each reaches code that the others do not, or has been the end of some
//! version of portbind.

use std::fs;
use std::path::Path;

use portbind_fuzz::TARGETS;

/// Bytes of all corpora together, at most.
const MOST: usize = 200 * 1024;

#[test]
fn every_input_is_taken() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut total = 0;
    for target in TARGETS {
        let entries = fs::read_dir(folder.join(target.name)).unwrap();
        let inputs: Vec<_> = entries.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
        assert!(!inputs.is_empty(), "{} has no corpus", target.name);
        for input in inputs {
            total += input.len();
            (target.run)(&input);
        }
    }
    assert!(total <= MOST, "the corpora have {total} bytes, more than {MOST}");
}

#[test]
fn every_corpus_has_a_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(TARGETS.iter().any(|target| name == target.name), "{name:?} is the corpus of no target");
    }
}
