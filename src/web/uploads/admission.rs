//! Admission of uploads, which bounds the files and the memory of all uploads together.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::web::http::client_address::ClientAddress;
use crate::web::http::problem::Problem;

/// The number of uploads that are received at once: enough for a hall full of phones. Each has a connection, a
/// temporary file and about 150 KiB of buffers.
const MAX_RECEIVING: usize = 1024;

/// The number of uploads that may wait to be received. Further ones are rejected at once.
const MAX_WAITING: usize = 1024;

/// The time that an upload may wait. Its bytes stay with the client meanwhile.
const WAIT_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest small upload, in bytes.
const SMALL: u64 = 1 << 20;

/// The part of the memory for processing that is reserved for small uploads, so that they never wait for large ones.
const SMALL_SHARE: u64 = 8;

/// The memory that an upload needs while it is processed and stored, for each of its bytes: the driver encodes it as
/// base64 in JSON (measured: 46 MiB for a file of 10 MiB).
const MEMORY_PER_BYTE: u64 = 5;

/// Admits uploads, first to be received, and when they are complete to be processed.
///
/// Uploads are received into temporary files. Only a complete one takes memory for its processing, so a slow one holds
/// nothing that others need. An upload that is being processed never waits for a client.
///
/// No client can take everything. It may send as many uploads at once as there are places left: half of all if it is
/// alone, so a newcomer always finds some. Of its complete uploads, only a few at a time wait in the line for memory.
pub(crate) struct Admission {
    receiving: Arc<Receiving>,
    waiting: AtomicUsize,
    small: MemoryBudget,
    large: MemoryBudget,
}

/// The place of an upload among those that are received at once, until it is stored. Dropping it makes room for
/// another.
#[must_use]
pub(crate) struct Ticket {
    receiving: Arc<Receiving>,
    client: IpAddr,
    processing: Arc<Semaphore>,
}

/// The right to process an upload. Dropping it releases the memory.
#[must_use]
pub(crate) struct ProcessingPermit {
    _of_client: OwnedSemaphorePermit,
    _memory: OwnedSemaphorePermit,
}

/// The uploads that are being received.
#[derive(Default)]
struct Receiving {
    clients: Mutex<Clients>,
    left: Notify,
}

#[derive(Default)]
struct Clients {
    total: usize,
    by_network: HashMap<IpAddr, ClientUploads>,
}

/// The uploads of one client.
struct ClientUploads {
    count: usize,
    /// The uploads that may be processed, or wait for memory, at once.
    processing: Arc<Semaphore>,
}

impl Admission {
    /// Creates an admission whose uploads use about `memory` bytes while they are processed.
    pub(crate) fn new(memory: u64) -> Self {
        let small = memory / SMALL_SHARE;
        Self {
            receiving: Arc::default(),
            waiting: AtomicUsize::new(0),
            small: MemoryBudget::new(small),
            large: MemoryBudget::new(memory - small),
        }
    }

    /// Admits an upload of a client that is about to be received.
    ///
    /// # Errors
    ///
    /// 503 if there is no place for 10 seconds, or if too many uploads are waiting.
    pub(crate) async fn admit(&self, client: ClientAddress) -> Result<Ticket, Problem> {
        let client = client.network();
        if let Some(ticket) = self.receiving.enter(client) {
            return Ok(ticket);
        }
        let busy = || Problem::busy("Too many uploads are in progress.");
        let _waiting = Waiting::new(&self.waiting).ok_or_else(busy)?;
        let entered = timeout(WAIT_TIMEOUT, self.receiving.wait_to_enter(client)).await;
        entered.map_err(|_| {
            log::warn!("rejected an upload from {client}: too many others are in progress");
            busy()
        })
    }

    /// Waits until there is memory to process a complete upload of `bytes` bytes.
    pub(crate) async fn processing_permit(&self, ticket: &Ticket, bytes: u64) -> ProcessingPermit {
        let of_client = ticket.processing.clone().acquire_owned().await;
        let budget = if bytes <= SMALL {
            &self.small
        } else {
            &self.large
        };
        ProcessingPermit {
            _of_client: of_client.expect("the semaphore is never closed"),
            _memory: budget.acquire(bytes.saturating_mul(MEMORY_PER_BYTE)).await,
        }
    }
}

impl Receiving {
    async fn wait_to_enter(self: &Arc<Self>, client: IpAddr) -> Ticket {
        loop {
            let mut left = pin!(self.left.notified());
            // Before the attempt, so that a place that becomes free after it is not missed.
            left.as_mut().enable();
            match self.enter(client) {
                Some(ticket) => return ticket,
                None => left.await,
            }
        }
    }

    fn enter(self: &Arc<Self>, client: IpAddr) -> Option<Ticket> {
        let mut clients = self.lock();
        let own = clients.by_network.get(&client).map_or(0, |own| own.count);
        if own >= MAX_RECEIVING - clients.total {
            return None;
        }
        clients.total += 1;
        let uploads = clients
            .by_network
            .entry(client)
            .or_insert_with(ClientUploads::new);
        uploads.count += 1;
        Some(Ticket {
            receiving: self.clone(),
            client,
            processing: uploads.processing.clone(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientUploads {
    fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            count: 0,
            // One client alone keeps all processors busy, also while one of its images is being written.
            processing: Arc::new(Semaphore::new(2 * processors)),
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut clients = self.receiving.lock();
        clients.total -= 1;
        if let Entry::Occupied(mut own) = clients.by_network.entry(self.client) {
            own.get_mut().count -= 1;
            if own.get().count == 0 {
                own.remove();
            }
        }
        drop(clients);
        self.receiving.left.notify_waiters();
    }
}

/// An amount of memory.
struct MemoryBudget {
    /// A permit for each free KiB.
    free: Arc<Semaphore>,
    kibibytes: u32,
}

impl MemoryBudget {
    fn new(bytes: u64) -> Self {
        let kibibytes = kibibytes(bytes);
        Self {
            free: Arc::new(Semaphore::new(kibibytes as usize)),
            kibibytes,
        }
    }

    /// Waits until `bytes` are free. A larger request takes the whole budget.
    async fn acquire(&self, bytes: u64) -> OwnedSemaphorePermit {
        let permits = kibibytes(bytes).min(self.kibibytes);
        let permit = self.free.clone().acquire_many_owned(permits).await;
        permit.expect("the semaphore is never closed")
    }
}

/// Rounds up to KiB, of which there is at least one. More than 2 TiB counts as 2 TiB.
fn kibibytes(bytes: u64) -> u32 {
    let kibibytes = bytes.div_ceil(1024).clamp(1, 1 << 31);
    u32::try_from(kibibytes).expect("it was clamped")
}

/// An entry in the waiting line. Dropping it leaves the line.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    /// Joins the line, unless it is full.
    fn new(count: &'a AtomicUsize) -> Option<Self> {
        let waiting = Self(count);
        (count.fetch_add(1, Ordering::Relaxed) < MAX_WAITING).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use futures::FutureExt as _;

    use super::*;

    const MEMORY: u64 = 256 << 20;

    fn client(number: u8) -> ClientAddress {
        let peer = format!("192.0.2.{number}:1").parse().unwrap();
        ClientAddress::of(&TestRequest::default().peer_addr(peer).to_http_request())
    }

    fn admitted(admission: &Admission, number: u8) -> Option<Ticket> {
        let admitted = admission.admit(client(number)).now_or_never()?;
        Some(admitted.expect("not too many wait"))
    }

    /// Takes all that a client gets.
    fn all_places(admission: &Admission, number: u8) -> Vec<Ticket> {
        std::iter::from_fn(|| admitted(admission, number)).collect()
    }

    fn permit(admission: &Admission, ticket: &Ticket, bytes: u64) -> Option<ProcessingPermit> {
        admission.processing_permit(ticket, bytes).now_or_never()
    }

    #[tokio::test]
    async fn no_client_takes_all_places() {
        let admission = Admission::new(MEMORY);
        let mut hall = all_places(&admission, 1);
        assert_eq!(hall.len(), MAX_RECEIVING / 2);
        let other = all_places(&admission, 2);
        assert_eq!(other.len(), MAX_RECEIVING / 4);
        assert_eq!(all_places(&admission, 3).len(), MAX_RECEIVING / 8);
        assert_eq!(admission.waiting.load(Ordering::Relaxed), 0);
        hall.truncate(10);
        assert!(admitted(&admission, 1).is_some());
        drop((hall, other));
        assert!(admission.receiving.lock().by_network.is_empty());
    }

    #[tokio::test]
    async fn an_upload_without_a_place_waits_for_one() {
        let admission = Admission::new(MEMORY);
        let mut hall = all_places(&admission, 1);
        let waiting = admission.admit(client(1));
        let (entered, ()) = tokio::join!(waiting, async {
            tokio::task::yield_now().await;
            hall.truncate(10);
        });
        assert!(entered.is_ok());
    }

    #[tokio::test]
    async fn a_full_waiting_line_rejects_the_next_upload() {
        let admission = Admission::new(MEMORY);
        let hall = all_places(&admission, 1);
        let waiting: Vec<_> = (0..MAX_WAITING)
            .map(|_| Waiting::new(&admission.waiting))
            .collect();
        assert!(waiting.iter().all(Option::is_some));
        let rejected = admission.admit(client(1)).now_or_never().unwrap();
        assert!(rejected.is_err());
        drop((hall, waiting));
        assert!(admitted(&admission, 1).is_some());
    }

    #[tokio::test]
    async fn complete_uploads_are_processed_while_they_fit_into_memory() {
        let admission = Admission::new(MEMORY);
        let tickets: Vec<Ticket> = (0..20).filter_map(|n| admitted(&admission, n)).collect();
        let mut large: Vec<_> = tickets
            .iter()
            .map_while(|ticket| permit(&admission, ticket, 5 << 20))
            .collect();
        assert_eq!(large.len(), 8);
        let small: Vec<_> = tickets
            .iter()
            .map_while(|ticket| permit(&admission, ticket, SMALL))
            .collect();
        assert_eq!(small.len(), 6, "small ones do not wait for large ones");
        large.pop();
        assert!(permit(&admission, &tickets[19], 5 << 20).is_some());
    }

    #[tokio::test]
    async fn an_upload_that_needs_all_memory_is_processed_alone() {
        let admission = Admission::new(1 << 20);
        let ticket = admitted(&admission, 1).unwrap();
        let alone = permit(&admission, &ticket, 90 << 20).unwrap();
        assert!(permit(&admission, &ticket, 2 << 20).is_none());
        drop(alone);
        assert!(permit(&admission, &ticket, 2 << 20).is_some());
    }

    #[tokio::test]
    async fn many_complete_uploads_of_one_client_are_not_in_line_before_those_of_another() {
        let admission = Admission::new(MEMORY);
        let many: Vec<Ticket> = (0..200).filter_map(|_| admitted(&admission, 1)).collect();
        let mut processing: Vec<_> = many
            .iter()
            .map_while(|ticket| permit(&admission, ticket, 1024))
            .collect();
        assert!(processing.len() < many.len());
        let other = admitted(&admission, 2).unwrap();
        assert!(permit(&admission, &other, 1024).is_some());
        processing.pop();
        assert!(permit(&admission, &many[199], 1024).is_some());
    }
}
