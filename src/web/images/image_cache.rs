//! The bytes of the images that are asked for now, read from the database once however many ask.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::OnceCell;

use crate::image::ImageId;
use crate::store::{Store, StoreError};

/// The most bytes that are kept. A new image is asked for by all viewers within a second, an old one hardly twice.
const MAX_BYTES: usize = 32 << 20;

/// The most images that are kept.
const MAX_IMAGES: usize = 64;

/// The most thumbnails that are kept: a screen full of them, several times.
const MAX_THUMBNAILS: usize = 1024;

/// The images that were asked for last. When one is over the limits, the one that was not asked for the longest goes.
pub(crate) struct ImageCache {
    /// The last one asked for is the last here.
    recent: Mutex<VecDeque<CachedImage>>,
    source: Source,
}

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The images themselves.
    Images,
    /// Their thumbnails.
    Thumbnails,
}

#[derive(Clone)]
struct CachedImage {
    id: ImageId,
    bytes: Arc<OnceCell<Bytes>>,
}

impl ImageCache {
    pub(crate) fn new(source: Source) -> Self {
        Self {
            recent: Mutex::new(VecDeque::new()),
            source,
        }
    }

    /// An image's bytes; `None` if there is no such image. Whoever asks while it is read waits for the same reading;
    /// should the reader be cancelled, the next one takes over.
    ///
    /// It may answer for an image that was deleted a moment ago: whether it is there is another question.
    ///
    /// # Errors
    /// When the store cannot read it.
    pub(crate) async fn get(
        &self,
        store: &Store,
        id: ImageId,
    ) -> Result<Option<Bytes>, StoreError> {
        struct Missing;
        let picture = self.entry(id);
        let read = async {
            let bytes = match self.source {
                Source::Images => store
                    .file(id)
                    .await
                    .map(|file| file.map(|(_, bytes)| bytes)),
                Source::Thumbnails => store.thumb(id).await,
            };
            match bytes {
                Ok(Some(bytes)) => Ok(bytes),
                Ok(None) => Err(Ok(Missing)),
                Err(error) => Err(Err(error)),
            }
        };
        match picture.bytes.get_or_try_init(|| read).await {
            Ok(bytes) => {
                let bytes = bytes.clone();
                self.shrink();
                Ok(Some(bytes))
            }
            Err(failure) => {
                self.invalidate(id);
                failure.map(|Missing| None)
            }
        }
    }

    /// Keeps the bytes of an image that was just stored, for its viewers will ask for it now.
    pub(crate) fn keep(&self, id: ImageId, bytes: Bytes) {
        // Whoever is reading it has the same bytes.
        let _ = self.entry(id).bytes.set(bytes);
        self.shrink();
    }

    /// Forgets an image, as when it was deleted.
    pub(crate) fn invalidate(&self, id: ImageId) {
        self.recent().retain(|picture| picture.id != id);
    }

    fn recent(&self) -> std::sync::MutexGuard<'_, VecDeque<CachedImage>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The image's entry, now the last one asked for.
    fn entry(&self, id: ImageId) -> CachedImage {
        let mut recent = self.recent();
        let found = recent
            .iter()
            .position(|picture| picture.id == id)
            .and_then(|at| recent.remove(at));
        let picture = found.unwrap_or_else(|| CachedImage {
            id,
            bytes: Arc::default(),
        });
        recent.push_back(picture.clone());
        picture
    }

    fn shrink(&self) {
        let mut recent = self.recent();
        let size = |picture: &CachedImage| picture.bytes.get().map_or(0, Bytes::len);
        let mut total: usize = recent.iter().map(size).sum();
        let most = match self.source {
            Source::Images => MAX_IMAGES,
            Source::Thumbnails => MAX_THUMBNAILS,
        };
        while recent.len() > most || total > MAX_BYTES {
            let Some(oldest) = recent.pop_front() else {
                break;
            };
            total -= size(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_last_is_kept() {
        let cache = ImageCache::new(Source::Images);
        let ids: Vec<ImageId> = (0..6).map(|_| ImageId::new()).collect();
        for &id in &ids {
            cache.keep(id, Bytes::from(vec![0; 8 << 20]));
            cache.entry(ids[0]);
        }
        let kept: Vec<ImageId> = cache.recent().iter().map(|picture| picture.id).collect();
        assert_eq!(kept, [ids[3], ids[4], ids[5], ids[0]]);
        cache.invalidate(ids[4]);
        assert_eq!(cache.recent().len(), 3);
    }

    #[test]
    fn an_image_larger_than_the_limit_is_not_kept() {
        let cache = ImageCache::new(Source::Images);
        cache.keep(ImageId::new(), Bytes::from(vec![0; MAX_BYTES + 1]));
        assert!(cache.recent().is_empty());
    }
}
