//! While the network waits, nothing else does; and what waits for it can be ended. The order of events is asserted, and no
//! time: a wait of an hour that something waited for would never end.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use serde_json::json;

use super::scripted_server::ScriptedServer;
use super::{Replicas, error, rows, run};
use crate::{Autocommit, ConnectionSync, Result, SyncOptions, connect_sync_async};

/// An hour.
const VERY_LONG: u32 = 3_600_000;

macro_rules! server {
    ($replicas:expr) => {
        match ScriptedServer::start(&$replicas.path("server.db"), &[]) {
            Some(server) => server,
            None => return,
        }
    };
}

/// A replica with a table, whose pulls wait for an hour if there is nothing new.
fn patient(replicas: &Replicas, server: &ScriptedServer) -> ConnectionSync {
    let options = SyncOptions::new(server.url()).long_poll_timeout_ms(VERY_LONG);
    let connection = replicas.open_with("patient.db", options).unwrap();
    run(&connection, "CREATE TABLE t (a INTEGER PRIMARY KEY, b)");
    connection.push().unwrap();
    // What was pushed comes back once; the next pull finds nothing, and waits.
    assert!(connection.pull().unwrap());
    connection
}

/// Runs a call in a thread of its own.
fn beside<T: Send + 'static>(
    connection: &ConnectionSync,
    call: impl FnOnce(&ConnectionSync) -> Result<T> + Send + 'static,
) -> (thread::JoinHandle<()>, mpsc::Receiver<Result<T>>) {
    let (sender, receiver) = mpsc::channel();
    let connection = connection.clone();
    let thread = thread::spawn(move || sender.send(call(&connection)).expect("the test waits for it"));
    (thread, receiver)
}

#[test]
fn statements_stats_and_a_push_go_on_while_a_pull_waits_and_an_interrupt_ends_it() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let connection = patient(&replicas, &server);
    let (thread, pulled) = beside(&connection, ConnectionSync::pull);
    server.wait_for_long_poll();
    run(&connection, "INSERT INTO t VALUES (1, 'one')");
    assert_eq!(rows(&connection, "SELECT * FROM t"), ["1|one"]);
    assert_eq!(connection.stats().unwrap().cdc_operations, 1);
    connection.checkpoint().unwrap();
    assert!(
        matches!(pulled.try_recv(), Err(mpsc::TryRecvError::Empty)),
        "the pull should wait still"
    );
    connection.interrupt_push().unwrap();
    assert!(
        matches!(pulled.try_recv(), Err(mpsc::TryRecvError::Empty)),
        "another lane's interrupt is not its own"
    );

    connection.interrupt_pull().unwrap();
    assert_eq!(error(pulled.recv().unwrap()).to_string(), "interrupted");
    thread.join().unwrap();

    // It is as usable as before: a push wakes the next pull.
    let (thread, pulled) = beside(&connection, ConnectionSync::pull);
    server.wait_for_long_poll();
    connection.push().unwrap();
    assert!(pulled.recv().unwrap().unwrap());
    thread.join().unwrap();
    assert_eq!(rows(&connection, "SELECT * FROM t"), ["1|one"]);
}

#[test]
fn closing_cuts_off_what_is_under_way() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let connection = patient(&replicas, &server);
    let (thread, pulled) = beside(&connection, ConnectionSync::pull);
    server.wait_for_long_poll();
    connection.close().unwrap();
    assert!(error(pulled.recv().unwrap()).to_string().contains("closed"));
    thread.join().unwrap();
    for late in [
        connection.pull().map(|_| ()),
        connection.push(),
        connection.stats().map(|_| ()),
        connection.checkpoint(),
    ] {
        assert!(error(late).to_string().contains("closed"));
    }
    // The file is let go.
    let again = replicas.open("patient.db", &server.url());
    assert_eq!(rows(&again, "SELECT count(*) FROM t"), ["0"]);
}

#[test]
fn statements_go_on_beside_a_slow_push_and_its_interrupt_loses_nothing() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let connection = patient(&replicas, &server);
    run(&connection, "INSERT INTO t VALUES (1, 'one')");
    server.fail("push", None, json!({"kind": "delay", "milliseconds": VERY_LONG}));
    let before = server.counter("push");
    let (thread, pushed) = beside(&connection, ConnectionSync::push);
    server.wait_for_requests("push", before + 1);
    run(&connection, "INSERT INTO t VALUES (2, 'two')");
    assert_eq!(connection.stats().unwrap().cdc_operations, 2);
    assert!(
        matches!(pushed.try_recv(), Err(mpsc::TryRecvError::Empty)),
        "the push should wait still"
    );
    connection.interrupt_push().unwrap();
    assert_eq!(error(pushed.recv().unwrap()).to_string(), "interrupted");
    thread.join().unwrap();
    server.mend();
    connection.push().unwrap();
    assert_eq!(
        rows(&replicas.open("other.db", &server.url()), "SELECT a FROM t ORDER BY a"),
        ["1", "2"]
    );
}

/// Bug: what a pull that brought nothing noted of the replica, and what a push did, were written at the same time: one of them failed
/// ("No such file or directory"), or was forgotten.
#[test]
fn pulls_and_pushes_of_many_threads_share_what_is_known_of_the_replica() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    // No transaction stays open between two statements, which a pull of another thread would wait for.
    let options = SyncOptions::new(server.url())
        .autocommit(Autocommit::Enabled)
        .timeout(60.0);
    let connection = replicas.open_with("first.db", options).unwrap();
    run(&connection, "CREATE TABLE t (id INTEGER PRIMARY KEY)");
    let threads = (0..3).map(|thread| {
        let connection = connection.clone();
        std::thread::spawn(move || {
            for number in 0..20 {
                let id = 100 * thread + number;
                connection.execute("INSERT INTO t VALUES (?)", [id])?;
                connection.push()?;
                connection.pull()?;
            }
            Ok(())
        })
    });
    let threads: Vec<std::thread::JoinHandle<crate::Result<()>>> = threads.collect();
    for thread in threads {
        thread.join().unwrap().unwrap();
    }
    connection.push().unwrap();
    assert_eq!(connection.stats().unwrap().cdc_operations, 0);
    connection.close().unwrap();
    let other = replicas.open("second.db", &server.url());
    assert_eq!(rows(&other, "SELECT count(*) FROM t"), ["60"]);
}

#[test]
fn a_call_that_waits_behind_another_is_ended_too() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let connection = patient(&replicas, &server);
    server.fail("push", None, json!({"kind": "delay", "milliseconds": VERY_LONG}));
    let before = server.counter("push");
    let (first_thread, first) = beside(&connection, ConnectionSync::push);
    server.wait_for_requests("push", before + 1);
    let (second_thread, second) = beside(&connection, ConnectionSync::checkpoint);
    connection.close().unwrap();
    for ended in [first, second] {
        assert!(error(ended.recv().unwrap()).to_string().contains("closed"));
    }
    first_thread.join().unwrap();
    second_thread.join().unwrap();
}

#[test]
fn a_pull_waits_for_the_end_of_an_open_transaction_and_says_so_if_it_does_not_come() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let first = replicas.open("first.db", &server.url());
    run(&first, "CREATE TABLE t (a INTEGER PRIMARY KEY, b)");
    first.push().unwrap();
    let options = SyncOptions::new(server.url()).timeout(1.0);
    let second = replicas.open_with("second.db", options).unwrap();
    run(&first, "INSERT INTO t VALUES (1, 'one')");
    first.push().unwrap();

    second.execute("INSERT INTO t VALUES (2, 'two')", ()).unwrap();
    assert!(second.in_transaction().unwrap());
    let stuck = error(second.pull());
    assert!(
        stuck
            .to_string()
            .starts_with("database is locked: a transaction is open"),
        "{stuck}"
    );
    assert_eq!(rows(&second, "SELECT a FROM t"), ["2"]);

    let (thread, pulled) = beside(&second, ConnectionSync::pull);
    thread::sleep(Duration::from_millis(100));
    second.commit().unwrap();
    assert!(pulled.recv().unwrap().unwrap());
    thread.join().unwrap();
    assert_eq!(rows(&second, "SELECT a FROM t ORDER BY a"), ["1", "2"]);
}

#[test]
fn statements_meet_no_lock_while_changes_are_applied_and_checkpoints_made() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let first = replicas.open("first.db", &server.url());
    run(&first, "CREATE TABLE t (a INTEGER PRIMARY KEY, b)");
    first.push().unwrap();
    // A checkpoint needs a moment without the readers of another connection, and a slow machine has few.
    let options = SyncOptions::new(server.url()).timeout(60.0);
    let second = replicas.open_with("second.db", options).unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&is_over);
    let (thread, done) = beside(&second, move |second| {
        let mut count = 0;
        while !over.load(Ordering::SeqCst) {
            count += 1;
            second.execute("INSERT INTO t (a, b) VALUES (?, 'second')", (1_000_000 + count,))?;
            second.commit()?;
            second.execute("SELECT count(*) FROM t", ())?.fetchall()?;
        }
        Ok(count)
    });
    let over = Arc::clone(&is_over);
    let path = replicas.path("second.db");
    let plain = thread::spawn(move || -> Result<usize> {
        let plain = crate::connect(path, crate::ConnectOptions::default())?;
        let mut count = 0;
        while !over.load(Ordering::SeqCst) {
            count += 1;
            plain.execute("SELECT count(*) FROM t", ())?.fetchall()?;
        }
        Ok(count)
    });
    for round in 0..5 {
        let more = (0..100).map(|number| (round * 100 + number, "x".repeat(2000)));
        first
            .executemany("INSERT INTO t VALUES (?, ?)", more.collect::<Vec<_>>())
            .unwrap();
        first.commit().unwrap();
        first.push().unwrap();
        assert!(second.pull().unwrap());
        second.checkpoint().unwrap();
    }
    is_over.store(true, Ordering::SeqCst);
    plain.join().unwrap().unwrap();
    let count = done.recv().unwrap().unwrap();
    thread.join().unwrap();
    second.push().unwrap();
    first.pull().unwrap();
    for replica in [&first, &second] {
        assert_eq!(rows(replica, "SELECT count(*) FROM t"), [(500 + count).to_string()]);
    }
}

#[test]
fn a_server_that_never_answers_is_given_up_after_the_read_timeout() {
    let replicas = Replicas::new();
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let options = SyncOptions::new(url).bootstrap_if_empty(false).read_timeout(0.2);
    let connection = replicas.open_with("patient.db", options).unwrap();
    run(&connection, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    for failed in [error(connection.pull()), error(connection.push())] {
        assert!(
            failed.to_string().contains("silent for longer than read_timeout"),
            "{failed}"
        );
    }
    assert_eq!(rows(&connection, "SELECT * FROM t"), ["1"]);
}

/// An address at which nobody answers: the system drops what comes when the queue of a listener is full.
#[cfg(target_os = "linux")]
fn black_hole() -> (socket2::Socket, Vec<socket2::Socket>, String) {
    use socket2::{Domain, Socket, Type};
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener
        .bind(&std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())
        .unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    loop {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        if socket.connect_timeout(&address, Duration::from_millis(200)).is_err() {
            let port = address.as_socket().unwrap().port();
            return (listener, queue, format!("http://127.0.0.1:{port}"));
        }
        queue.push(socket);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_connection_that_is_still_being_made_is_given_up_after_its_time_limit_and_when_that_is_asked_for() {
    let replicas = Replicas::new();
    let (_listener, _queue, url) = black_hole();
    let options = SyncOptions::new(url).bootstrap_if_empty(false);
    let connection = replicas
        .open_with("patient.db", options.clone().connect_timeout(0.2))
        .unwrap();
    let failed = error(connection.pull());
    assert!(failed.to_string().contains("connect_timeout"), "{failed}");
    connection.close().unwrap();

    let connection = replicas
        .open_with("patient.db", options.connect_timeout(f64::from(VERY_LONG)))
        .unwrap();
    for interrupt in [ConnectionSync::interrupt_pull, |connection: &ConnectionSync| {
        connection.close()
    }] {
        let (thread, pulled) = beside(&connection, ConnectionSync::pull);
        // Asked for until it helps: nobody can tell from outside when the call has come as far as the network.
        let ended = loop {
            interrupt(&connection).unwrap();
            match pulled.recv_timeout(Duration::from_millis(50)) {
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                ended => break ended.unwrap(),
            }
        };
        error(ended);
        thread.join().unwrap();
    }
}

#[test]
fn the_async_proxy_runs_statements_beside_a_pull_and_a_dropped_pull_is_cut_off() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    drop(patient(&replicas, &server));
    let options = SyncOptions::new(server.url()).long_poll_timeout_ms(VERY_LONG);
    block_on(async {
        let connection = connect_sync_async(replicas.path("patient.db"), options).await.unwrap();
        let pull = connection.pull();
        server.wait_for_long_poll();
        connection.execute("INSERT INTO t VALUES (1, 'one')", ()).await.unwrap();
        connection.commit().await.unwrap();
        let cursor = connection.execute("SELECT b FROM t", ()).await.unwrap();
        assert_eq!(
            cursor.fetchone().await.unwrap().unwrap().get::<String>(0).unwrap(),
            "one"
        );
        assert_eq!(connection.stats().await.unwrap().cdc_operations, 1);

        drop(pull);
        // The lane is free again: this pull gets as far as the server too.
        let pull = connection.pull();
        while server.counter("pull") < 2 || server.counter("waiting") == 0 {
            thread::sleep(Duration::from_millis(2));
        }
        connection.push().await.unwrap();
        assert!(pull.await.unwrap());

        // Closing ends a pull too.
        let pull = connection.pull();
        server.wait_for_long_poll();
        connection.close().await.unwrap();
        assert!(pull.await.is_err());
    });
}

/// Bug: an opening knew nothing of its own call, and held the database until the silent server's time was up.
#[test]
fn an_opening_whose_future_is_dropped_ends_and_lets_go_of_the_database() {
    let replicas = Replicas::new();
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let path = replicas.path("given_up.db");
    let mut opening = Box::pin(connect_sync_async(path, SyncOptions::new(&*url).read_timeout(None)));
    assert!(futures::FutureExt::now_or_never(opening.as_mut()).is_none());
    let (mut wire, _) = silent.accept().unwrap();
    // The request has come whole: the opening waits for its answer.
    let mut request = [0; 4096];
    assert!(std::io::Read::read(&mut wire, &mut request).unwrap() > 0);
    drop(opening);
    // The request is cut off. That may be a reset, too.
    while std::io::Read::read(&mut wire, &mut request).is_ok_and(|length| length > 0) {}
    let again = SyncOptions::new(url).bootstrap_if_empty(false);
    let connection = replicas.open_with("given_up.db", again).unwrap();
    assert_eq!(rows(&connection, "SELECT 1"), ["1"]);
}

/// Bug: what a failed opening has made was removed, and an empty file that stood there before with it.
#[test]
fn a_failed_opening_leaves_an_empty_file_that_stood_before() {
    let replicas = Replicas::new();
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    std::fs::write(replicas.path("stood.db"), "").unwrap();
    for _ in 0..2 {
        error(replicas.open_with("stood.db", SyncOptions::new(&*url).read_timeout(0.05)));
        assert_eq!(replicas.files(), ["stood.db"]);
        assert_eq!(std::fs::metadata(replicas.path("stood.db")).unwrap().len(), 0);
    }
    // A process that ended in the middle has left its mark.
    std::fs::write(replicas.path("stood.db-bootstrap"), "an empty file stood here before\n").unwrap();
    std::fs::write(replicas.path("stood.db"), "half of it").unwrap();
    error(replicas.open_with("stood.db", SyncOptions::new(url).read_timeout(0.05)));
    assert_eq!(replicas.files(), ["stood.db"]);
    assert_eq!(std::fs::metadata(replicas.path("stood.db")).unwrap().len(), 0);
}
