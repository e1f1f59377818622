//! A stream that no other thread may poll.

use std::rc::Rc;

use async_proxy::sync_proxy;
use futures::Stream;

pub struct Client;

#[sync_proxy]
impl Client {
    pub fn numbers(&self) -> impl Stream<Item = u64> + 'static + use<> {
        let shared = Rc::new(1);
        futures::stream::iter(0..3).map_with(shared)
    }
}

trait MapWith: Stream<Item = u64> + Sized {
    fn map_with(self, shared: Rc<u64>) -> impl Stream<Item = u64> {
        futures::StreamExt::map(self, move |number| number + *shared)
    }
}

impl<S: Stream<Item = u64>> MapWith for S {}

fn main() {}
