//! The evidence of one refusal, assembled from its record of any kind.

use portbind_abi::{FileView, Holder, Portless, Refusal, operation, walk};
use zerocopy::FromZeros as _;

use super::record::Record;

/// Everything that the kernel half reports about one refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The caller, its request and the error.
    pub refusal: Box<Refusal>,
    /// The sockets on the port, without duplicates; listeners first, otherwise in the order of the search.
    pub holders: Vec<Holder>,
    /// The requested name, for a portless socket.
    pub name: Option<AskedName>,
}

/// The requested name of a portless socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedName {
    /// The sockaddr, raw.
    pub sockaddr: Vec<u8>,
    /// The file system as the caller saw it.
    pub view: FileView,
}

impl Evidence {
    /// The refusal in a record; `None` for records of other kinds.
    #[must_use]
    pub fn of(record: Record<'_>) -> Option<Self> {
        match record {
            Record::Refusal(refusal, holders) => Some(Self::of_port(refusal, holders)),
            Record::Portless(named) => Some(Self::of_name(named)),
            Record::Introduction(_) | Record::Bound(_) | Record::Change(_) | Record::Ended(_) => None,
        }
    }

    fn of_port(refusal: &Refusal, met: &[Holder]) -> Self {
        let mut holders: Vec<Holder> = Vec::with_capacity(met.len());
        for holder in met {
            // The search can find a socket in more than one list.
            if holders.iter().all(|known| known.id != holder.id) {
                holders.push(*holder);
            }
        }
        Self { refusal: Box::new(*refusal), holders, name: None }
    }

    /// A record without a search, always of a bind.
    fn of_name(named: &Portless) -> Self {
        let Portless { header, identity, view, socket, error, name_len, name } = *named;
        let len = usize::try_from(name_len).unwrap_or(usize::MAX).min(name.len());
        let (operation, flags) = (operation::BIND, walk::NOT_WALKED);
        let refusal = Refusal { header, identity, socket, error, operation, flags, ..Refusal::new_zeroed() };
        let sockaddr = name.get(..len).unwrap_or_default().to_vec();
        let name = Some(AskedName { sockaddr, view });
        Self { refusal: Box::new(refusal), holders: Vec::new(), name }
    }
}

#[cfg(test)]
mod tests {
    use portbind_abi::{self as abi, Header, kind};

    use super::*;

    #[test]
    fn has_each_holder_once() {
        let header = Header { kind: kind::REFUSAL, time: 10, ..Header::new_zeroed() };
        let refusal = Refusal { header, holders: 4, ..Refusal::new_zeroed() };
        let holders = [5, 6, 5, 7].map(|id| Holder { id, ..Holder::new_zeroed() });
        let evidence = Evidence::of(Record::Refusal(&refusal, &holders)).unwrap();
        let ids: Vec<_> = evidence.holders.iter().map(|holder| holder.id).collect();
        assert_eq!((evidence.refusal.header.time, ids), (10, vec![5, 6, 7]));
    }

    #[test]
    fn a_name_is_as_long_as_it_says() {
        let header = Header { kind: kind::PORTLESS, time: 20, ..Header::new_zeroed() };
        let mut named = Portless { header, error: 98, ..Portless::new_zeroed() };
        named.name = [7; abi::NAME_LEN];
        for (shown, kept) in [(0, 0), (3, 3), (128, 128), (129, 128), (u32::MAX, 128)] {
            named.name_len = shown;
            let Evidence { refusal, name, .. } = Evidence::of(Record::Portless(&named)).unwrap();
            assert_eq!(name.unwrap().sockaddr, vec![7; kept]);
            assert_eq!((refusal.header.time, refusal.error, refusal.operation), (20, 98, operation::BIND));
        }
    }
}
