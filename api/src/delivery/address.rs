//! Where webhooks may be sent: which addresses, and which URLs lead to them. Pure; looking names up is
//! [`super::receiver`]'s.
//!
//! Every address is refused that is not a public one, unless it lies in a network that the configuration lists
//! (`webhook_allowed_networks`): an address that leads back to this machine or into the office's network would make the
//! service ask there what its asker could not. Forms in which an IPv6 address carries an IPv4 one are refused whatever
//! they carry: nobody needs them, and each would have to be unpacked as some translator does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::IpNet;
use reqwest::Url;

/// The longest URL that is taken, in bytes, as it is kept.
pub const MAX_URL: usize = 1000;

/// What an address is, to who would send something there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Anybody may have it.
    Public,
    /// It lies in a network that an administrator has listed.
    Listed,
    /// Nothing is sent there; the kind of network that it lies in.
    Refused(&'static str),
}

/// Networks of IPv4 that are not public (IANA's registry of special addresses).
const V4: [(&str, &str); 17] = [
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "shared"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "protocol assignments"),
    ("192.0.2.0/24", "documentation"),
    ("192.31.196.0/24", "AS112"),
    ("192.52.193.0/24", "AMT"),
    ("192.88.99.0/24", "6to4 relay"),
    ("192.168.0.0/16", "private"),
    ("192.175.48.0/24", "AS112"),
    ("198.18.0.0/15", "benchmarking"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/3", "multicast or reserved"),
];

/// Networks of IPv6 that are not public; what is not in `2000::/3` isn't either, these only give it a name.
const V6: [(&str, &str); 16] = [
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("::ffff:0:0/96", "IPv4-mapped"),
    ("::ffff:0:0:0/96", "IPv4-translated"),
    ("::/96", "IPv4-compatible"),
    ("64:ff9b::/96", "NAT64"),
    ("64:ff9b:1::/48", "NAT64"),
    ("100::/64", "discard"),
    ("2001::/23", "protocol assignments, Teredo"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "6to4"),
    ("3fff::/20", "documentation"),
    ("fc00::/7", "unique local"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local"),
    ("ff00::/8", "multicast"),
];

/// Networks to which nothing is sent even where they are listed: what answers there is not one receiver.
const NEVER: [&str; 4] = ["0.0.0.0/8", "224.0.0.0/3", "::/128", "ff00::/8"];

/// The only addresses of IPv6 that are given out to the public.
const GIVEN_OUT: &str = "2000::/3";

struct Networks {
    special: Vec<(IpNet, &'static str)>,
    never: Vec<IpNet>,
    given_out: Vec<IpNet>,
}

static NETWORKS: LazyLock<Networks> = LazyLock::new(|| {
    let read = |text: &&str| text.parse::<IpNet>().ok();
    let special = V4.iter().chain(&V6);
    Networks {
        special: special
            .filter_map(|(text, name)| Some((read(text)?, *name)))
            .collect(),
        never: NEVER.iter().filter_map(read).collect(),
        given_out: [GIVEN_OUT].iter().filter_map(read).collect(),
    }
});

/// Which addresses may be sent to.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    listed: Vec<IpNet>,
}

impl Policy {
    /// Public addresses, and those in these networks.
    #[must_use]
    pub const fn new(listed: Vec<IpNet>) -> Self {
        Self { listed }
    }

    /// What an address is. A listed network of IPv4 does not hold the IPv6 forms of its addresses.
    #[must_use]
    pub fn standing(&self, address: IpAddr) -> Standing {
        let within = |networks: &[IpNet]| networks.iter().any(|net| net.contains(&address));
        let networks = &*NETWORKS;
        if !within(&networks.never) && within(&self.listed) {
            return Standing::Listed;
        }
        let special = networks.special.iter();
        if let Some((_, name)) = special.clone().find(|(net, _)| net.contains(&address)) {
            return Standing::Refused(name);
        }
        if address.is_ipv6() && !within(&networks.given_out) {
            return Standing::Refused("not given out");
        }
        Standing::Public
    }

    /// Whether all of some addresses may be sent to, encrypted or not: in the clear only within listed networks.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn admit(
        &self,
        addresses: impl IntoIterator<Item = IpAddr>,
        is_encrypted: bool,
    ) -> Result<(), Refused> {
        for address in addresses {
            match self.standing(address) {
                Standing::Listed => {}
                Standing::Public if is_encrypted => {}
                Standing::Public => return Err(Refused::NotEncrypted),
                Standing::Refused(network) => return Err(Refused::Address { address, network }),
            }
        }
        Ok(())
    }
}

/// Why nothing is sent to a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no URL, or has no host.
    #[error("not a URL")]
    Unreadable,
    /// It is too long.
    #[error("longer than {MAX_URL} bytes")]
    TooLong,
    /// It is neither https nor http.
    #[error("neither https nor http")]
    Scheme,
    /// It names a user, a password or a fragment.
    #[error("has a user, a password or a fragment")]
    Extras,
    /// Its port is another protocol's.
    #[error("port {0} is another protocol's")]
    Port(u16),
    /// It is http, and leads elsewhere than into a listed network.
    #[error("not encrypted")]
    NotEncrypted,
    /// It leads to an address that is neither public nor listed.
    #[error("{address} is not public ({network})")]
    Address {
        /// The address.
        address: IpAddr,
        /// The kind of network that it lies in.
        network: &'static str,
    },
    /// Its name has no address.
    #[error("the name has no address")]
    Unresolved,
}

/// A URL that may be sent to as far as it tells by itself; if it has a name, that has to be looked up.
#[derive(Clone, Debug)]
pub struct Target {
    /// The URL, as it is kept and used.
    pub url: Url,
    /// The name to be looked up; none if it has an address.
    pub name: Option<String>,
}

impl Target {
    /// Whether what is sent is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Reads a URL, in the manner of the WHATWG's standard, which is also how it is sent to: an address has many
    /// spellings (decimal, octal, hexadecimal, in wide digits), and only one meaning is looked at.
    ///
    /// # Errors
    /// Why nothing is sent to it.
    pub fn read(text: &str, policy: &Policy) -> Result<Self, Refused> {
        let url = Url::parse(text).map_err(|_| Refused::Unreadable)?;
        if url.as_str().len() > MAX_URL {
            return Err(Refused::TooLong);
        }
        if !["https", "http"].contains(&url.scheme()) {
            return Err(Refused::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(Refused::Extras);
        }
        let port = url.port_or_known_default().ok_or(Refused::Unreadable)?;
        if !is_for_the_web(port) {
            return Err(Refused::Port(port));
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(Refused::Unreadable)?.trim_matches(['[', ']']);
        let (addresses, name) = match host.parse::<IpAddr>() {
            Ok(address) => (vec![address], None),
            Err(_) if is_localhost(host) => (
                vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
                Some(host.to_owned()),
            ),
            Err(_) => (Vec::new(), Some(host.to_owned())),
        };
        let target = Self { url, name };
        // Of this machine's own name either address will do: which it has is found out by looking it up.
        let mut admitted = Ok(());
        for address in addresses {
            admitted = policy.admit([address], target.is_encrypted());
            if admitted.is_ok() {
                break;
            }
        }
        admitted.map(|()| target)
    }
}

/// Whether a port is the web's: 80, 443, or one that no older protocol has.
const fn is_for_the_web(port: u16) -> bool {
    matches!(port, 80 | 443 | 1024..)
}

/// Whether a name is this machine's own, whatever a name server says (RFC 6761).
fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(networks: &[&str]) -> Policy {
        Policy::new(networks.iter().map(|net| net.parse().unwrap()).collect())
    }

    fn why(text: &str, policy: &Policy) -> Option<Refused> {
        Target::read(text, policy).err()
    }

    #[test]
    fn every_network_of_the_tables_is_read() {
        assert_eq!(NETWORKS.special.len(), V4.len() + V6.len());
        assert_eq!(NETWORKS.never.len(), NEVER.len());
        assert_eq!(NETWORKS.given_out.len(), 1);
    }

    #[test]
    fn the_edges_of_networks_are_where_they_belong() {
        let policy = Policy::default();
        for (address, is_public) in [
            ("0.255.255.255", false),
            ("1.0.0.0", true),
            ("9.255.255.255", true),
            ("10.0.0.0", false),
            ("10.255.255.255", false),
            ("11.0.0.0", true),
            ("100.63.255.255", true),
            ("100.64.0.0", false),
            ("100.127.255.255", false),
            ("100.128.0.0", true),
            ("126.255.255.255", true),
            ("127.0.0.1", false),
            ("128.0.0.0", true),
            ("169.254.169.254", false),
            ("172.15.255.255", true),
            ("172.16.0.0", false),
            ("172.31.255.255", false),
            ("172.32.0.0", true),
            ("192.167.255.255", true),
            ("192.168.0.0", false),
            ("192.169.0.0", true),
            ("198.17.255.255", true),
            ("198.18.0.0", false),
            ("198.20.0.0", true),
            ("223.255.255.255", true),
            ("224.0.0.0", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::ffff:8.8.8.8", false),
            ("64:ff9b::808:808", false),
            ("1fff:ffff::", false),
            ("2000::", true),
            ("2001:1ff::", false),
            ("2001:200::", true),
            ("2001:db8::", false),
            ("2001:db9::", true),
            ("2002::", false),
            ("2003::", true),
            ("3fff:fff::", false),
            ("3fff:1000::", true),
            ("4000::", false),
            ("fe80::1", false),
            ("ff02::1", false),
        ] {
            let standing = policy.standing(address.parse().unwrap());
            assert_eq!(standing == Standing::Public, is_public, "{address}");
        }
    }

    #[test]
    fn what_is_listed_is_let_in_and_nothing_beside_it() {
        let policy = listed(&["10.20.0.0/16", "fd00:1::/32", "0.0.0.0/4", "ff00::/8"]);
        let standing = |text: &str| policy.standing(text.parse().unwrap());
        assert_eq!(standing("10.20.3.4"), Standing::Listed);
        assert_eq!(standing("fd00:1::5"), Standing::Listed);
        for refused in [
            "172.16.0.1",
            "fd00:2::5",
            "::ffff:10.20.3.4",
            "0.0.0.1",
            "ff02::1",
        ] {
            assert!(
                matches!(standing(refused), Standing::Refused(_)),
                "{refused}"
            );
        }
    }

    #[test]
    fn only_listed_networks_are_sent_to_in_the_clear() {
        let policy = listed(&["10.20.0.0/16"]);
        assert_eq!(why("https://1.1.1.1/a", &policy), None);
        assert_eq!(
            why("http://1.1.1.1/a", &policy),
            Some(Refused::NotEncrypted)
        );
        assert_eq!(why("http://10.20.0.1:8080/a", &policy), None);
        // A name is looked up before it is sent to.
        assert_eq!(why("http://oa.example.gov.cn/", &policy), None);
    }

    #[test]
    fn a_url_is_for_the_web_and_names_nobody() {
        let policy = Policy::default();
        for (text, refused) in [
            ("", Refused::Unreadable),
            ("oa.example.gov.cn", Refused::Unreadable),
            ("https://", Refused::Unreadable),
            ("https://a b.cn/", Refused::Unreadable),
            ("https://[fe80::1%25eth0]/", Refused::Unreadable),
            ("https://1.2.3.4.5/", Refused::Unreadable),
            ("ftp://oa.example.gov.cn/", Refused::Scheme),
            ("file:///etc/passwd", Refused::Scheme),
            ("gopher://oa.example.gov.cn/", Refused::Scheme),
            ("https://a@oa.example.gov.cn/", Refused::Extras),
            ("https://a:b@oa.example.gov.cn/", Refused::Extras),
            ("https://oa.example.gov.cn/#a", Refused::Extras),
            ("https://oa.example.gov.cn:0/", Refused::Port(0)),
            ("https://oa.example.gov.cn:25/", Refused::Port(25)),
        ] {
            assert_eq!(why(text, &policy), Some(refused), "{text}");
        }
        let long = format!("https://oa.example.gov.cn/{}", "a".repeat(MAX_URL));
        assert_eq!(why(&long, &policy), Some(Refused::TooLong));
    }

    #[test]
    fn this_machines_own_name_is_its_own_address() {
        for name in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "ｌｏｃａｌｈｏｓｔ",
        ] {
            let refused = why(&format!("https://{name}/"), &Policy::default());
            assert!(matches!(refused, Some(Refused::Address { .. })), "{name}");
            assert_eq!(
                why(&format!("http://{name}/"), &listed(&["127.0.0.0/8"])),
                None
            );
        }
    }
}
