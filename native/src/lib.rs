//! The native module of aioturso.
