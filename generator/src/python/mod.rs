//! From the model of an API to a Python package: first a Python model with every decision taken, then its text.

pub mod model;
