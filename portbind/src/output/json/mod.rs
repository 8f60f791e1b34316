//! What the verbs answer, as JSON lines beside those of events ([`crate::wire`]).

mod answer;
mod comparison;
mod explanation;
pub mod report;
mod schema;

pub use answer::{Check, Freed, Wait, Who};
pub use comparison::{Change, Comparison, Pattern, Side};
pub use explanation::{Explanation, Join, LogLine, Target};
pub use report::Report;
pub use schema::json_schema;

use crate::wire::{Line, of_holder};

impl Line for Who<'_> {
    fn mask(&mut self) {
        self.holders.iter_mut().for_each(of_holder);
    }
}

impl Line for Check<'_> {
    fn mask(&mut self) {
        self.holders.iter_mut().for_each(of_holder);
    }
}

impl Line for Wait<'_> {
    fn mask(&mut self) {
        self.holders.iter_mut().for_each(of_holder);
    }
}

impl Line for Freed<'_> {
    fn mask(&mut self) {
        self.holders.iter_mut().chain(&mut self.holders_now).for_each(of_holder);
    }
}

impl Line for Explanation<'_> {
    fn mask(&mut self) {
        if let Some(refusal) = &mut self.refusal {
            refusal.mask();
        }
    }
}

/// It holds no arguments.
impl Line for Comparison<'_> {
    fn mask(&mut self) {}
}

/// It is made of masked arguments.
impl Line for Report<'_> {
    fn mask(&mut self) {}
}
