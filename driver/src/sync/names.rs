//! Looking up the address of a host, which can be given up at any moment.
//!
//! The system's call for it waits for as long as the system likes, and nothing ends it. So a thread of its own makes it, and ends
//! with it; whoever is told to stop goes. A name that is being looked up is not looked up again beside that: there is never more
//! than one thread for a name, however often a call for it is given up and made again.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::wire::look;

/// How long to wait at a stretch, until the call looks whether it must stop.
const LONGEST_WAIT: Duration = Duration::from_millis(25);

/// How many addresses of a host are tried: as many as `ureq` takes.
const MOST_ADDRESSES: usize = 16;

/// The lookups of this process.
static OF_THE_SYSTEM: Lookups = Lookups::new(|host| Ok(host.to_socket_addrs()?.collect()));

/// Looks up the addresses of hosts.
#[derive(Debug)]
pub(crate) struct Names;

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, _: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let parts = uri.scheme().zip(uri.authority());
        let host = parts.and_then(|(scheme, authority)| DefaultResolver::host_and_port(scheme, authority));
        let host = host.ok_or(Error::HostNotFound)?;
        let addresses = OF_THE_SYSTEM.addresses(&host, timeout)?;
        let mut resolved = self.empty();
        for address in addresses.into_iter().take(MOST_ADDRESSES) {
            resolved.push(address);
        }
        if resolved.is_empty() {
            return Err(Error::HostNotFound);
        }
        Ok(resolved)
    }
}

/// The lookups that are under way.
struct Lookups {
    /// What looks up a host and its port.
    find: fn(&str) -> io::Result<Vec<SocketAddr>>,
    under_way: Mutex<BTreeMap<String, Arc<Lookup>>>,
}

/// One of them.
#[derive(Default)]
struct Lookup {
    found: Mutex<Option<Found>>,
    done: Condvar,
}

/// The addresses, or why there are none.
type Found = Result<Vec<SocketAddr>, String>;

impl Lookups {
    const fn new(find: fn(&str) -> io::Result<Vec<SocketAddr>>) -> Self {
        Self {
            find,
            under_way: Mutex::new(BTreeMap::new()),
        }
    }

    fn addresses(&'static self, host: &str, limit: NextTimeout) -> Result<Vec<SocketAddr>, Error> {
        // An address needs nobody to look it up.
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let lookup = self.begin(host)?;
        let started = Instant::now();
        let most = limit.not_zero().map(|most| *most);
        loop {
            let found = lock(&lookup.found);
            let waited = lookup
                .done
                .wait_timeout_while(found, LONGEST_WAIT, |found| found.is_none());
            let found = waited.unwrap_or_else(PoisonError::into_inner).0.clone();
            if let Some(found) = found {
                return found.map_err(|why| io::Error::new(io::ErrorKind::NotFound, why).into());
            }
            look()?;
            if most.is_some_and(|most| started.elapsed() >= most) {
                return Err(Error::Timeout(limit.reason));
            }
        }
    }

    /// The lookup of a host that is under way, or else a new one.
    fn begin(&'static self, host: &str) -> io::Result<Arc<Lookup>> {
        let mut under_way = lock(&self.under_way);
        if let Some(lookup) = under_way.get(host) {
            return Ok(Arc::clone(lookup));
        }
        let lookup = Arc::new(Lookup::default());
        let (made, name) = (Arc::clone(&lookup), host.to_owned());
        thread::Builder::new()
            .name("turso-driver names".to_owned())
            .spawn(move || {
                let found = (self.find)(&name).map_err(|error| error.to_string());
                // What comes later is another lookup.
                lock(&self.under_way).remove(&name);
                *lock(&made.found) = Some(found);
                made.done.notify_all();
            })?;
        under_way.insert(host.to_owned(), Arc::clone(&lookup));
        Ok(lookup)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use ureq::Timeout;

    use super::*;
    use crate::sync::io::Outside;
    use crate::sync::line::{Limits, Line};

    /// Held while nothing shall be found.
    static GATE: Mutex<()> = Mutex::new(());
    static ASKED: AtomicUsize = AtomicUsize::new(0);

    static SLOW: Lookups = Lookups::new(|_| {
        ASKED.fetch_add(1, Ordering::SeqCst);
        drop(lock(&GATE));
        Ok(vec![([127, 0, 0, 1], 80).into()])
    });

    static NOBODY: Lookups = Lookups::new(|_| Err(io::Error::other("no such name")));

    /// Bug: an unknown host was told as a connection that broke, to be tried again.
    #[test]
    fn a_host_that_is_not_found_is_told_as_such() {
        let unknown = NOBODY.addresses("unknown.example:80", no_limit()).unwrap_err();
        let Error::Io(unknown) = unknown else {
            panic!("{unknown}");
        };
        assert_eq!(
            (unknown.kind(), unknown.to_string().as_str()),
            (io::ErrorKind::NotFound, "no such name")
        );
    }

    fn no_limit() -> NextTimeout {
        NextTimeout::default()
    }

    /// Bug: a call that was told to stop waited for the system, or each one that was made again left one more thread behind.
    #[test]
    fn a_lookup_can_be_given_up_and_is_not_made_twice_at_a_time() {
        let held = lock(&GATE);
        let line = Line::new(Limits {
            connect: None,
            silence: None,
        });
        for _ in 0..3 {
            let errand = line.begin();
            line.cut();
            Outside::on_behalf_of(&errand, || SLOW.addresses("slow.example:80", no_limit())).unwrap_err();
        }
        let limit = NextTimeout {
            after: Duration::from_millis(1).into(),
            reason: Timeout::Resolve,
            ..NextTimeout::default()
        };
        let late = SLOW.addresses("slow.example:80", limit).unwrap_err();
        assert!(matches!(late, Error::Timeout(Timeout::Resolve)), "{late}");
        drop(held);
        let found = SLOW.addresses("slow.example:80", no_limit()).unwrap();
        assert_eq!(found, [([127, 0, 0, 1], 80).into()]);
        assert!(
            ASKED.load(Ordering::SeqCst) <= 2,
            "once for all of those, and again only after it was found"
        );
        assert!(SLOW.addresses("[::1]:80", no_limit()).is_ok());
    }
}
