//! The space that an operation needs.

use super::Batch;
use crate::engine::storage::tables::Redo;

impl Batch<'_> {
    /// The bytes of the blobs that the current operation adds.
    pub(in crate::engine::storage) fn operation_blob_bytes(&self) -> usize {
        let added = self.operation.added_blobs.iter();
        let added = added.filter_map(|(_, blob)| self.reader.added.get(blob));
        let added: usize = added.map(bytes::Bytes::len).sum();
        let redo = self.redo[self.operation.redo..].iter();
        let sealed = redo.map(|redo| match redo {
            Redo::StoreBlob { bytes, .. } => bytes.len(),
            _ => 0,
        });
        added + sealed.sum::<usize>()
    }
}
