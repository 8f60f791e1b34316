//! Removes a stale socket file.

use super::freed::{Freed, Stage};
use super::options::{Consent, FreeOptions};
use super::remover::Remover;
use crate::diagnosis::freeing::Plan;
use crate::diagnosis::unix::{Facts, Object, decide};
use crate::event::{Cause, Name};
use crate::host::stale::{Step, Taken};
use crate::ports::error::Error;
use crate::ports::inspector::Inspector;
use crate::ports::request::PortOrName;

/// Removes the file at a path if it is a socket file and no socket is bound to it.
pub(super) fn free_name<E: From<Error>>(
    inspector: &Inspector,
    name: &Name,
    options: &FreeOptions,
    consent: impl FnOnce(&Freed) -> Result<Consent, E>,
) -> Result<Freed, E> {
    if let (Name::Path(path), false) = (name, options.dry_run)
        && let Ok(remover) = Remover::new(inspector, path)
    {
        remover.recover()?;
    }
    let (found, sight) = inspector.find_name(name)?;
    let object = sight.map(|sight| sight.object);
    let is_free = match object {
        None => found.holders.is_empty(),
        Some(object) => object == Object::Gone,
    };
    let process = inspector.host.describe(std::process::id()).unwrap_or_default();
    let explain = |object: Option<Object>| {
        let facts =
            object.map_or(Facts::Abstract, |object| Facts::Path { object, absolute: None, is_ours: true });
        decide(&facts, &process, &found.holders)
    };
    let is_stale = object == Some(Object::StaleSocket);
    let mut freed = Freed {
        time: inspector.now(),
        request: inspector.request(PortOrName::Name(name.clone())),
        stage: if is_free || is_stale { Stage::Planned } else { Stage::Forbidden },
        is_free,
        plan: Plan::default(),
        stopped: Vec::new(),
        cause: (!is_free).then(|| explain(object)),
        holders: found.holders.clone(),
        refusal: None,
        unseen: found.unseen,
    };
    if let (Name::Path(path), true, false) = (name, is_stale, options.dry_run)
        && consent(&freed)? == Consent::Yes
    {
        freed.cause = remove(inspector, path, &explain)?;
        freed.is_free = freed.cause.is_none();
        freed.stage = if freed.is_free { Stage::Done } else { Stage::Forbidden };
    }
    Ok(freed)
}

/// Removes the file, and returns the reason if that was not possible.
fn remove(
    inspector: &Inspector,
    path: &[u8],
    explain: &dyn Fn(Option<Object>) -> Cause,
) -> Result<Option<Cause>, Error> {
    let remover = Remover::new(inspector, path)?;
    let Some(pinned) = remover.pin()? else { return Ok(None) };
    if pinned.object != Object::StaleSocket {
        return Ok(Some(explain(Some(pinned.object))));
    }
    match remover.take(Step::Remove(pinned.identity), pinned.uid)? {
        Taken::Done | Taken::Gone => Ok(None),
        Taken::Replaced => Ok(Some(explain(Some(Object::Unseen)))),
        // The name to which the file was to be moved, or moved back, is taken.
        Taken::Occupied => remover.recover().and_then(|()| match remover.pin()? {
            None => Ok(None),
            Some(now) => match remover.in_the_way()? {
                Some(error) => Err(error),
                None => Ok(Some(explain(Some(now.object)))),
            },
        }),
    }
}
