//! Where a request came from: the peer, or whom a trusted proxy names.

use std::net::{IpAddr, SocketAddr};

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName, X_FORWARDED_FOR, X_FORWARDED_PROTO};
use ipnet::IpNet;

/// The bits of an IPv6 address that its owner can't choose: he is given a network of this size.
const IPV6_NETWORK: u8 = 64;

/// The network that stands for an address where somebody is counted: an IPv4 address itself, of IPv6 the /64.
#[must_use]
pub fn network_of(address: IpAddr) -> IpNet {
    match address.to_canonical() {
        IpAddr::V4(address) => IpNet::from(IpAddr::V4(address)),
        whole @ IpAddr::V6(_) => {
            IpNet::new(whole, IPV6_NETWORK).map_or_else(|_| whole.into(), |network| network.trunc())
        }
    }
}

/// Where a request came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The address; none if the connection has none.
    pub address: Option<IpAddr>,
    /// Whether it came over TLS, here or to the proxy.
    pub is_https: bool,
}

/// The networks of the proxies whose word is taken.
#[derive(Debug)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// The proxies in these networks.
    #[must_use]
    pub const fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Where a request came from. What a proxy forwards is believed only if the peer is one that is trusted.
    #[must_use]
    pub fn source(&self, request: &ServiceRequest) -> Source {
        let is_here = request.app_config().secure();
        let Some(peer) = request.peer_addr().map(|peer| peer.ip().to_canonical()) else {
            return Source {
                address: None,
                is_https: is_here,
            };
        };
        if !self.trusts(peer) {
            return Source {
                address: Some(peer),
                is_https: is_here,
            };
        }
        Source {
            address: Some(self.client(peer, request.headers())),
            is_https: is_here
                || entries(request.headers(), &X_FORWARDED_PROTO)
                    .next()
                    .flatten()
                    .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")),
        }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The nearest address that is no trusted proxy's. Each proxy adds at the end whom it heard, so what stands
    /// before an address that is not trusted, or before what is no address, is anybody's word.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer;
        for entry in entries(headers, &X_FORWARDED_FOR) {
            let Some(address) = entry.and_then(read) else {
                break;
            };
            nearest = address;
            if !self.trusts(address) {
                break;
            }
        }
        nearest
    }
}

/// The entries of a header that may be a list and stand several times, the last one first; none for what is no text.
fn entries<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = Option<&'a str>> + use<'a> {
    let values: Vec<_> = headers.get_all(name).collect();
    values
        .into_iter()
        .rev()
        .flat_map(|value| match value.to_str() {
            Ok(text) => text.rsplit(',').map(|entry| Some(entry.trim())).collect(),
            Err(_) => vec![None],
        })
}

/// An address as proxies write it: alone, in brackets, or with a port.
fn read(entry: &str) -> Option<IpAddr> {
    let bare = entry
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'));
    let address = match (bare, entry.parse::<IpAddr>()) {
        (Some(inner), _) => inner.parse().map(IpAddr::V6).ok()?,
        (None, Ok(address)) => address,
        (None, Err(_)) => entry.parse::<SocketAddr>().ok()?.ip(),
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn source(peer: &str, headers: &[(&'static str, &str)]) -> Source {
        let networks = ["10.0.0.0/8", "fd00::/64"].map(|network| network.parse().unwrap());
        let mut request = TestRequest::default().peer_addr(peer.parse().unwrap());
        for header in headers {
            request = request.append_header(*header);
        }
        Proxies::new(networks.to_vec()).source(&request.to_srv_request())
    }

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let headers: Vec<_> = forwarded
            .iter()
            .map(|value| ("x-forwarded-for", *value))
            .collect();
        source(peer, &headers).address.unwrap().to_string()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        for peer in ["192.0.2.1:1", "[2001:db8::1]:1", "[::ffff:192.0.2.1]:1"] {
            let alone = client(peer, &[]);
            for forged in ["198.51.100.1", "10.0.0.1", "::1", "unknown", "", ",,,"] {
                assert_eq!(client(peer, &[forged]), alone, "{forged}");
                assert_eq!(client(peer, &[forged, forged]), alone, "{forged}");
            }
            let proto = [("x-forwarded-proto", "https")];
            assert!(!source(peer, &proto).is_https);
        }
        assert_eq!(client("[::ffff:192.0.2.1]:1", &[]), "192.0.2.1");
    }

    #[test]
    fn a_trusted_proxy_names_the_nearest_who_is_not_trusted() {
        let cases: [(&[&str], &str); 22] = [
            (&[], "10.0.0.1"),
            (&["198.51.100.1"], "198.51.100.1"),
            (&[" 198.51.100.1 "], "198.51.100.1"),
            (&["198.51.100.1:4711"], "198.51.100.1"),
            (&["2001:db8::1"], "2001:db8::1"),
            (&["[2001:db8::1]"], "2001:db8::1"),
            (&["[2001:db8::1]:4711"], "2001:db8::1"),
            (&["::ffff:198.51.100.1"], "198.51.100.1"),
            (&["[::ffff:198.51.100.1]:4711"], "198.51.100.1"),
            (&["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
            (&["203.0.113.9", "198.51.100.1"], "198.51.100.1"),
            (&["203.0.113.9,198.51.100.1,10.1.1.1"], "198.51.100.1"),
            (&["203.0.113.9", "198.51.100.1, 10.1.1.1"], "198.51.100.1"),
            (&["198.51.100.1, ::ffff:10.1.1.1, fd00::5"], "198.51.100.1"),
            // Trusted all the way: the farthest of them asks for himself.
            (&["10.2.2.2, 10.1.1.1"], "10.2.2.2"),
            // What is no address ends what can be believed.
            (&["198.51.100.1, unknown"], "10.0.0.1"),
            (&["198.51.100.1, _hidden, 10.1.1.1"], "10.1.1.1"),
            (&["198.51.100.1,"], "10.0.0.1"),
            (&[""], "10.0.0.1"),
            (&["198.51.100.1:99999"], "10.0.0.1"),
            (&["[198.51.100.1]"], "10.0.0.1"),
            (&["198.51.100.1 203.0.113.9"], "10.0.0.1"),
        ];
        for (forwarded, expected) in cases {
            assert_eq!(client("10.0.0.1:1", forwarded), expected, "{forwarded:?}");
        }
        assert_eq!(client("[::ffff:10.0.0.1]:1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(client("[fd00::1]:1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(
            client("[fd00:0:0:1::1]:1", &["192.0.2.1"]),
            "fd00:0:0:1::1",
            "the network next door"
        );
    }

    #[test]
    fn the_last_proxy_says_whether_it_was_spoken_to_over_tls() {
        let proto = |values: &[&str]| {
            let headers: Vec<_> = values
                .iter()
                .map(|value| ("x-forwarded-proto", *value))
                .collect();
            source("10.0.0.1:1", &headers).is_https
        };
        assert!(proto(&["https"]));
        assert!(proto(&["HTTPS"]));
        assert!(proto(&["http, https"]));
        assert!(proto(&["http", "https"]));
        assert!(!proto(&["https, http"]));
        assert!(!proto(&["https", "http"]));
        assert!(!proto(&["https;"]));
        assert!(!proto(&[]));
    }

    #[test]
    fn a_network_stands_for_an_address() {
        let network = |address: &str| network_of(address.parse().unwrap()).to_string();
        assert_eq!(network("192.0.2.7"), "192.0.2.7/32");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7/32");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    }
}
