//! The test server (`tests/server`), which fails on command.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::{Value, json};

/// A running test server. It ends when this is dropped.
pub(super) struct ScriptedServer {
    process: Child,
    url: String,
    /// The server ends when this is closed, also if the test is killed.
    _input: ChildStdin,
}

impl ScriptedServer {
    /// Starts the server on a database file; `None` if the variable `SYNC_TEST_SERVER` names no program.
    pub(super) fn start(database: &Path, arguments: &[&str]) -> Option<Self> {
        let Some(program) = std::env::var("SYNC_TEST_SERVER")
            .ok()
            .filter(|program| !program.is_empty())
        else {
            eprintln!("left out: SYNC_TEST_SERVER does not name the program of the test server");
            return None;
        };
        let mut process = Command::new(program)
            .arg(database)
            .arg("--until-input-ends")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server's program starts");
        let mut line = String::new();
        let output = process.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let address = line
            .trim()
            .strip_prefix("listening on ")
            .expect("its address")
            .to_owned();
        Some(Self {
            _input: process.stdin.take().expect("its input"),
            process,
            url: format!("http://{address}"),
        })
    }

    pub(super) fn url(&self) -> String {
        self.url.clone()
    }

    /// Has a number of requests of a kind fail; all that come if there is no number.
    pub(super) fn fail(&self, endpoint: &str, times: Option<u32>, fault: Value) {
        self.add_rule(&json!({"endpoint": endpoint, "times": times, "fault": fault}));
    }

    /// Has one request of a kind fail, behind a number that do not.
    pub(super) fn fail_later(&self, endpoint: &str, behind: u32, fault: Value) {
        self.add_rule(&json!({"endpoint": endpoint, "skip": behind, "fault": fault}));
    }

    fn add_rule(&self, rule: &Value) {
        ureq::post(self.control("faults"))
            .send(rule.to_string())
            .expect("the rule is taken");
    }

    /// Runs a statement on the server, past the driver.
    pub(super) fn run(&self, sql: &str) {
        let request = json!({"requests": [{"type": "execute", "stmt": {"sql": sql}}]});
        let mut answer = ureq::post(self.control("pipeline"))
            .send(request.to_string())
            .expect("it answers");
        let answer = answer.body_mut().read_to_string().expect("its answer");
        assert!(!answer.contains("\"error\":{"), "{sql}: {answer}");
    }

    /// Forgets what was to fail.
    pub(super) fn mend(&self) {
        ureq::delete(self.control("faults"))
            .call()
            .expect("the rules are forgotten");
    }

    /// The server's counters.
    pub(super) fn counter(&self, name: &str) -> u64 {
        self.look("counters")[name].as_u64().expect("a counter")
    }

    /// The requests that came, with their headers.
    pub(super) fn requests(&self) -> String {
        self.look("requests").to_string()
    }

    /// Waits until a request waits for news.
    pub(super) fn wait_for_long_poll(&self) {
        while self.counter("waiting") == 0 {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    /// Waits until that many requests of a kind have come.
    pub(super) fn wait_for_requests(&self, endpoint: &str, count: u64) {
        while self.counter(endpoint) < count {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    fn look(&self, at: &str) -> Value {
        let mut answer = ureq::get(self.control(at)).call().expect("the server answers");
        let text = answer.body_mut().read_to_string().expect("its answer");
        serde_json::from_str(&text).expect("JSON")
    }

    fn control(&self, what: &str) -> String {
        format!("{}/control/{what}", self.url)
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
