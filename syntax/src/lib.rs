//! The model of a blocking API.
