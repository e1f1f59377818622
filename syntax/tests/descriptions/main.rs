//! Descriptions, right and wrong, through all phases, as the generator runs them.

mod across_blocks;
mod async_colour;
mod common;
mod driver;
mod one_item;
