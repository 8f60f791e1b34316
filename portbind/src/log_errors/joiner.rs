//! Matches the errors of logs with the refused binds of recordings, each refused bind with one error.

use std::collections::HashMap;
use std::rc::Rc;

use super::candidates::{Candidate, Candidates};
use super::join::{Join, Match, Reason};
use super::log_error::Complaint;
use crate::event::Errno;
use crate::wire::Refusal;

/// Matches log errors with the refused binds passed to it, and keeps only the ones it may need.
#[derive(Debug, Default)]
pub struct Joiner {
    searches: Vec<Search>,
    pools: Vec<Pool>,
    /// The pools of errors without a time, by what they name.
    shared: HashMap<String, usize>,
    by_port: HashMap<u16, Vec<usize>>,
    by_path: HashMap<String, Vec<usize>>,
    /// Pools of errors that name neither port nor path.
    others: Vec<usize>,
    /// The places of the refused binds in the recording.
    places: HashMap<*const Refusal<'static>, usize>,
    shown: usize,
}

/// A log error, and the pool in which its refused bind is searched for.
#[derive(Debug)]
struct Search {
    complaint: Complaint,
    pool: usize,
}

/// The refused binds for one error, or for all errors that name the same and no time.
#[derive(Debug)]
struct Pool {
    /// The first of these errors.
    search: usize,
    candidates: Candidates,
}

/// How the search for an error's refused bind ended.
enum Outcome {
    Joined(Join),
    /// The refused bind is already that of another error, whose index this is.
    Repeated(usize),
    Not(Reason),
}

impl Joiner {
    /// A joiner for log errors in the order of the log.
    #[must_use]
    pub fn new(complaints: Vec<Complaint>) -> Self {
        let mut joiner = Self::default();
        for complaint in complaints {
            joiner.add(complaint);
        }
        joiner
    }

    fn add(&mut self, complaint: Complaint) {
        let search = self.searches.len();
        let pool = match complaint.time {
            Some(_) => self.new_pool(search, &complaint),
            None => {
                let key = format!("{:?} {:?} {:?}", complaint.target, complaint.programs(), complaint.pid);
                match self.shared.get(&key) {
                    Some(pool) => *pool,
                    None => {
                        let pool = self.new_pool(search, &complaint);
                        self.shared.insert(key, pool);
                        pool
                    }
                }
            }
        };
        if let Some(pool) = self.pools.get_mut(pool) {
            pool.candidates.errors += 1;
        }
        self.searches.push(Search { complaint, pool });
    }

    fn new_pool(&mut self, search: usize, complaint: &Complaint) -> usize {
        let index = self.pools.len();
        match (complaint.target.port, &complaint.target.path) {
            (Some(port), _) => self.by_port.entry(port).or_default().push(index),
            (None, Some(path)) => self.by_path.entry(path.clone()).or_default().push(index),
            (None, None) => self.others.push(index),
        }
        self.pools.push(Pool { search, candidates: Candidates::new() });
        index
    }

    /// Passes in a refused bind, in the order of the recording.
    pub fn show(&mut self, refusal: Refusal<'static>) {
        if refusal.error.number != Errno::EADDRINUSE.0 {
            return;
        }
        let socket = &refusal.socket;
        let by_port = socket.port.and_then(|port| self.by_port.get(&port));
        let by_path = socket.path.as_deref().and_then(|path| self.by_path.get(path));
        let indices = [by_port, by_path, Some(&self.others)];
        let refusal = Rc::new(refusal);
        self.shown += 1;
        self.places.insert(Rc::as_ptr(&refusal), self.shown);
        for index in indices.into_iter().flatten().flatten() {
            if let Some(pool) = self.pools.get_mut(*index)
                && let Some(search) = self.searches.get(pool.search)
            {
                pool.candidates.consider(&search.complaint, &refusal);
            }
        }
    }

    /// The results, in the order of the log. Errors about a refused bind that another error is about are counted with
    /// that one.
    pub fn finish(self) -> impl Iterator<Item = Match> {
        let mut found: Vec<Option<Outcome>> = self.searches.iter().map(|_| None).collect();
        let mut taken: HashMap<*const Refusal<'static>, usize> = HashMap::new();
        for index in self.best_first() {
            let one = self.find(index, &taken);
            if let Outcome::Joined(join) = &one {
                taken.insert(Rc::as_ptr(&join.refusal), index);
            }
            if let Some(place) = found.get_mut(index) {
                *place = Some(one);
            }
        }
        self.put_in_order(&mut found);
        let mut matches: Vec<Option<Match>> = Vec::with_capacity(found.len());
        let mut again: Vec<(usize, u64)> = Vec::new();
        for (search, found) in self.searches.into_iter().zip(found) {
            let complaint = search.complaint;
            matches.push(match found.unwrap_or(Outcome::Not(Reason::NoneLikeIt)) {
                Outcome::Joined(join) => Some(Match { complaint, join: Ok(join) }),
                Outcome::Not(reason) => Some(Match { complaint, join: Err(reason) }),
                Outcome::Repeated(other) => {
                    again.push((other, 1 + complaint.repeats));
                    None
                }
            });
        }
        for (index, repeats) in again {
            if let Some(Some(matched)) = matches.get_mut(index) {
                matched.complaint.repeats += repeats;
            }
        }
        matches.into_iter().flatten()
    }

    /// The errors, those with the surest refused binds first.
    fn best_first(&self) -> Vec<usize> {
        let mut indices: Vec<usize> = (0..self.searches.len()).collect();
        let class = |index: &usize| {
            let class = self.candidates(*index).and_then(Candidates::class);
            (class.is_none(), class)
        };
        indices.sort_by_key(class);
        indices
    }

    /// Of two errors without a time that may each be about both refused binds, the first one is about the first.
    fn put_in_order(&self, found: &mut [Option<Outcome>]) {
        let is_undated =
            |found: &Option<Outcome>| matches!(found, Some(Outcome::Joined(join)) if join.apart.is_none());
        let undated: Vec<usize> =
            (0..found.len()).filter(|index| found.get(*index).is_some_and(is_undated)).collect();
        for (at, first) in undated.iter().enumerate() {
            for second in undated.iter().skip(at + 1) {
                let Ok([Some(Outcome::Joined(one)), Some(Outcome::Joined(two))]) =
                    found.get_disjoint_mut([*first, *second])
                else {
                    continue;
                };
                let place = |join: &Join| self.places.get(&Rc::as_ptr(&join.refusal));
                let may_swap = || self.may_be(*first, &two.refusal) && self.may_be(*second, &one.refusal);
                if place(one) > place(two) && may_swap() {
                    std::mem::swap(&mut one.refusal, &mut two.refusal);
                }
            }
        }
    }

    /// Whether a refused bind is among the best for an error.
    fn may_be(&self, index: usize, refusal: &Rc<Refusal<'static>>) -> bool {
        let best = self.candidates(index).map(Candidates::best).unwrap_or_default();
        best.iter().any(|candidate| Rc::ptr_eq(&candidate.refusal, refusal))
    }

    fn candidates(&self, index: usize) -> Option<&Candidates> {
        let pool = self.searches.get(index)?.pool;
        Some(&self.pools.get(pool)?.candidates)
    }

    /// The best refused bind that is not yet that of another error.
    fn find(&self, index: usize, taken: &HashMap<*const Refusal<'static>, usize>) -> Outcome {
        let (Some(search), Some(candidates)) = (self.searches.get(index), self.candidates(index)) else {
            return Outcome::Not(Reason::NoneLikeIt);
        };
        let Some(class) = candidates.class() else {
            return Outcome::Not(candidates.reason());
        };
        let has_program = !search.complaint.programs().is_empty();
        let count = candidates.count();
        if !(class.is_by_target() || class.is_by_pid() || has_program || count == 1) {
            return Outcome::Not(Reason::Ambiguous(count));
        }
        let owner = |candidate: &Candidate| taken.get(&Rc::as_ptr(&candidate.refusal)).copied();
        let best = candidates.best();
        match best.iter().find(|candidate| owner(candidate).is_none()) {
            Some(Candidate { refusal, apart }) => Outcome::Joined(Join {
                refusal: Rc::clone(refusal),
                by_target: class.is_by_target(),
                by_program: class.is_by_program(),
                by_pid: class.is_by_pid(),
                apart: *apart,
                candidates: count,
            }),
            None => match best.last().and_then(owner) {
                Some(other) => Outcome::Repeated(other),
                None => Outcome::Not(Reason::NoneLikeIt),
            },
        }
    }
}
