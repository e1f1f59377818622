//! A fuzz target for the parser that runs on stable: whatever stands in a source file, the macro and the generator answer
//! with faults or with proxies that are Rust, and never with a panic.
//!
//! Inputs are real sources with bytes or tokens changed, and `impl` blocks made up with random attributes, types and
//! signatures. The seed and the number of inputs can be set:
//! `ASYNC_PROXY_FUZZ_SEED=… ASYNC_PROXY_FUZZ_INPUTS=… cargo test -p async-proxy-tests --test parser_never_panics`.

mod corpus;
mod exercise;
mod found;
mod made_up;
mod mutate;
mod random;
mod words;

use std::io::Write;
use std::panic;

use exercise::{Reached, exercise};
use random::Random;

/// A count of inputs that a debug build runs through in some twenty seconds.
const INPUTS: u64 = 24_000;

/// The stack that rustc gives to the thread on which macros run.
const STACK: usize = 8 << 20;

#[test]
fn whatever_stands_in_a_source_the_parser_never_panics() {
    let fuzzing = std::thread::Builder::new().stack_size(STACK).spawn(fuzz);
    if let Err(panic) = fuzzing.expect("there is a thread").join() {
        panic::resume_unwind(panic);
    }
}

fn fuzz() {
    let seed = number_from("ASYNC_PROXY_FUZZ_SEED").unwrap_or(20_261_120);
    let inputs = number_from("ASYNC_PROXY_FUZZ_INPUTS").unwrap_or(INPUTS);
    let corpus = corpus::read();
    let mut reached = Tally::default();
    for index in 0..inputs {
        // Each input has a seed of its own, so that one can be tried again without those before it.
        let mut random = Random::new(seed.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let input = make_input(&corpus, &mut random);
        let outcome = panic::catch_unwind(|| exercise(&input));
        match outcome {
            Ok(outcome) => reached.count(outcome),
            Err(_) => panic!("input {index} of seed {seed} makes the parser panic:\n{input}"),
        }
    }
    // Past the capture of the test's output: the count is part of the result.
    let _ = writeln!(
        std::io::stdout(),
        "parser fuzzed: {inputs} inputs (seed {seed}); {} were Rust; of those {} held a right description, {} a wrong one",
        reached.parsed,
        reached.right,
        reached.wrong,
    );
    assert!(
        reached.parsed * 4 >= inputs,
        "too few inputs get past the lexer to say anything of the parser"
    );
    assert!(reached.right * 50 >= inputs, "too few inputs get as far as the emitter");
    assert!(reached.wrong * 5 >= inputs, "too few inputs get as far as the checks");
}

fn make_input(corpus: &corpus::Corpus, random: &mut Random) -> String {
    if random.once_in(16) {
        return mutate::nested(&made_up::item(random), random);
    }
    match random.below(4) {
        0 => mutate::bytes(corpus.pick(random), random),
        1 => mutate::tokens(corpus.pick(random), random),
        2 => made_up::item(random),
        _ => mutate::tokens(&made_up::item(random), random),
    }
}

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.trim()
            .parse()
            .unwrap_or_else(|_| panic!("{variable} is `{text}`\nhelp: set it to a number")),
    )
}

#[derive(Default)]
struct Tally {
    parsed: u64,
    right: u64,
    wrong: u64,
}

impl Tally {
    fn count(&mut self, reached: Reached) {
        match reached {
            Reached::Text => return,
            Reached::Rust => {}
            Reached::Right => self.right += 1,
            Reached::Wrong => self.wrong += 1,
        }
        self.parsed += 1;
    }
}
