//! Caches the owners of sockets: one search through all processes serves a burst of queries.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use super::owners::{FdSource, OwnerFds, OwnerMap};
use super::procfs::Procfs;
use super::sockets::SocketOwners;
use super::stat::TICK_NS;

/// The most owners of one socket that are checked before a cached answer is used again. If more processes share a
/// socket, the further owners are as old as the answer.
const CHECKED: usize = 16;
/// The most cached owners, of all sockets together. Further owners of a socket are only counted.
const REMEMBERED: usize = 16_384;
/// An answer stays valid for this many times the duration of its search, so that searches for one socket take at most a
/// twentieth of the time.
const WORTH: u32 = 20;
/// The longest time that any answer stays valid.
const LONGEST: Duration = Duration::from_secs(1);

/// Cached answers of an [`FdSource`].
///
/// A cached owner is used later only if each of its descriptors still refers to the socket and the process is still the
/// same one. A new owner of the socket cannot be detected so cheaply: hence the maximum age of every answer, including
/// answers without owners.
#[derive(Debug)]
pub struct OwnerCache<S> {
    source: S,
    procfs: Procfs,
    max_age: Duration,
    answers: HashMap<u64, Answer>,
}

#[derive(Debug)]
struct Answer {
    /// End of the search that gave the answer.
    taken: Instant,
    /// The last time that the answer was confirmed.
    checked: Instant,
    /// How long the answer stays valid.
    max_age: Duration,
    owners: Vec<Remembered>,
    /// The number of owners that are not cached.
    more: usize,
    /// The process that was checked by [`OwnerCache::ask_opener`].
    asked: Option<u32>,
}

#[derive(Debug)]
struct Remembered {
    owner: OwnerFds,
    /// Start of the process; `None` if the process ended during the search, and for owners that are not checked.
    start: Option<u64>,
}

impl<S: FdSource> OwnerCache<S> {
    /// Caches the results of `source` for `max_age`, and checks them against `procfs`.
    #[must_use]
    pub fn new(source: S, procfs: Procfs, max_age: Duration) -> Self {
        Self { source, procfs, max_age, answers: HashMap::new() }
    }

    /// The source of the answers.
    pub(crate) const fn source(&self) -> &S {
        &self.source
    }

    /// Finds every process that has one of these sockets open.
    ///
    /// The answer must hold at the time `at`, the time of the refused bind. Refused binds that waited in the queue
    /// during a search or a check share its answer, however long it took. `now` is the present.
    pub fn find(&mut self, inodes: &HashSet<u64>, at: Instant, now: Instant) -> OwnerMap {
        self.ask(inodes, at, now);
        let owners = inodes.iter().filter_map(|&inode| {
            let owners: Vec<_> = self.owners(inode).cloned().collect();
            (!owners.is_empty()).then_some((inode, owners))
        });
        owners.collect()
    }

    /// Like [`Self::find`]; [`Self::owners`] returns the answers.
    pub fn ask(&mut self, inodes: &HashSet<u64>, at: Instant, now: Instant) {
        let mut stale = inodes.clone();
        stale.retain(|&inode| !self.is_good(inode, at, now));
        if !stale.is_empty() {
            self.refresh(&stale, inodes, now);
        }
    }

    /// The cached owners of a socket, from the last answer.
    pub fn owners(&self, inode: u64) -> impl Iterator<Item = &OwnerFds> {
        self.answers.get(&inode).into_iter().flat_map(|answer| &answer.owners).map(|owner| &owner.owner)
    }

    /// The number of owners that a socket has besides the cached ones.
    #[must_use]
    pub fn more(&self, inode: u64) -> usize {
        self.answers.get(&inode).map_or(0, |answer| answer.more)
    }

    /// Bytes of the answers, and their maximum.
    #[must_use]
    pub fn bytes(&self) -> (usize, usize) {
        const OWNER: usize = size_of::<Remembered>() + 32;
        (self.answers.values().map(|answer| answer.owners.len()).sum::<usize>() * OWNER, REMEMBERED * OWNER)
    }

    /// Checks whether the process that opened a socket still has the socket open, if the last answer lacks that
    /// process; if so, adds the process to the answer.
    ///
    /// A search through all processes takes no lock, and can miss a process: when a thread other than the first calls
    /// execve, it takes the pid of its process (de_thread, fs/exec.c), and the search may have passed that pid already.
    pub fn ask_opener(&mut self, inode: u64, pid: u32) {
        let Self { procfs, answers, .. } = self;
        let Some(answer) = answers.get_mut(&inode) else { return };
        if answer.asked == Some(pid) || answer.owners.iter().any(|known| known.owner.pid == pid) {
            return;
        }
        answer.asked = Some(pid);
        let start = procfs.start_ticks(pid);
        let fds = SocketOwners::new(procfs.clone()).descriptors_of(pid, inode);
        let started = start.map(|ticks| ticks.saturating_mul(TICK_NS));
        if !fds.is_empty() {
            let place = answer.owners.partition_point(|known| known.owner.pid < pid);
            answer.owners.insert(place, Remembered { owner: OwnerFds { pid, started, fds }, start });
            // The process was one of the owners that are only counted, if there are any.
            answer.more = answer.more.saturating_sub(1);
        }
    }

    fn is_good(&mut self, inode: u64, at: Instant, now: Instant) -> bool {
        let Self { procfs, answers, .. } = self;
        let answer = answers.get_mut(&inode).filter(|answer| answer.is_fresh(at));
        let Some(answer) = answer else { return false };
        if at > answer.checked {
            if !answer.owners.iter().take(CHECKED).all(|owner| owner.still_holds(inode, procfs)) {
                return false;
            }
            answer.checked = now;
        }
        true
    }

    /// Searches for the owners of `inodes`, the part of `question` without a valid answer.
    fn refresh(&mut self, inodes: &HashSet<u64>, question: &HashSet<u64>, now: Instant) {
        let begin = Instant::now();
        let mut found = self.source.find(inodes);
        let missing: HashSet<u64> =
            inodes.iter().copied().filter(|inode| !found.contains_key(inode)).collect();
        if !missing.is_empty() {
            // A search takes no lock: it misses a process of which a thread other than the first calls execve meanwhile
            // (de_thread, fs/exec.c), about once in a thousand searches if the process does nothing else.
            found.extend(self.source.find(&missing));
        }
        let took = begin.elapsed();
        let taken = now + took;
        let max_age = self.max_age.max((took * WORTH).min(LONGEST));
        let mut answers = std::mem::take(&mut self.answers);
        // Answers to the same question stay: they hold for the time of the refused bind, which may be long past.
        answers.retain(|inode, answer| question.contains(inode) || answer.is_fresh(now));
        let known: usize = answers.values().map(|answer| answer.owners.len()).sum();
        let room = REMEMBERED.saturating_sub(known) / inodes.len().max(1);
        for &inode in inodes {
            let mut owners = found.remove(&inode).unwrap_or_default();
            let more = owners.len().saturating_sub(room.max(CHECKED));
            owners.truncate(room.max(CHECKED));
            let remember = |(place, owner): (usize, OwnerFds)| {
                let start = (place < CHECKED).then(|| self.procfs.start_ticks(owner.pid)).flatten();
                Remembered { start, owner }
            };
            let owners = owners.into_iter().enumerate().map(remember).collect();
            answers.insert(inode, Answer { taken, checked: taken, max_age, owners, more, asked: None });
        }
        self.answers = answers;
    }
}

impl Answer {
    fn is_fresh(&self, at: Instant) -> bool {
        at.saturating_duration_since(self.taken) <= self.max_age
    }
}

impl Remembered {
    fn still_holds(&self, inode: u64, procfs: &Procfs) -> bool {
        let Self { owner, start } = self;
        let sockets = SocketOwners::new(procfs.clone());
        start.is_some()
            && procfs.start_ticks(owner.pid) == *start
            && owner.fds.iter().all(|&fd| sockets.verify(owner.pid, fd, inode))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use tempfile::TempDir;

    use super::*;

    const AGE: Duration = Duration::from_millis(50);

    type Change = fn(&Path);

    /// Counts the searches.
    struct Counting {
        sockets: SocketOwners,
        looks: Cell<usize>,
    }

    impl FdSource for Counting {
        fn find(&self, inodes: &HashSet<u64>) -> OwnerMap {
            self.looks.set(self.looks.get() + 1);
            self.sockets.find(inodes)
        }
    }

    fn start(root: &Path, pid: u32, ticks: u64) {
        fs::create_dir_all(root.join(format!("{pid}/fd"))).unwrap();
        let line = format!("{pid} (x) S 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 {ticks} 0");
        fs::write(root.join(format!("{pid}/stat")), line).unwrap();
    }

    fn open(root: &Path, pid: u32, fd: u32, inode: u64) {
        symlink(format!("socket:[{inode}]"), root.join(format!("{pid}/fd/{fd}"))).unwrap();
    }

    fn setup() -> (TempDir, OwnerCache<Counting>) {
        let root = tempfile::tempdir().unwrap();
        start(root.path(), 3, 100);
        open(root.path(), 3, 4, 70);
        let procfs = Procfs::at(root.path());
        let source = Counting { sockets: SocketOwners::new(procfs.clone()), looks: Cell::new(0) };
        (root, OwnerCache::new(source, procfs, AGE))
    }

    fn pids(map: &OwnerMap, inode: u64) -> Vec<u32> {
        map.get(&inode).into_iter().flatten().map(|owner| owner.pid).collect()
    }

    #[test]
    fn a_burst_costs_one_search() {
        let (_root, mut cache) = setup();
        let now = Instant::now();
        for _ in 0..20 {
            let map = cache.find(&HashSet::from([70, 71]), now, now);
            assert_eq!((pids(&map, 70), map.len()), (vec![3], 1));
        }
        // One more search was for the socket without owners.
        assert_eq!(cache.source.looks.get(), 2);
    }

    #[test]
    fn an_earlier_refusal_shares_the_search() {
        let (_root, mut cache) = setup();
        let now = Instant::now() + AGE * 10;
        assert_eq!(pids(&cache.find(&HashSet::from([70]), now, now), 70), [3]);
        assert_eq!(pids(&cache.find(&HashSet::from([70]), now - AGE * 5, now), 70), [3]);
        assert_eq!(cache.source.looks.get(), 1);
    }

    #[test]
    fn an_old_answer_is_searched_again() {
        let (root, mut cache) = setup();
        let now = Instant::now();
        let inodes = HashSet::from([70, 71]);
        assert_eq!(cache.find(&inodes, now, now).len(), 1);
        start(root.path(), 8, 300);
        open(root.path(), 8, 5, 70);
        open(root.path(), 8, 6, 71);
        assert_eq!(pids(&cache.find(&inodes, now + AGE, now + AGE), 70), [3]);
        let map = cache.find(&inodes, now + AGE * 3, now + AGE * 3);
        assert_eq!((pids(&map, 70), pids(&map, 71)), (vec![3, 8], vec![8]));
        assert_eq!(cache.source.looks.get(), 3);
    }

    #[test]
    fn all_that_is_good_stays_while_something_else_is_searched() {
        let (root, mut cache) = setup();
        open(root.path(), 3, 5, 71);
        let now = Instant::now();
        assert_eq!(pids(&cache.find(&HashSet::from([70]), now, now), 70), [3]);
        // The bind was refused while the first answer was fresh, and is described later.
        let map = cache.find(&HashSet::from([70, 71]), now + AGE / 2, now + AGE * 2);
        assert_eq!((pids(&map, 70), pids(&map, 71)), (vec![3], vec![3]));
    }

    /// Finds no process.
    struct Blind;

    impl FdSource for Blind {
        fn find(&self, _inodes: &HashSet<u64>) -> OwnerMap {
            OwnerMap::new()
        }
    }

    /// Finds no process in its first search.
    struct Blinking(SocketOwners, Cell<bool>);

    impl FdSource for Blinking {
        fn find(&self, inodes: &HashSet<u64>) -> OwnerMap {
            if self.1.replace(true) { self.0.find(inodes) } else { OwnerMap::new() }
        }
    }

    #[test]
    fn all_that_a_search_passes_over_is_searched_for_again() {
        let (root, _) = setup();
        let procfs = Procfs::at(root.path());
        let source = Blinking(SocketOwners::new(procfs.clone()), Cell::new(false));
        let mut cache = OwnerCache::new(source, procfs, AGE);
        let now = Instant::now();
        assert_eq!(pids(&cache.find(&HashSet::from([70]), now, now), 70), [3]);
    }

    #[test]
    fn an_opener_that_was_passed_over_is_asked() {
        let (root, _) = setup();
        let mut cache = OwnerCache::new(Blind, Procfs::at(root.path()), AGE);
        let (now, inodes) = (Instant::now(), HashSet::from([70]));
        cache.ask_opener(70, 3);
        assert!(cache.find(&inodes, now, now).is_empty(), "nobody had asked for its owners yet");
        cache.ask_opener(70, 9);
        assert!(cache.find(&inodes, now, now).is_empty(), "there is no such process");
        cache.ask_opener(70, 3);
        let opener = OwnerFds { pid: 3, started: Some(1_000_000_000), fds: vec![4] };
        assert_eq!(cache.owners(70).collect::<Vec<_>>(), [&opener]);
        assert_eq!(pids(&cache.find(&inodes, now, now), 70), [3], "the answer names it from now on");
        cache.ask_opener(70, 3);
        assert_eq!(cache.owners(70).count(), 1, "it is asked once");
    }

    #[test]
    fn all_that_has_changed_is_not_believed() {
        let closed = |root: &Path| fs::remove_file(root.join("3/fd/4")).unwrap();
        let gone = |root: &Path| fs::remove_dir_all(root.join("3")).unwrap();
        let recycled = |root: &Path| start(root, 3, 999);
        let cases: [(Change, &[u32]); 3] = [(closed, &[]), (gone, &[]), (recycled, &[3])];
        for (change, left) in cases {
            let (root, mut cache) = setup();
            let before = Instant::now();
            let inodes = HashSet::from([70]);
            assert_eq!(pids(&cache.find(&inodes, before, before), 70), [3]);
            change(root.path());
            let now = Instant::now();
            assert_eq!(pids(&cache.find(&inodes, before, now), 70), [3], "it was refused before that");
            assert_eq!(pids(&cache.find(&inodes, now, now), 70), left);
            assert_eq!(cache.source.looks.get(), 3 - left.len());
        }
    }

    #[test]
    fn unknown_sockets_alone_are_searched_and_old_answers_are_dropped() {
        let (_root, mut cache) = setup();
        let now = Instant::now();
        assert_eq!(cache.find(&HashSet::from([70]), now, now).len(), 1);
        assert_eq!(cache.find(&HashSet::from([70, 71]), now, now).len(), 1);
        assert_eq!(cache.source.looks.get(), 3);
        assert!(cache.find(&HashSet::from([72]), now + AGE * 9, now + AGE * 9).is_empty());
        assert_eq!(cache.answers.len(), 1);
    }
}
