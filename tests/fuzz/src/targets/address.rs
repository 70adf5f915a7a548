//! Addresses, and those of IPv4 in every disguise.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use portcullis_runtime::egress::fuzzing::may_connect_to;

use crate::json::Bytes;

pub(super) fn check(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let octets: [u8; 16] = std::array::from_fn(|_| bytes.next());
    let [a, b, c, d, ..] = octets;
    check_v4(Ipv4Addr::new(a, b, c, d));
    // Many of the interesting ones begin with one of these.
    let [first, second, ..] = [
        [10, 0],
        [100, 64],
        [127, 0],
        [169, 254],
        [172, 16],
        [192, 168],
    ][usize::from(a % 6)];
    check_v4(Ipv4Addr::new(first, second, c, d));
    check_v6(Ipv6Addr::from(octets));
}

fn check_v4(address: Ipv4Addr) {
    let allowed = may_connect_to(IpAddr::V4(address));
    assert!(!(allowed && is_local(address)), "{address}");
    for disguised in disguises(address) {
        let through = may_connect_to(IpAddr::V6(disguised));
        assert!(allowed || !through, "{address} as {disguised}");
    }
}

/// By the standard library's words, and two ranges it has none for.
fn is_local(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && b & 0xc0 == 64)
        || (a == 198 && b & 0xfe == 18)
}

fn disguises(address: Ipv4Addr) -> [Ipv6Addr; 6] {
    let [a, b, c, d] = address.octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    [
        address.to_ipv6_mapped(),
        Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
        Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
        Ipv6Addr::new(0x2001, 0, 0x4136, 0xe378, 0x8000, 0x63bf, !high, !low),
    ]
}

fn check_v6(address: Ipv6Addr) {
    if !may_connect_to(IpAddr::V6(address)) {
        return;
    }
    let is_local = address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local();
    assert!(!is_local, "{address}");
    if let Some(inner) = address.to_ipv4_mapped() {
        assert!(may_connect_to(IpAddr::V4(inner)), "{address}");
    }
}
