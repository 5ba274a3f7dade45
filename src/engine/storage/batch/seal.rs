//! Adding checksums to documents and blobs of releases before format 2.

use bytes::Bytes;

use super::Batch;
use crate::engine::datum::Binary;
use crate::engine::error::ReqlError;
use crate::engine::storage::catalog::TableId;
use crate::engine::storage::checksum;
use crate::engine::storage::codec;
use crate::engine::storage::tables::Redo;

impl Batch<'_> {
    /// Adds checksums to a document and its blobs. That is no change of the document, so none is reported.
    ///
    /// # Errors
    /// When the table does not exist any more, the document is damaged, or the disk fails.
    pub(in crate::engine::storage) fn seal(
        &mut self,
        table: TableId,
        key: &[u8],
    ) -> Result<(), ReqlError> {
        self.require_table(table)?;
        let Some(stored) = self.raw(table, key)? else {
            return Ok(());
        };
        let mut blobs = Vec::new();
        let mut resolve = |blob, len| {
            blobs.push((blob, len));
            Binary::Inline(Bytes::new())
        };
        let decoded = checksum::open_document(table, key, &stored)
            .and_then(|document| codec::decode(document, &mut resolve));
        if decoded.is_err() {
            return Ok(());
        }
        for (blob, len) in blobs {
            let plain = self.tables.plain_blob(table, blob, len);
            if let Some(bytes) = self.error.check(plain)? {
                self.bytes += bytes.len();
                self.redo.push(Redo::RemoveBlob { table, blob });
                self.redo.push(Redo::StoreBlob { table, blob, bytes });
            }
        }
        if !checksum::is_sealed(&stored) {
            let sealed = checksum::seal_document(table, key, &stored);
            self.bytes += key.len() + sealed.len();
            let written = self.tables.documents(table).and_then(|documents| {
                documents.insert(key, sealed.as_slice())?;
                Ok(())
            });
            self.error.check(written)?;
            self.operation
                .documents
                .push((table, key.to_vec(), Some(stored)));
            self.redo.push(Redo::Put {
                table,
                key: key.to_vec(),
                document: sealed,
            });
        }
        Ok(())
    }
}
