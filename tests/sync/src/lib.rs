//! The two servers that sync is tested against, as processes: `TURSODB` names the program of Turso's own, `SYNC_TEST_SERVER`
//! that of the one that fails on command. `cargo xtask test rust-sync` sets both.

#![forbid(unsafe_code)]

use std::io::{self, BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sync_test_server::{Counters, Endpoint, Fault, Rule};

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The one that fails on command.
    Ours,
    /// Turso's own.
    Tursodb,
}

impl Kind {
    /// The variable of the environment that names the program.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Ours => "SYNC_TEST_SERVER",
            Self::Tursodb => "TURSODB",
        }
    }

    /// The program, if the environment names it.
    pub fn program(self) -> Option<PathBuf> {
        std::env::var_os(self.variable())
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
    }
}

/// A server in a process of its own, which ends when this is dropped.
pub struct Server {
    kind: Kind,
    program: PathBuf,
    database: PathBuf,
    port: u16,
    process: Option<Child>,
    agent: ureq::Agent,
}

impl Server {
    /// Starts a server on a database file and a free port. `None`, with a word on standard error, if there is no program.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(kind: Kind, database: &Path) -> Option<Self> {
        let Some(program) = kind.program() else {
            eprintln!("left out: {} names no server", kind.variable());
            return None;
        };
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .proxy(None)
            .build()
            .into();
        let mut server = Self {
            kind,
            program,
            database: database.to_owned(),
            port: 0,
            process: None,
            agent,
        };
        server.start_again();
        Some(server)
    }

    /// What a client is given.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends it as a power failure would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Starts it on the same file, and the same port if it had one.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start_again(&mut self) {
        match self.kind {
            Kind::Ours => self.start_ours(),
            Kind::Tursodb => self.start_tursodb(),
        }
    }

    /// Kills it, and starts it on the same file and port.
    pub fn restart(&mut self) {
        self.kill();
        self.start_again();
    }

    fn start_ours(&mut self) {
        let mut process = Command::new(&self.program)
            .args(["--until-input-ends", "--listen", &format!("127.0.0.1:{}", self.port)])
            .arg(&self.database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        let output = process.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        self.port = port.unwrap_or_else(|| panic!("the server does not say where it listens: {line:?}"));
        self.process = Some(process);
    }

    fn start_tursodb(&mut self) {
        if self.port == 0 {
            self.port = free_port().expect("a free port");
        }
        let process = Command::new(&self.program)
            .arg(&self.database)
            .args(["--sync-server", &format!("127.0.0.1:{}", self.port)])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        self.process = Some(process);
        let begin = Instant::now();
        while self.post("/v2/pipeline", &json!({"requests": []})).is_err() {
            assert!(begin.elapsed() < PATIENCE, "the server does not answer");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Runs one statement on the server, past the driver; its rows.
    ///
    /// # Panics
    /// If it fails.
    pub fn rows(&self, sql: &str) -> Vec<Vec<Value>> {
        let path = match self.kind {
            Kind::Ours => "/control/pipeline",
            Kind::Tursodb => "/v2/pipeline",
        };
        let request = json!({"type": "execute", "stmt": {"sql": sql}});
        let answer = self.post(path, &json!({"requests": [request]}));
        let answer: Value = serde_json::from_str(&answer.expect("an answer")).expect("JSON");
        let result = &answer["results"][0]["response"]["result"];
        let rows = result["rows"].as_array();
        let rows = rows.unwrap_or_else(|| panic!("{sql} fails on the server: {answer}"));
        rows.iter()
            .map(|row| row.as_array().into_iter().flatten().map(plain_value).collect())
            .collect()
    }

    /// Lets requests go wrong.
    ///
    /// # Panics
    /// If the server is not ours.
    pub fn fail(&self, endpoint: Option<Endpoint>, skip: u32, times: Option<u32>, fault: Fault) {
        let rule = Rule {
            endpoint,
            skip,
            times,
            fault,
        };
        self.post("/control/faults", &rule).expect("the server is ours");
    }

    /// Forgets all that was to go wrong.
    ///
    /// # Panics
    /// If the server is not ours.
    pub fn be_well(&self) {
        let url = format!("{}/control/faults", self.url());
        self.agent.delete(url).call().expect("the server is ours");
    }

    /// Asks for another token from now on; for none with `None`.
    ///
    /// # Panics
    /// If the server is not ours.
    pub fn require(&self, token: Option<&str>) {
        let url = format!("{}/control/token", self.url());
        let body = json!({ "token": token }).to_string();
        self.agent.put(url).send(body).expect("the server is ours");
    }

    /// What has happened so far.
    ///
    /// # Panics
    /// If the server is not ours.
    pub fn counters(&self) -> Counters {
        self.get("/control/counters")
    }

    /// Returns when so many requests wait for news.
    ///
    /// # Panics
    /// If that takes too long.
    pub fn wait_for_waiting(&self, number: u64) {
        let begin = Instant::now();
        loop {
            let waiting = self.counters().waiting;
            if waiting == number {
                return;
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "{waiting} requests wait for news, not {number}"
            );
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        let response = self.agent.get(format!("{}{path}", self.url())).call();
        let text = response.expect("an answer").body_mut().read_to_string();
        serde_json::from_str(&text.expect("text")).expect("JSON")
    }

    fn post(&self, path: &str, body: &impl serde::Serialize) -> Result<String, ureq::Error> {
        let body = serde_json::to_string(body).map_err(io::Error::from)?;
        let mut response = self.agent.post(format!("{}{path}", self.url())).send(body)?;
        let text = response.body_mut().read_to_string()?;
        if response.status().is_success() {
            Ok(text)
        } else {
            Err(io::Error::other(format!("{}: {text}", response.status())).into())
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port on which nobody listens.
///
/// # Errors
/// If there is none.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A value as hrana has it, as one of JSON: integers are strings there, and blobs base64.
fn plain_value(value: &Value) -> Value {
    match value["type"].as_str() {
        Some("integer") => {
            let number = value["value"].as_str().and_then(|number| number.parse::<i64>().ok());
            number.into()
        }
        Some("null") => Value::Null,
        Some("blob") => value["base64"].clone(),
        _ => value["value"].clone(),
    }
}
