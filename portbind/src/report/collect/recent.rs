//! The most recent refusals: later lines refer to them by time and process.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;

use crate::report::detail::Likeness;
use crate::report::place::Place;

/// The number of stored refusals.
const REMEMBERED: usize = 4096;

/// What is stored of a refusal.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) place: Place,
    pub(super) like: Likeness,
}

/// Refusals by time and process.
#[derive(Debug, Default)]
pub(super) struct Recent {
    known: HashMap<(Timestamp, u32), Known>,
    order: VecDeque<(Timestamp, u32)>,
}

impl Recent {
    pub(super) fn insert(&mut self, time: Timestamp, pid: u32, known: Known) {
        if self.known.insert((time, pid), known).is_none() {
            self.order.push_back((time, pid));
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    pub(super) fn get(&self, time: Timestamp, pid: u32) -> Option<&Known> {
        self.known.get(&(time, pid))
    }
}
