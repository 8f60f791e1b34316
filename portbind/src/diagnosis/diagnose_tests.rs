use std::rc::Rc;

use super::*;
use crate::event::samples;

/// Commands of the remedies for a name that these holders have.
fn commands(facts: &unix::Facts, holders: &[Holder]) -> Vec<String> {
    let fixes = fixes(facts, holders).into_iter().filter_map(|fix| fix.command);
    fixes.map(|command| command.to_string()).collect()
}

fn fixes(facts: &unix::Facts, holders: &[Holder]) -> Vec<Fix> {
    let refusal = samples::listener();
    let call = Call::Portless {
        error: Errno::EADDRINUSE,
        operation: Operation::Bind,
        process: &refusal.process,
        socket: &refusal.socket,
        unix: Some(facts),
    };
    diagnose(&call, holders).fixes
}

#[test]
fn an_abstract_name_ends_with_its_holders() {
    let java = samples::held_by_java();
    assert_eq!(commands(&unix::Facts::Abstract, std::slice::from_ref(&java)), ["kill 47990"]);
    // The file may stay.
    let (object, absolute) = (unix::Object::LiveSocket, Some(b"/run/a".to_vec()));
    let path = unix::Facts::Path { object, absolute, is_ours: true };
    let shown: Vec<String> =
        fixes(&path, std::slice::from_ref(&java)).into_iter().map(|fix| fix.text).collect();
    assert!(shown[0].ends_with(", and remove the file if it is still there then: kill 47990"), "{shown:?}");
    let (object, absolute) = (unix::Object::File, Some(b"/run/a".to_vec()));
    let file = unix::Facts::Path { object, absolute, is_ours: true };
    assert!(commands(&file, std::slice::from_ref(&java)).is_empty());
    let mut own = java.clone();
    Rc::make_mut(&mut own.processes[0].process).pid = samples::listener().process.pid;
    assert!(commands(&unix::Facts::Abstract, &[own]).is_empty());
    let unknown = Holder { processes: Vec::new(), ..java.clone() };
    assert!(commands(&unix::Facts::Abstract, &[java, unknown]).is_empty());
    assert!(commands(&unix::Facts::Abstract, &[]).is_empty());
}
