//! Proxies in front of the service, and what they tell of a request: who asked, by which scheme, below which prefix.
//!
//! `Forwarded` (RFC 7239) and `X-Forwarded-For`, `-Proto` and `-Prefix` are believed from the addresses that the operator
//! names, and from nobody else. A list of addresses is read from its end: the first that isn't a trusted proxy's is the
//! client's, whatever stands before it. `X-Forwarded-Host` isn't read, for no answer depends on a host.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;

use crate::problem::{Code, Fault, Problem};
use crate::request::negotiate;

const FORWARDED: &str = "forwarded";
const FOR: &str = "x-forwarded-for";
const PROTO: &str = "x-forwarded-proto";
pub(crate) const PREFIX: &str = "x-forwarded-prefix";
/// Bytes that an outside prefix may have.
const LONGEST_PREFIX: usize = 512;

/// Names for networks that are often meant.
const NAMED: &[(&str, &[&str])] = &[
    ("loopback", &["127.0.0.0/8", "::1/128"]),
    (
        "private",
        &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
    ),
];

/// The addresses of proxies whose word is taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Reads addresses, networks (`10.0.0.0/8`), and the names `loopback` and `private`.
    ///
    /// # Errors
    ///
    /// The first that is none of these, as a sentence.
    pub(crate) fn parse(all: &[String]) -> Result<Self, String> {
        let mut networks = Vec::new();
        for text in all {
            if let Some((_, named)) = NAMED.iter().find(|(name, _)| name == text) {
                networks.extend(named.iter().filter_map(|network| network.parse::<IpNet>().ok()));
                continue;
            }
            let address = text.parse::<IpAddr>().map(IpNet::from);
            let network = text.parse::<IpNet>().or(address).map_err(|_| {
                format!(
                    "`{text}` is no proxy's address; give one as 10.0.0.1, a network as 10.0.0.0/8, `loopback` or `private`"
                )
            })?;
            networks.push(network);
        }
        Ok(Self(networks))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// What is known of a request that came from this address.
    ///
    /// # Errors
    ///
    /// 400 where a trusted proxy sends what can't be read, or what contradicts itself.
    pub(crate) fn outside(&self, headers: &HeaderMap, peer: Option<SocketAddr>) -> Result<Outside, Problem> {
        let peer = peer.map(|peer| peer.ip().to_canonical());
        let direct = Outside {
            client: peer,
            ..Outside::default()
        };
        let Some(proxy) = peer.filter(|peer| self.trusts(*peer)) else {
            return Ok(direct);
        };
        let named = self.told(proxy, &forwarded(headers)?);
        let x_named = self.told(proxy, &x_forwarded(headers)?);
        let told = match (named, x_named) {
            // A proxy writes one of the two and may pass on the other as a client made it up.
            (Some(one), Some(other)) if one.contradicts(other) => {
                let detail = "Forwarded and X-Forwarded-… tell different things; a proxy has to set one and remove the other";
                return Err(bad(FORWARDED, detail));
            }
            (Some(one), other) => Some(Told {
                secure: one.secure.or(other.and_then(|other| other.secure)),
                ..one
            }),
            (None, other) => other,
        };
        Ok(Outside {
            client: Some(told.map_or(proxy, |told| told.client)),
            is_proxied: true,
            is_secure: told.and_then(|told| told.secure),
            prefix: prefix(headers)?,
        })
    }

    /// The client among the hops that a proxy tells of, from the first to the last.
    fn told(&self, proxy: IpAddr, hops: &[Hop]) -> Option<Told> {
        let mut told = Told {
            client: proxy,
            secure: hops.last()?.secure,
        };
        for hop in hops.iter().rev() {
            told.secure = hop.secure.or(told.secure);
            // What hides its address is as far as anybody knows.
            let Some(address) = hop.address else { break };
            told.client = address;
            if !self.trusts(address) {
                break;
            }
        }
        Some(told)
    }
}

/// What is known of where a request comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outside {
    /// The client's address, where the server or a proxy tells it.
    pub(crate) client: Option<IpAddr>,
    /// Whether it came by a trusted proxy.
    pub(crate) is_proxied: bool,
    /// Whether the client came by HTTPS, where a proxy says that.
    pub(crate) is_secure: Option<bool>,
    /// What addresses begin with outside, before our own prefix.
    pub(crate) prefix: String,
}

impl Outside {
    /// Whether a password may be sent as it is: nobody between could read it, as far as is known.
    pub(crate) fn is_private(&self) -> bool {
        let is_here = self.client.is_none_or(|client| client.is_loopback());
        match self.is_secure {
            Some(is_secure) => is_secure || is_here,
            None => self.is_proxied || is_here,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told {
    client: IpAddr,
    secure: Option<bool>,
}

impl Told {
    fn contradicts(self, other: Self) -> bool {
        let schemes = self.secure.zip(other.secure);
        self.client != other.client || schemes.is_some_and(|(one, other)| one != other)
    }
}

/// One on the way: who sent the request to a proxy, and by which scheme.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Hop {
    /// `None`: it hides.
    address: Option<IpAddr>,
    secure: Option<bool>,
}

/// The hops of `Forwarded`.
fn forwarded(headers: &HeaderMap) -> Result<Vec<Hop>, Problem> {
    let mut hops = Vec::new();
    for text in texts(headers, FORWARDED)? {
        for element in negotiate::elements(text.as_bytes()) {
            let pairs = negotiate::parameters(element)
                .ok_or_else(|| bad(FORWARDED, "it can't be read (RFC 7239, 4)"))?;
            let mut hop = Hop::default();
            for (name, value) in pairs {
                match name.as_str() {
                    "for" => hop.address = node(FORWARDED, &value)?,
                    "proto" => hop.secure = Some(scheme(FORWARDED, &value)?),
                    _ => {}
                }
            }
            hops.push(hop);
        }
    }
    Ok(hops)
}

/// The hops of `X-Forwarded-For` and `X-Forwarded-Proto`. Schemes are one for each hop, or the last holds for all.
fn x_forwarded(headers: &HeaderMap) -> Result<Vec<Hop>, Problem> {
    let mut hops = Vec::new();
    for address in list(headers, FOR)? {
        hops.push(Hop {
            address: node(FOR, address)?,
            secure: None,
        });
    }
    let schemes = list(headers, PROTO)?;
    let schemes: Result<Vec<bool>, Problem> = schemes.into_iter().map(|one| scheme(PROTO, one)).collect();
    let schemes = schemes?;
    if let Some(last) = schemes.last() {
        if hops.is_empty() {
            hops.push(Hop::default());
        }
        let each = schemes.len() == hops.len();
        for (place, hop) in hops.iter_mut().enumerate() {
            hop.secure = Some(if each { schemes[place] } else { *last });
        }
    }
    Ok(hops)
}

/// An address with or without a port; `None` for `unknown` and names that were made up.
fn node(header: &'static str, text: &str) -> Result<Option<IpAddr>, Problem> {
    if text.eq_ignore_ascii_case("unknown") || text.starts_with('_') {
        return Ok(None);
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    let address = bare.parse::<IpAddr>().or_else(|_| with_port());
    match address {
        Ok(address) => Ok(Some(address.to_canonical())),
        Err(_) => Err(bad(header, "an address in it can't be read")),
    }
}

fn scheme(header: &'static str, text: &str) -> Result<bool, Problem> {
    match text.to_ascii_lowercase().as_str() {
        "https" => Ok(true),
        "http" => Ok(false),
        _ => Err(bad(header, "a scheme is http or https")),
    }
}

/// `X-Forwarded-Prefix`: paths, each the part that one proxy takes away, the outermost first.
fn prefix(headers: &HeaderMap) -> Result<String, Problem> {
    let mut prefix = String::new();
    for part in list(headers, PREFIX)? {
        let part = part.strip_suffix('/').unwrap_or(part);
        if !part.is_empty() && !is_path(part) {
            return Err(bad(PREFIX, "it is a path, as /tools"));
        }
        prefix.push_str(part);
    }
    if prefix.len() > LONGEST_PREFIX {
        return Err(bad(PREFIX, "it is too long"));
    }
    Ok(prefix)
}

/// Whether a text is `/` and a segment, once or several times (RFC 3986, 3.3), and leads nowhere else.
fn is_path(text: &str) -> bool {
    let is_character = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%".contains(&byte);
    let is_segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_character);
    text.strip_prefix('/')
        .is_some_and(|rest| rest.split('/').all(is_segment))
}

/// The members of a header that is a list, in the order in which they stand.
fn list<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Vec<&'h str>, Problem> {
    let texts = texts(headers, name)?;
    let all = texts.into_iter().flat_map(|text| text.split(',').map(str::trim));
    Ok(all.filter(|one| !one.is_empty()).collect())
}

fn texts<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Vec<&'h str>, Problem> {
    let values = headers.get_all(name).iter();
    let read = values.map(|value| value.to_str().map_err(|_| bad(name, "it isn't ASCII")));
    read.collect()
}

fn bad(header: &'static str, detail: &str) -> Problem {
    Problem::new(Code::BadHeader).fault(Fault::header(header, Code::BadHeader, detail))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn outside(peer: &str, headers: &[(&'static str, &str)]) -> Result<Outside, Problem> {
        let proxies = ["10.0.0.0/8", "loopback", "2001:db8::5"].map(str::to_owned);
        let proxies = Proxies::parse(&proxies).expect("addresses");
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).expect("a value");
            map.append(HeaderName::from_static(name), value);
        }
        proxies.outside(
            &map,
            Some(SocketAddr::new(peer.parse().expect("an address"), 4711)),
        )
    }

    fn client(peer: &str, headers: &[(&'static str, &str)]) -> String {
        let outside = outside(peer, headers).expect("readable headers");
        outside.client.expect("an address").to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let headers = [
            (FOR, "192.0.2.7"),
            (FORWARDED, "for=192.0.2.7"),
            (PROTO, "https"),
            (PREFIX, "/tools"),
        ];
        let told = outside("198.51.100.1", &headers).expect("nothing is read");
        assert_eq!(told.client, "198.51.100.1".parse().ok());
        assert_eq!(
            (told.is_secure, told.prefix.as_str(), told.is_proxied),
            (None, "", false)
        );
        let told = outside("10.1.2.3", &headers).expect("readable");
        assert_eq!(told.client, "192.0.2.7".parse().ok());
        assert_eq!((told.is_secure, told.prefix.as_str()), (Some(true), "/tools"));
        assert_eq!(client("::ffff:10.1.2.3", &headers), "192.0.2.7");
    }

    #[test]
    fn the_client_is_the_last_that_is_no_trusted_proxy() {
        for (list, is) in [
            ("192.0.2.7", "192.0.2.7"),
            ("203.0.113.9, 192.0.2.7", "192.0.2.7"),
            ("203.0.113.9, 192.0.2.7, 10.0.0.8", "192.0.2.7"),
            ("10.0.0.9, 10.0.0.8", "10.0.0.9"),
            ("unknown, 10.0.0.8", "10.0.0.8"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]:80, 10.0.0.8:1234", "2001:db8::7"),
        ] {
            assert_eq!(client("127.0.0.1", &[(FOR, list)]), is, "{list}");
        }
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(
            client("10.0.0.1", &[(FOR, "192.0.2.1"), (FOR, "10.0.0.2")]),
            "192.0.2.1"
        );
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_writes_it() {
        for (text, is) in [
            ("for=192.0.2.43", "192.0.2.43"),
            ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
            ("for=192.0.2.43, for=\"10.0.0.4\"", "192.0.2.43"),
            ("for=_hidden, for=10.0.0.4", "10.0.0.4"),
            ("for=198.51.100.17 ;by=_x , , for=10.0.0.4", "198.51.100.17"),
        ] {
            assert_eq!(client("10.0.0.1", &[(FORWARDED, text)]), is, "{text}");
        }
        for text in [
            "for",
            "for=",
            "for=\"10.0.0.1",
            "for=1.2.3",
            "=x",
            "for=10.0.0.1 by=x",
            "for=[::1]",
        ] {
            assert!(outside("10.0.0.1", &[(FORWARDED, text)]).is_err(), "{text}");
        }
    }

    #[test]
    fn a_made_up_header_beside_the_proxys_own_is_refused() {
        let both = |one, other| outside("10.0.0.1", &[(FORWARDED, one), (FOR, other)]);
        assert!(both("for=192.0.2.1", "192.0.2.2").is_err());
        assert!(both("for=192.0.2.1", "192.0.2.1").is_ok());
        assert!(outside("10.0.0.1", &[(FORWARDED, "proto=https"), (PROTO, "http")]).is_err());
    }

    #[test]
    fn a_scheme_is_that_of_the_clients_own_hop() {
        let secure =
            |headers: &[(&'static str, &str)]| outside("10.0.0.1", headers).expect("readable").is_secure;
        assert_eq!(
            secure(&[(FORWARDED, "for=192.0.2.1;proto=https, for=10.0.0.2;proto=http")]),
            Some(true)
        );
        assert_eq!(
            secure(&[(FOR, "192.0.2.1, 10.0.0.2"), (PROTO, "https, http")]),
            Some(true)
        );
        assert_eq!(
            secure(&[(FOR, "192.0.2.9, 192.0.2.1"), (PROTO, "https, http")]),
            Some(false)
        );
        assert_eq!(
            secure(&[(FOR, "192.0.2.1, 10.0.0.2"), (PROTO, "https")]),
            Some(true)
        );
        assert_eq!(secure(&[(PROTO, "HTTPS")]), Some(true));
        assert_eq!(secure(&[]), None);
        assert!(outside("10.0.0.1", &[(PROTO, "gopher")]).is_err());
    }

    #[test]
    fn a_prefix_is_a_path() {
        let prefix = |text| outside("10.0.0.1", &[(PREFIX, text)]).map(|outside| outside.prefix);
        for (text, is) in [
            ("/tools", "/tools"),
            ("/tools/", "/tools"),
            ("/", ""),
            ("/a/b", "/a/b"),
            ("/a, /b", "/a/b"),
            ("/caf%C3%A9", "/caf%C3%A9"),
        ] {
            assert_eq!(prefix(text).ok().as_deref(), Some(is), "{text}");
        }
        for text in [
            "tools",
            "//evil.example",
            "/a/../b",
            "/a b",
            "/a?b",
            "/a\"b",
            "https://evil.example/",
            "/a//b",
        ] {
            assert!(prefix(text).is_err(), "{text}");
        }
        assert!(prefix(&"/a".repeat(300)).is_err());
    }

    #[test]
    fn a_password_goes_where_nobody_can_read_it() {
        let private =
            |peer, headers: &[(&'static str, &str)]| outside(peer, headers).expect("readable").is_private();
        assert!(private("127.0.0.1", &[]));
        assert!(!private("198.51.100.1", &[(PROTO, "https")]));
        assert!(private("10.0.0.1", &[(FOR, "192.0.2.1"), (PROTO, "https")]));
        assert!(!private("10.0.0.1", &[(FOR, "192.0.2.1"), (PROTO, "http")]));
        assert!(private("10.0.0.1", &[(FOR, "192.0.2.1")]));
    }

    #[test]
    fn what_is_no_address_is_told() {
        let told = Proxies::parse(&["10.0.0.0/33".to_owned()]).expect_err("no network");
        assert!(told.starts_with("`10.0.0.0/33` is no proxy's address"), "{told}");
        assert!(Proxies::parse(&["private".to_owned(), "::1".to_owned()]).is_ok());
    }
}
