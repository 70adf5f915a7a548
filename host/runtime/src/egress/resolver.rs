//! From names to addresses, and the filter between them.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolving};

use super::address::check_addresses;

/// Addresses of one host that are tried, one after the other. Each is a connection
/// that whoever answers for the name makes the gateway open, to whomever it likes,
/// and they share one time to connect; services have two or three, some eight.
const MAX_ADDRESSES: usize = 16;

/// Finds the addresses of a host. Tests bring their own.
#[async_trait]
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of the host, a name and never an address. Neither an error
    /// nor an empty answer leads to a connection.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// Asks the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let addresses = tokio::net::lookup_host((host, 0)).await?;
        Ok(addresses.map(|address| address.ip()).collect())
    }
}

/// Which answers a client may connect to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Filter {
    /// Only answers in which every address is globally routable.
    GloballyRoutable,
    /// All: the operator granted the origin.
    Nothing,
}

/// Puts a filter behind a resolver, in the form reqwest wants.
///
/// reqwest connects to the addresses it is given here and to no others, so
/// there is no second lookup whose answer could differ from the one checked.
pub(super) struct FilteredResolver {
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) filter: Filter,
}

impl reqwest::dns::Resolve for FilteredResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = Arc::clone(&self.resolver);
        let filter = self.filter;
        Box::pin(async move {
            let mut addresses = resolver.resolve(name.as_str()).await?;
            if let Filter::GloballyRoutable = filter {
                addresses = check_addresses(addresses)?;
            }
            if addresses.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            addresses.truncate(MAX_ADDRESSES);
            // Port 0 is replaced by the port of the URL.
            let addresses = addresses.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use reqwest::dns::Resolve as _;

    use super::*;

    struct Fixed(&'static [&'static str]);

    #[async_trait]
    impl Resolve for Fixed {
        async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
            Ok(self.0.iter().map(|text| text.parse().unwrap()).collect())
        }
    }

    async fn resolve(filter: Filter, answer: &'static [&'static str]) -> Option<Vec<String>> {
        let resolver = FilteredResolver {
            resolver: Arc::new(Fixed(answer)),
            filter,
        };
        let addresses = resolver.resolve("host.test".parse().unwrap()).await.ok()?;
        Some(addresses.map(|address| address.ip().to_string()).collect())
    }

    #[tokio::test]
    async fn a_public_answer_is_passed_on_as_it_is() {
        let answer = &["1.1.1.1", "2606:4700::1111"];
        for filter in [Filter::GloballyRoutable, Filter::Nothing] {
            assert_eq!(resolve(filter, answer).await.unwrap(), answer);
        }
    }

    #[tokio::test]
    async fn a_private_address_passes_only_without_the_filter() {
        let answer = &["1.1.1.1", "127.0.0.1"];
        assert_eq!(resolve(Filter::GloballyRoutable, answer).await, None);
        assert_eq!(resolve(Filter::Nothing, answer).await.unwrap(), answer);
    }

    #[tokio::test]
    async fn an_empty_answer_is_an_error() {
        assert_eq!(resolve(Filter::Nothing, &[]).await, None);
    }
}
