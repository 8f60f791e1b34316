//! Removes a stale socket file.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::{Args, Consent, consent};
use crate::cli::helper::Helper;
use crate::diagnosis::answer::{Freed, Place, Stage};
use crate::diagnosis::event::{Cause, Name};
use crate::diagnosis::freeing::Plan;
use crate::diagnosis::unix::{Facts, Object, decide};
use crate::error::Error;
use crate::host::unix::{Removal, remove_stale};

/// Removes the file at a path, if it is a socket file and no socket is bound to it.
pub(super) fn free(args: &Args, helper: &Helper, name: &Name) -> Result<Freed, Error> {
    let (found, sight) = helper.find_name(name);
    let object = sight.map(|sight| sight.object);
    let is_free = match object {
        None => found.holders.is_empty(),
        Some(object) => object == Object::Gone,
    };
    let process = helper.host.describe(std::process::id()).unwrap_or_default();
    let explain = |object: Option<Object>| {
        let facts =
            object.map_or(Facts::Abstract, |object| Facts::Path { object, absolute: None, is_ours: true });
        decide(&facts, &process, &found.holders)
    };
    let is_stale = object == Some(Object::StaleSocket);
    let mut freed = Freed {
        time: helper.now(),
        subject: helper.subject(Place::Name(name.clone()), None),
        stage: if is_free || is_stale { Stage::Planned } else { Stage::Forbidden },
        is_free,
        plan: Plan::default(),
        stopped: Vec::new(),
        cause: (!is_free).then(|| explain(object)),
        holders: found.holders.clone(),
        refusal: None,
        unseen: found.unseen,
    };
    if let (Name::Path(path), true) = (name, is_stale)
        && consent(args, helper, &freed)? == Consent::Yes
    {
        freed.cause = remove(path, &explain)?;
        freed.is_free = freed.cause.is_none();
        freed.stage = if freed.is_free { Stage::Done } else { Stage::Forbidden };
    }
    Ok(freed)
}

/// Removes it; what kept it, if anything did.
fn remove(path: &[u8], explain: &dyn Fn(Option<Object>) -> Cause) -> Result<Option<Cause>, Error> {
    let path = Path::new(OsStr::from_bytes(path));
    let error = |source| Error::Remove { path: path.to_owned(), source };
    Ok(match remove_stale(path).map_err(error)? {
        Removal::Removed | Removal::NotStale(Object::Gone) => None,
        Removal::NotStale(object) => Some(explain(Some(object))),
        Removal::Replaced => Some(explain(Some(Object::Unseen))),
    })
}
