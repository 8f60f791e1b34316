//! What the runner prints.

/// Counts results and prints each.
#[derive(Debug, Default)]
pub struct Report {
    passed: usize,
    failed: Vec<String>,
    skipped: usize,
}

impl Report {
    /// Notes one result: what is wrong, nothing if all is right.
    pub fn note(&mut self, name: &str, complaints: &[String]) {
        if complaints.is_empty() {
            self.passed += 1;
            println!("{name} ... ok");
            return;
        }
        println!("{name} ... FAILED");
        for complaint in complaints {
            println!("  {complaint}");
        }
        self.failed.push(name.to_owned());
    }

    /// Notes what could not be tested here.
    pub fn skip(&mut self, name: &str, reason: &str) {
        self.skipped += 1;
        println!("{name} ... skipped: {reason}");
    }

    /// Prints the last line; tells whether nothing failed.
    #[must_use]
    pub fn close(&self) -> bool {
        for name in &self.failed {
            println!("failed: {name}");
        }
        println!("{} passed, {} failed, {} skipped", self.passed, self.failed.len(), self.skipped);
        self.failed.is_empty()
    }
}
