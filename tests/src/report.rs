//! What the runner prints.

use std::time::{Duration, Instant};

/// What took longer is told how long.
const LONG: Duration = Duration::from_secs(1);

/// Counts results and prints each.
#[derive(Debug)]
pub struct Report {
    passed: usize,
    /// Names of what failed, each with what was wrong.
    failed: Vec<(String, Vec<String>)>,
    skipped: usize,
    /// When the last result was noted.
    last: Instant,
}

impl Default for Report {
    fn default() -> Self {
        Self { passed: 0, failed: Vec::new(), skipped: 0, last: Instant::now() }
    }
}

impl Report {
    /// Notes one result: what is wrong, nothing if all is right.
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

    /// Notes what could not be tested here.
    pub fn skip(&mut self, name: &str, reason: &str) {
        self.skipped += 1;
        println!("{name} ... skipped: {reason}");
    }

    /// Prints each failure once more and the last line; returns whether nothing failed. Logs of CI are
    /// often cut to their ends, so what was wrong is repeated there.
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

/// Prints complaints, one a line.
fn list(complaints: &[String]) {
    for complaint in complaints {
        println!("  {complaint}");
    }
}
