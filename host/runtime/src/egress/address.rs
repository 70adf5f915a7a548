//! Which addresses may be connected to.
//!
//! A name that a provider declared resolves to whatever its owner likes, so the
//! address decides, not the name. IPv4 is a list of what is refused; IPv6 is
//! the one block that is handed out, less what is refused inside it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// An address that nothing in the public internet has.
///
/// The text names no address: it reaches the guest, which must not learn what
/// an internal name resolves to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an address that is not globally routable")]
pub(super) struct NotGloballyRoutable;

/// Passes the addresses on, if there is nothing wrong with any of them. One bad
/// address spoils the answer: a mixed answer is what an attack looks like.
pub(super) fn check_addresses(addresses: Vec<IpAddr>) -> Result<Vec<IpAddr>, NotGloballyRoutable> {
    if addresses.iter().copied().all(is_globally_routable) {
        Ok(addresses)
    } else {
        Err(NotGloballyRoutable)
    }
}

/// Checks a host that is written as an address. Such a host is never resolved,
/// so no resolver sees it.
pub(super) fn check_literal_host(url: &Url) -> Result<(), NotGloballyRoutable> {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        Some(Host::Domain(_)) => return Ok(()),
        None => return Err(NotGloballyRoutable),
    };
    check_addresses(vec![address]).map(drop)
}

fn is_globally_routable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_global_v4(address),
        IpAddr::V6(address) => is_global_v6(address),
    }
}

fn is_global_v4(address: Ipv4Addr) -> bool {
    !REFUSED_V4.iter().any(|net| net.contains(&address))
}

fn is_global_v6(address: Ipv6Addr) -> bool {
    if let Some(embedded) = embedded_v4(address) {
        return is_global_v4(embedded);
    }
    GLOBAL_V6.contains(&address) && !REFUSED_V6.iter().any(|net| net.contains(&address))
}

/// The IPv4 address at which a packet to this address would arrive. The other
/// embeddings (compatible, 6to4, Teredo, local NAT64) are obsolete or local and
/// refused as a whole.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    (MAPPED.contains(&address) || NAT64.contains(&address)).then(|| {
        let [.., a, b, c, d] = address.octets();
        Ipv4Addr::new(a, b, c, d)
    })
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(first: u16, second: u16, third: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0), prefix)
}

/// The registry of special-purpose addresses, and multicast.
const REFUSED_V4: &[Ipv4Net] = &[
    v4(0, 0, 0, 0, 8),        // this network; 0.0.0.0 reaches the host itself
    v4(10, 0, 0, 0, 8),       // private
    v4(100, 64, 0, 0, 10),    // carrier-grade NAT; also metadata at Alibaba
    v4(127, 0, 0, 0, 8),      // loopback
    v4(168, 63, 129, 16, 32), // Azure's metadata: public in form, local in fact
    v4(169, 254, 0, 0, 16),   // link-local; metadata at most clouds
    v4(172, 16, 0, 0, 12),    // private
    v4(192, 0, 0, 0, 24),     // protocol assignments; metadata at Oracle
    v4(192, 0, 2, 0, 24),     // documentation
    v4(192, 31, 196, 0, 24),  // AS112, answered nearby
    v4(192, 52, 193, 0, 24),  // AMT, answered nearby
    v4(192, 88, 99, 0, 24),   // 6to4 relays
    v4(192, 168, 0, 0, 16),   // private
    v4(192, 175, 48, 0, 24),  // AS112, answered nearby
    v4(198, 18, 0, 0, 15),    // benchmarking
    v4(198, 51, 100, 0, 24),  // documentation
    v4(203, 0, 113, 0, 24),   // documentation
    v4(224, 0, 0, 0, 4),      // multicast
    v4(240, 0, 0, 0, 4),      // reserved, and broadcast
];

/// All addresses that registries hand out. Loopback, unique local (with the
/// metadata at `fd00:ec2::254`), link-local, site-local, multicast and whatever
/// is reserved lie outside.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

const REFUSED_V6: &[Ipv6Net] = &[
    v6(0x2001, 0, 0, 23),     // protocol assignments: Teredo, ORCHID, benchmarking
    v6(0x2001, 0xdb8, 0, 32), // documentation
    v6(0x2002, 0, 0, 16),     // 6to4
    v6(0x2620, 0x4f, 0x8000, 48), // AS112, answered nearby
    v6(0x3fff, 0, 0, 20),     // documentation
];

/// IPv4 in an IPv6 socket.
const MAPPED: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);

/// How hosts without IPv4 reach it; resolvers there answer with nothing else.
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn global(text: &str) -> bool {
        is_globally_routable(text.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_allowed() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.17",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2606:4700::1111",
            "2a00:1450:4001::5e",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ] {
            assert!(global(text), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:0:8.8.8.8",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:808:808::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!global(text), "{text}");
        }
    }

    #[test]
    fn one_private_address_spoils_an_answer() {
        let answer = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let public: Vec<IpAddr> = answer(&["1.1.1.1", "2606:4700::1111"]);
        assert_eq!(check_addresses(public.clone()), Ok(public));
        let mixed = answer(&["1.1.1.1", "127.0.0.1", "2606:4700::1111"]);
        assert_eq!(check_addresses(mixed), Err(NotGloballyRoutable));
    }

    #[test]
    fn hosts_written_as_addresses_are_checked() {
        for (url, expected) in [
            ("https://1.1.1.1/", Ok(())),
            ("https://example.com/", Ok(())),
            ("https://127.0.0.1/", Err(NotGloballyRoutable)),
            ("https://2130706433/", Err(NotGloballyRoutable)),
            ("https://0x7f.1/", Err(NotGloballyRoutable)),
            ("https://127.0.0.1./", Err(NotGloballyRoutable)),
            ("https://[::1]/", Err(NotGloballyRoutable)),
            ("https://[::ffff:10.0.0.1]/", Err(NotGloballyRoutable)),
        ] {
            assert_eq!(
                check_literal_host(&Url::parse(url).unwrap()),
                expected,
                "{url}"
            );
        }
    }

    /// Every way to write an IPv4 address inside an IPv6 address.
    fn embeddings(address: Ipv4Addr) -> Vec<Ipv6Addr> {
        let [a, b, c, d] = address.octets();
        let high = u16::from_be_bytes([a, b]);
        let low = u16::from_be_bytes([c, d]);
        vec![
            address.to_ipv6_mapped(),
            Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            Ipv6Addr::new(0x2001, 0, 0x4136, 0xe378, 0x8000, 0x63bf, !high, !low),
        ]
    }

    fn refused_v4() -> impl Strategy<Value = Ipv4Addr> {
        (prop::sample::select(REFUSED_V4), any::<u32>()).prop_map(|(net, bits)| {
            let host = bits & u32::from(net.hostmask());
            Ipv4Addr::from(u32::from(net.network()) | host)
        })
    }

    proptest! {
        #[test]
        fn a_refused_address_is_refused_in_every_embedding(address in refused_v4()) {
            prop_assert!(!is_global_v4(address));
            for embedded in embeddings(address) {
                prop_assert!(!is_global_v6(embedded), "{address} as {embedded}");
            }
        }

        #[test]
        fn outside_the_global_block_only_public_v4_is_reachable(bits in any::<u128>()) {
            let address = Ipv6Addr::from(bits);
            prop_assume!(!GLOBAL_V6.contains(&address));
            prop_assert_eq!(
                is_global_v6(address),
                embedded_v4(address).is_some_and(is_global_v4)
            );
        }
    }
}
