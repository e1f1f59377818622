//! A blocking driver for Turso.
