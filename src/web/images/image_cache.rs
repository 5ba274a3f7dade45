//! A cache of image files and thumbnails in memory.

use std::hash::Hash;
use std::sync::Arc;

use bytes::Bytes;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tokio::sync::Semaphore;

use crate::image::{ImageId, SmallSide, smaller};
use crate::metrics::{Kind, Registry, register};
use crate::store::{Store, StoreError, StoredImage};
use crate::web::image_threads::ImageThreads;

/// The size limit of each of the two caches, in bytes. All viewers request a new image within a second, and an old one
/// hardly twice.
const MAX_BYTES: u64 = 32 << 20;

/// The expected number of cached files and thumbnails, by which the caches allocate their tables.
const EXPECTED_ITEMS: usize = 1024;

/// The size limit of the cache of smaller thumbnails, in bytes: those of ten thousand images, all of which a viewer of
/// the whole board requests.
const MAX_SMALL_BYTES: u64 = 16 << 20;

/// The number of smaller thumbnails that are made at once, so that a new viewer of a large board leaves processors to
/// others.
const MAX_MADE_AT_ONCE: usize = 2;

type BytesCache<K = ImageId> = Cache<K, Bytes, ByteLength>;

/// Files and thumbnails that were read or stored lately, by image. Concurrent readers of one image share one read from
/// the database.
pub(crate) struct ImageCache {
    store: Store,
    files: BytesCache,
    thumbnails: BytesCache,
    smaller: BytesCache<(ImageId, SmallSide)>,
    making: Arc<Semaphore>,
    threads: Arc<ImageThreads>,
}

impl ImageCache {
    pub(crate) fn new(store: Store, threads: Arc<ImageThreads>) -> Self {
        Self {
            store,
            files: bytes_cache(MAX_BYTES),
            thumbnails: bytes_cache(MAX_BYTES),
            smaller: bytes_cache(MAX_SMALL_BYTES),
            making: Arc::new(Semaphore::new(MAX_MADE_AT_ONCE)),
            threads,
        }
    }

    /// Registers the hits and misses of the caches, and their sizes.
    pub(crate) fn register_metrics(self: &Arc<Self>, registry: &mut Registry) {
        type Read = fn(&ImageCache) -> u64;
        let values: [(Kind, &str, &str, Read); 3] = [
            (
                Kind::Counter,
                "image_cache_hits",
                "Files and thumbnails that were in memory",
                |cache| cache.files.hits() + cache.thumbnails.hits() + cache.smaller.hits(),
            ),
            (
                Kind::Counter,
                "image_cache_misses",
                "Files and thumbnails that had to be read or made",
                |cache| cache.files.misses() + cache.thumbnails.misses() + cache.smaller.misses(),
            ),
            (
                Kind::Gauge,
                "image_cache_bytes",
                "Files and thumbnails in memory",
                |cache| cache.files.weight() + cache.thumbnails.weight() + cache.smaller.weight(),
            ),
        ];
        for (kind, name, help, read) in values {
            let cache = Arc::clone(self);
            register(
                registry,
                kind,
                name,
                help,
                move || Some(read(&cache) as f64),
            );
        }
    }

    /// Returns the file of an image, or `None` if the database has no such image.
    ///
    /// An image that was deleted through another server may still be returned: check its record first. Cancellation
    /// safe: if the caller that reads from the database is cancelled, the next waiter reads.
    ///
    /// # Errors
    ///
    /// If the store cannot read the image.
    pub(crate) async fn file(&self, id: ImageId) -> Result<Option<Bytes>, StoreError> {
        let read = async {
            let file = self.store.file(id).await?;
            Ok(file.map(|(_, bytes)| bytes))
        };
        get_or_read(&self.files, id, read).await
    }

    /// Returns the file of an image on its board or in the bin, as [`file`](Self::file) otherwise. Few of those in the
    /// bin are requested, so they are not kept.
    ///
    /// # Errors
    ///
    /// If the store cannot read the image.
    pub(crate) async fn file_of(&self, image: &StoredImage) -> Result<Option<Bytes>, StoreError> {
        let id = image.record.meta.id;
        if !image.is_deleted {
            return self.file(id).await;
        }
        let file = self.store.deleted_file(id).await?;
        Ok(file.map(|(_, bytes)| bytes))
    }

    /// Returns the thumbnail of an image, or `None` if the image has none. As [`file`](Self::file) otherwise.
    ///
    /// # Errors
    ///
    /// If the store cannot read the thumbnail.
    pub(crate) async fn thumbnail(&self, id: ImageId) -> Result<Option<Bytes>, StoreError> {
        get_or_read(&self.thumbnails, id, self.store.thumb(id)).await
    }

    /// Returns a smaller version of the thumbnail of an image, or of the image if that is its own; `None` if the
    /// database has neither. As [`file`](Self::file) otherwise.
    ///
    /// # Errors
    ///
    /// If the store cannot read the thumbnail.
    pub(crate) async fn smaller_thumbnail(
        &self,
        image: &StoredImage,
        side: SmallSide,
    ) -> Result<Option<Bytes>, StoreError> {
        let id = image.record.meta.id;
        let make = async {
            let source = if image.record.has_thumb() {
                self.thumbnail(id).await?
            } else {
                self.file_of(image).await?
            };
            let Some(source) = source else {
                return Ok(None);
            };
            let permit = Arc::clone(&self.making).acquire_owned().await;
            let large = source.clone();
            let make = move || {
                // Held by the thread, which goes on if the viewer disconnects.
                let _permit = permit;
                smaller(&large, side)
            };
            // A decoder may panic again on a file that was stored although it had done so.
            Ok(Some(self.threads.run(make).await.unwrap_or_else(|| {
                log::info!("image {id} has no smaller thumbnail");
                source
            })))
        };
        get_or_read(&self.smaller, (id, side), make).await
    }

    /// Caches an image that has just been stored: its viewers are about to request it.
    pub(crate) fn insert(&self, id: ImageId, file: Bytes, thumbnail: Option<Bytes>) {
        self.files.insert(id, file);
        if let Some(thumbnail) = thumbnail {
            self.thumbnails.insert(id, thumbnail);
        }
    }

    /// Removes an image. The result of a read in progress is not cached.
    pub(crate) fn invalidate(&self, id: ImageId) {
        self.files.remove(&id);
        self.thumbnails.remove(&id);
        for side in SmallSide::ALL {
            self.smaller.remove(&(id, side));
        }
    }
}

/// Weighs an entry by the length of its bytes.
#[derive(Clone)]
struct ByteLength;

impl<K> Weighter<K, Bytes> for ByteLength {
    fn weight(&self, _: &K, bytes: &Bytes) -> u64 {
        bytes.len() as u64
    }
}

fn bytes_cache<K: Eq + Hash>(max_bytes: u64) -> BytesCache<K> {
    let options = OptionsBuilder::new()
        .estimated_items_capacity(EXPECTED_ITEMS)
        .weight_capacity(max_bytes)
        // Each shard has its part of the capacity, and an entry larger than a shard is not cached at all. The lock is
        // held for a few instructions, so one shard serves all workers.
        .shards(1)
        .build()
        .expect("both capacities are set");
    Cache::with_options(
        options,
        ByteLength,
        DefaultHashBuilder::default(),
        DefaultLifecycle::default(),
    )
}

/// Returns a cached value, or reads it. Waits if another caller is reading it.
async fn get_or_read<K: Eq + Hash + Clone, E>(
    cache: &BytesCache<K>,
    id: K,
    read: impl Future<Output = Result<Option<Bytes>, E>>,
) -> Result<Option<Bytes>, E> {
    let guard = match cache.get_value_or_guard_async(&id).await {
        Ok(bytes) => return Ok(Some(bytes)),
        Err(guard) => guard,
    };
    // Without a value the dropped guard lets the next waiter read.
    let Some(bytes) = read.await? else {
        return Ok(None);
    };
    // Fails if the entry was invalidated while it was read. The value is still right for those who asked before.
    let _ = guard.insert(bytes.clone());
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures::FutureExt as _;
    use tokio::sync::oneshot;

    use super::*;

    type Read = Result<Option<Bytes>, ()>;

    fn bytes(length: usize) -> Bytes {
        Bytes::from(vec![0; length])
    }

    fn ids<const N: usize>() -> [ImageId; N] {
        std::array::from_fn(|_| ImageId::new())
    }

    #[test]
    fn the_total_size_is_bounded() {
        let cache = bytes_cache(MAX_BYTES);
        for id in ids::<6>() {
            cache.insert(id, bytes(8 << 20));
            assert!(cache.weight() <= MAX_BYTES);
        }
        assert!(cache.len() >= 3);
    }

    #[test]
    fn an_image_of_the_default_size_limit_is_cached() {
        let cache = bytes_cache(MAX_BYTES);
        for id in ids::<4>() {
            cache.insert(id, bytes(16 << 20));
            assert!(cache.get(&id).is_some());
        }
    }

    #[test]
    fn an_image_larger_than_the_cache_is_not_cached() {
        let cache = bytes_cache(MAX_BYTES);
        cache.insert(ImageId::new(), bytes(MAX_BYTES as usize + 1));
        assert!(cache.is_empty());
    }

    #[tokio::test]
    async fn concurrent_readers_share_one_read() {
        let cache = bytes_cache(MAX_BYTES);
        let reads = Cell::new(0);
        let (finish, finished) = oneshot::channel::<()>();
        let finished = finished.shared();
        let id = ImageId::new();
        let read = || {
            let finished = finished.clone();
            let reads = &reads;
            get_or_read(&cache, id, async move {
                reads.set(reads.get() + 1);
                let _ = finished.await;
                Read::Ok(Some(bytes(3)))
            })
        };
        let finishing = async { finish.send(()).unwrap() };
        let (one, other, ()) = tokio::join!(read(), read(), finishing);
        assert_eq!((one, other), (Ok(Some(bytes(3))), Ok(Some(bytes(3)))));
        assert_eq!(reads.get(), 1);
    }

    #[tokio::test]
    async fn the_next_waiter_reads_when_a_reader_is_cancelled() {
        let cache = bytes_cache(MAX_BYTES);
        let id = ImageId::new();
        let mut cancelled = Box::pin(get_or_read(&cache, id, std::future::pending::<Read>()));
        assert!(cancelled.as_mut().now_or_never().is_none());
        let waiter = get_or_read(&cache, id, async { Read::Ok(Some(bytes(3))) });
        let (found, ()) = tokio::join!(waiter, async { drop(cancelled) });
        assert_eq!(found, Ok(Some(bytes(3))));
    }

    #[tokio::test]
    async fn an_entry_invalidated_while_it_is_read_is_not_cached() {
        let cache = bytes_cache(MAX_BYTES);
        let id = ImageId::new();
        let read = get_or_read(&cache, id, async {
            cache.remove(&id);
            Read::Ok(Some(bytes(3)))
        });
        assert_eq!(read.await, Ok(Some(bytes(3))));
        assert!(cache.get(&id).is_none());
    }

    #[tokio::test]
    async fn a_missing_image_and_an_error_are_not_cached() {
        let cache = bytes_cache(MAX_BYTES);
        let id = ImageId::new();
        for result in [Ok(None), Err(())] {
            let read = get_or_read(&cache, id, async { result.clone() });
            assert_eq!(read.await, result);
            assert!(cache.is_empty());
        }
    }
}
