//! Addresses at which other devices on the network reach the server, and the QR code for them.

use std::net::{IpAddr, SocketAddr};

use if_addrs::IfOperStatus;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// Prefixes of the names of interfaces for containers, virtual machines and tunnels, which guests seldom use.
const VIRTUAL: [&str; 16] = [
    "docker",
    "br-",
    "veth",
    "virbr",
    "vmnet",
    "vboxnet",
    "podman",
    "cni",
    "flannel",
    "lxc",
    "tun",
    "tap",
    "wg",
    "utun",
    "tailscale",
    "zt",
];

/// The addresses at which others can open what listens there, the most likely first. None on loopback.
///
/// `takes_ipv4`: whether a listener on all addresses of IPv6 is one on those of IPv4 too.
pub(super) fn addresses(listen: SocketAddr, takes_ipv4: bool) -> Vec<SocketAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        log::warn!("the addresses of this machine cannot be found out: {error}");
        Vec::new()
    });
    let interfaces = interfaces.into_iter().filter(|interface| {
        // Systems that do not say count as up.
        matches!(
            interface.oper_status,
            IfOperStatus::Up | IfOperStatus::Unknown
        )
    });
    let interfaces = interfaces.map(|interface| (interface.ip(), interface.name));
    reachable(listen, takes_ipv4, interfaces.collect())
}

fn reachable(
    listen: SocketAddr,
    takes_ipv4: bool,
    mut interfaces: Vec<(IpAddr, String)>,
) -> Vec<SocketAddr> {
    let ip = listen.ip();
    if !ip.is_unspecified() {
        let is_reachable = !ip.to_canonical().is_loopback();
        return is_reachable.then_some(listen).into_iter().collect();
    }
    interfaces.retain(|(other, _)| match other {
        IpAddr::V4(v4) => (ip.is_ipv4() || takes_ipv4) && !v4.is_loopback(),
        IpAddr::V6(v6) => ip.is_ipv6() && !v6.is_loopback() && !v6.is_unicast_link_local(),
    });
    interfaces.sort_by_key(|(ip, name)| (is_virtual(name), unlikeliness(*ip)));
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for (ip, _) in interfaces {
        let address = SocketAddr::new(ip, listen.port());
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

fn is_virtual(name: &str) -> bool {
    VIRTUAL.iter().any(|beginning| name.starts_with(beginning))
}

/// Homes have 192.168, offices 10, and phones cannot always do IPv6.
fn unlikeliness(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V4(v4) if v4.is_link_local() => 5,
        IpAddr::V4(v4) => match v4.octets() {
            [192, 168, ..] => 0,
            [10, ..] => 1,
            _ if v4.is_private() => 2,
            _ => 3,
        },
        IpAddr::V6(_) => 4,
    }
}

/// Returns a line for each address with `path`, and the first as a QR code for phones. Empty if there is no address.
pub(super) fn invitation(scheme: &str, addresses: &[SocketAddr], path: &str) -> String {
    let Some(best) = addresses.first() else {
        return String::new();
    };
    let mut text = "Others in the network can open\n".to_owned();
    for address in addresses {
        text.push_str(&format!("  {scheme}://{address}/{path}\n"));
    }
    if let Some(code) = qr_code(&format!("{scheme}://{best}/{path}")) {
        text.push_str(&code);
        text.push('\n');
    }
    text
}

/// Returns the address under which a proxy publishes the server, and its QR code.
pub(super) fn published_invitation(url: &str) -> String {
    let code = qr_code(url).unwrap_or_default();
    format!("Guests can open\n  {url}\n{code}\n")
}

/// A QR code in half blocks, light on the dark ground that most terminals have; phones read it on a light one too.
fn qr_code(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let image = code
        .render::<Dense1x2>()
        .dark_color(Dense1x2::Light)
        .light_color(Dense1x2::Dark)
        .build();
    Some(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(listen: &str, takes_ipv4: bool, interfaces: &[(&str, &str)]) -> Vec<String> {
        let interface = |(ip, name): &(&str, &str)| (ip.parse().unwrap(), (*name).to_owned());
        let interfaces = interfaces.iter().map(interface).collect();
        let found = reachable(listen.parse().unwrap(), takes_ipv4, interfaces);
        found.iter().map(ToString::to_string).collect()
    }

    const MACHINE: [(&str, &str); 10] = [
        ("127.0.0.1", "lo"),
        ("::1", "lo"),
        ("172.17.0.1", "docker0"),
        ("fe80::1", "wlan0"),
        ("fd00::7", "wlan0"),
        ("169.254.3.4", "usb0"),
        ("10.1.2.3", "eth1"),
        ("192.168.1.7", "wlan0"),
        ("192.168.1.7", "wlan0"),
        ("203.0.113.5", "eth2"),
    ];

    #[test]
    fn on_all_addresses_the_most_likely_is_named_first() {
        let v4 = [
            "192.168.1.7:8000",
            "10.1.2.3:8000",
            "203.0.113.5:8000",
            "169.254.3.4:8000",
            "172.17.0.1:8000",
        ];
        assert_eq!(found("0.0.0.0:8000", true, &MACHINE), v4);
        let both = [
            "192.168.1.7:8000",
            "10.1.2.3:8000",
            "203.0.113.5:8000",
            "[fd00::7]:8000",
            "169.254.3.4:8000",
            "172.17.0.1:8000",
        ];
        assert_eq!(found("[::]:8000", true, &MACHINE), both);
        assert_eq!(found("[::]:8000", false, &MACHINE), ["[fd00::7]:8000"]);
        assert!(found("0.0.0.0:80", true, &MACHINE[..2]).is_empty());
    }

    #[test]
    fn one_address_is_named_itself_and_loopback_is_not() {
        assert_eq!(found("192.0.2.1:80", true, &MACHINE), ["192.0.2.1:80"]);
        for loopback in ["127.0.0.1:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
            assert!(found(loopback, true, &MACHINE).is_empty(), "{loopback}");
        }
    }

    #[test]
    fn the_invitation_is_a_list_and_a_code() {
        assert_eq!(invitation("http", &[], ""), "");
        let addresses = ["192.168.1.7:8000", "[fd00::7]:8000"].map(|text| text.parse().unwrap());
        let text = invitation("http", &addresses, "");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "  http://192.168.1.7:8000/");
        assert_eq!(lines[2], "  http://[fd00::7]:8000/");
        // Version 2 with its margin: 33 modules each way, two of them in a line.
        assert_eq!(lines.len(), 3 + 17, "{text}");
        assert!(lines[3..].iter().all(|line| line.chars().count() == 33));
        assert!(lines[3].chars().all(|block| block == '█'), "{text}");
        assert!(text.ends_with('\n'));
    }

    #[test]
    fn this_machine_has_addresses() {
        let addresses = addresses("0.0.0.0:1".parse().unwrap(), true);
        assert!(addresses.iter().all(|address| !address.ip().is_loopback()));
    }
}
