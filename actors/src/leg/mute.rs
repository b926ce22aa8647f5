//! Sockets on which no stream has started, counted by where they come from: nobody holds them all.
//!
//! Place: asked before a socket is accepted; the answer is kept until its stream has started or never will. A source is an IPv4 address, or
//! the /64 of an IPv6 one, since a whole /64 is what one subscriber gets.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// The counts of one server.
#[derive(Debug, Clone)]
pub struct MuteSockets {
    limit: u32,
    counts: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

/// The place of one socket, given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    source: IpAddr,
    counts: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

impl MuteSockets {
    /// At most `limit` at once from one source.
    pub fn new(limit: u32) -> Self {
        Self { limit, counts: Arc::default() }
    }

    /// A place for one more socket from there; `None` if the source has enough.
    pub fn place(&self, peer: IpAddr) -> Option<Place> {
        let source = source(peer);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(source).or_default();
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(Place { source, counts: Arc::clone(&self.counts) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.source);
            }
        }
    }
}

fn source(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_source_has_so_many_places_and_another_its_own() {
        let mute = MuteSockets::new(2);
        let first = mute.place(ip("192.0.2.1")).unwrap();
        let _second = mute.place(ip("::ffff:192.0.2.1")).unwrap();
        assert!(mute.place(ip("192.0.2.1")).is_none());
        assert!(mute.place(ip("192.0.2.2")).is_some());
        drop(first);
        assert!(mute.place(ip("192.0.2.1")).is_some());
    }

    #[test]
    fn a_subscribers_whole_ipv6_network_is_one_source() {
        let mute = MuteSockets::new(1);
        let _place = mute.place(ip("2001:db8:0:1::1")).unwrap();
        assert!(mute.place(ip("2001:db8:0:1:ffff::2")).is_none());
        assert!(mute.place(ip("2001:db8:0:2::1")).is_some());
    }

    #[test]
    fn what_is_given_back_leaves_nothing_behind() {
        let mute = MuteSockets::new(1);
        drop(mute.place(ip("192.0.2.1")));
        assert!(mute.counts.lock().unwrap().is_empty());
    }
}
