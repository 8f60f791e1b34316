//! The results of a measurement.

/// Numbers, each with its name.
pub(super) type Words = Vec<(String, f64)>;

/// A number with its name.
pub(super) fn word(name: &str, number: f64) -> (String, f64) {
    (name.to_owned(), number)
}
