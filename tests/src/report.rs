//! The output of the runner.

use std::time::{Duration, Instant};

/// The duration is printed for results that took longer than this.
const LONG: Duration = Duration::from_secs(1);

/// Counts results and prints each.
#[derive(Debug)]
pub struct Report {
    passed: usize,
    /// Names of the failed tests, with their failures.
    failed: Vec<(String, Vec<String>)>,
    skipped: usize,
    /// The time of the last result.
    last: Instant,
}

impl Default for Report {
    fn default() -> Self {
        Self { passed: 0, failed: Vec::new(), skipped: 0, last: Instant::now() }
    }
}

impl Report {
    /// Records one result: the failures, or nothing if the test passed.
    pub fn note(&mut self, name: &str, complaints: &[String]) {
        let took = std::mem::replace(&mut self.last, Instant::now()).elapsed();
        let time = if took > LONG { format!(" ({:.1} s)", took.as_secs_f64()) } else { String::new() };
        if complaints.is_empty() {
            self.passed += 1;
            println!("{name} ... ok{time}");
            return;
        }
        println!("{name} ... FAILED{time}");
        list(complaints);
        self.failed.push((name.to_owned(), complaints.to_vec()));
    }

    /// Records a skipped test.
    pub fn skip(&mut self, name: &str, reason: &str) {
        self.skipped += 1;
        println!("{name} ... skipped: {reason}");
    }

    /// Prints each failure again and the last line; returns whether all tests passed. CI logs are often cut to their
    /// ends, so the failures are repeated there.
    #[must_use]
    pub fn close(&self) -> bool {
        for (name, complaints) in &self.failed {
            println!("failed: {name}");
            list(complaints);
        }
        println!("{} passed, {} failed, {} skipped", self.passed, self.failed.len(), self.skipped);
        self.failed.is_empty()
    }
}

/// Prints failures, one per line.
fn list(complaints: &[String]) {
    for complaint in complaints {
        println!("  {complaint}");
    }
}
