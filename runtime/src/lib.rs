//! What generated code stands on.

#[cfg(feature = "python")]
pub mod python;
