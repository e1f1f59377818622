//! What goes wrong on command.

use serde::{Deserialize, Serialize};

/// The two requests of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `POST /pull-updates`
    Pull,
    /// `POST /v2/pipeline`
    Push,
}

/// Which requests go wrong, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// One kind of request; both if it is left out.
    #[serde(default)]
    pub endpoint: Option<Endpoint>,
    /// How many requests of the kind go well before: `n - 1` for the n-th.
    #[serde(default)]
    pub skip: u32,
    /// How many go wrong then; all if it is `null`, one if it is left out.
    #[serde(default = "once")]
    pub times: Option<u32>,
    /// How.
    pub fault: Fault,
}

#[expect(clippy::unnecessary_wraps, reason = "the default of a field that is an Option")]
fn once() -> Option<u32> {
    Some(1)
}

/// What can go wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// It is answered late.
    Delay {
        /// How late.
        milliseconds: u64,
    },
    /// It is not done, and answered with a status and these words.
    Status {
        /// Of HTTP.
        status: u16,
        /// The body.
        #[serde(default)]
        body: String,
    },
    /// It is not done, and answered with status 200 and bytes that are no message.
    Rubbish,
    /// It is done, and answered as if the answer ended after some bytes.
    Truncate {
        /// How many are left.
        bytes: usize,
    },
    /// It is done, and the connection is closed after some bytes of the answer, whose full length was announced.
    Cut {
        /// How many are sent.
        bytes: usize,
    },
    /// It is done, and its answer pauses after some bytes.
    Stall {
        /// How many are sent before.
        bytes: usize,
        /// How long it pauses.
        milliseconds: u64,
    },
    /// It is not done: the connection is closed without an answer.
    Drop,
    /// It is done, and the connection is closed without an answer.
    DropAnswer,
    /// It is not done: the client is sent somewhere else.
    Redirect {
        /// Where.
        location: String,
        /// 307 or 308 keep the request as it is.
        #[serde(default = "temporary_redirect")]
        status: u16,
    },
    /// A pull is answered with another revision than the true one.
    Revision {
        /// The revision in the answer.
        revision: String,
    },
}

fn temporary_redirect() -> u16 {
    307
}

/// The rules, in the order in which they were given.
#[derive(Debug, Default)]
pub(crate) struct Rules(Vec<Rule>);

impl Rules {
    /// Adds a rule behind the others.
    pub(crate) fn add(&mut self, rule: Rule) {
        self.0.push(rule);
    }

    /// Forgets all of them.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Those that are still to come.
    pub(crate) fn pending(&self) -> &[Rule] {
        &self.0
    }

    /// What goes wrong with the next request of a kind: the first rule that is due decides, and every rule counts the request.
    pub(crate) fn next(&mut self, endpoint: Endpoint) -> Option<Fault> {
        let mut due = None;
        for rule in &mut self.0 {
            if rule.endpoint.is_some_and(|only| only != endpoint) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
            } else if due.is_none() {
                due = Some(rule.fault.clone());
                rule.times = rule.times.map(|times| times.saturating_sub(1));
            }
        }
        self.0.retain(|rule| rule.times != Some(0));
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(given: &[&str]) -> Rules {
        let mut rules = Rules::default();
        for rule in given {
            rules.add(serde_json::from_str(rule).unwrap());
        }
        rules
    }

    #[test]
    fn the_nth_request_fails_and_no_other() {
        let mut rules = rules(&[r#"{"endpoint": "push", "skip": 1, "fault": {"kind": "drop"}}"#]);
        assert_eq!(rules.next(Endpoint::Pull), None);
        assert_eq!(rules.next(Endpoint::Push), None);
        assert_eq!(rules.next(Endpoint::Pull), None);
        assert_eq!(rules.next(Endpoint::Push), Some(Fault::Drop));
        assert_eq!(rules.next(Endpoint::Push), None);
        assert!(rules.pending().is_empty());
    }

    #[test]
    fn a_rule_without_an_end_stays() {
        let mut rules = rules(&[r#"{"times": null, "fault": {"kind": "rubbish"}}"#]);
        for _ in 0..3 {
            assert_eq!(rules.next(Endpoint::Pull), Some(Fault::Rubbish));
        }
    }

    #[test]
    fn rules_wait_for_each_other() {
        let mut rules = rules(&[r#"{"fault": {"kind": "drop"}}"#, r#"{"fault": {"kind": "rubbish"}}"#]);
        assert_eq!(rules.next(Endpoint::Pull), Some(Fault::Drop));
        assert_eq!(rules.next(Endpoint::Pull), Some(Fault::Rubbish));
    }
}
