//! How much one asker may ask: a rate that may go on for ever, and a burst.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::http::header::RETRY_AFTER;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use ipnet::IpNet;
use uuid::Uuid;

use super::source::network_of;
use crate::problem::{Problem, kinds};

/// How many seconds' worth of requests may come at once.
const BURST_SECONDS: u32 = 5;
/// After how many requests those are forgotten who have not asked for a while: so many are remembered in vain.
const SWEEP_EVERY: usize = 10_000;

/// The operations that are never refused: whoever watches over the service must not be turned away.
const FREE: [&str; 2] = ["/healthz", "/readyz"];

/// Whether requests to a path are not counted.
pub(crate) fn is_free(path: &str) -> bool {
    FREE.contains(&path)
}

/// The limits of this process; another process counts by itself.
#[derive(Debug)]
pub struct Limits {
    addresses: Option<Limiter<IpNet>>,
    principals: Option<Limiter<Uuid>>,
}

impl Limits {
    /// So many requests a second from one network and by one principal; 0 is no limit.
    #[must_use]
    pub fn new(per_address: u32, per_principal: u32) -> Self {
        Self {
            addresses: Limiter::new(per_address),
            principals: Limiter::new(per_principal),
        }
    }

    /// Counts a request from an address.
    ///
    /// # Errors
    /// 429, with the seconds until one more is taken.
    pub fn address(&self, address: IpAddr) -> Result<(), Problem> {
        self.addresses
            .as_ref()
            .map_or(Ok(()), |limiter| limiter.count(&network_of(address)))
    }

    /// Counts a request by somebody who has signed in.
    ///
    /// # Errors
    /// 429, with the seconds until one more is taken.
    pub fn principal(&self, principal: Uuid) -> Result<(), Problem> {
        self.principals
            .as_ref()
            .map_or(Ok(()), |limiter| limiter.count(&principal))
    }
}

#[derive(Debug)]
struct Limiter<K: Clone + Eq + Hash> {
    seen: DefaultKeyedRateLimiter<K>,
    counted: AtomicUsize,
}

impl<K: Clone + Eq + Hash> Limiter<K> {
    fn new(per_second: u32) -> Option<Self> {
        let rate = NonZeroU32::new(per_second)?;
        let burst = NonZeroU32::new(per_second.saturating_mul(BURST_SECONDS))?;
        Some(Self {
            seen: DefaultKeyedRateLimiter::keyed(Quota::per_second(rate).allow_burst(burst)),
            counted: AtomicUsize::new(0),
        })
    }

    fn count(&self, key: &K) -> Result<(), Problem> {
        if self.counted.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.seen.retain_recent();
            self.seen.shrink_to_fit();
        }
        self.seen.check_key(key).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            let seconds = wait.as_millis().div_ceil(1000).max(1);
            Problem::new(kinds::TOO_MANY_REQUESTS)
                .say(
                    format!("请求过于频繁，请 {seconds} 秒后再试"),
                    format!("Too many requests; try again in {seconds} s"),
                )
                .with_header(RETRY_AFTER, seconds.to_string())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn a_burst_is_taken_and_then_the_rest_refused() {
        let limits = Limits::new(1, 1);
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for _ in 0..BURST_SECONDS {
            limits.principal(one).unwrap();
        }
        assert_eq!(
            limits.principal(one).unwrap_err().code(),
            "too_many_requests"
        );
        limits.principal(other).unwrap();
    }

    #[test]
    fn a_network_of_ipv6_is_one_asker() {
        let limits = Limits::new(1, 0);
        let from = |host: u128| IpAddr::V6(Ipv6Addr::from((0x2001_0db8_u128 << 96) + host));
        for host in 0..u128::from(BURST_SECONDS) {
            limits.address(from(host)).unwrap();
        }
        limits.address(from(1 << 63)).unwrap_err();
        limits.address(from(1 << 64)).unwrap();
    }

    #[test]
    fn nought_is_no_limit() {
        let limits = Limits::new(0, 0);
        for _ in 0..100_000 {
            limits.address(Ipv4Addr::LOCALHOST.into()).unwrap();
            limits.principal(Uuid::nil()).unwrap();
        }
    }

    #[test]
    fn who_asks_no_more_is_forgotten() {
        // One request each, and a rate at which each is forgiven at once.
        let limiter = Limiter::new(1_000_000).unwrap();
        for address in 0..100_000_u32 {
            limiter.count(&Ipv4Addr::from(address)).unwrap();
        }
        assert!(
            limiter.seen.len() <= SWEEP_EVERY,
            "{} are remembered",
            limiter.seen.len()
        );
    }
}
