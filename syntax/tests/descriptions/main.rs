//! Descriptions, right and wrong, through all phases, as the generator runs them.

mod across_blocks;
mod common;
mod driver;
mod one_item;
