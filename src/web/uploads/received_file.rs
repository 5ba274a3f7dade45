//! The bytes of an upload that is arriving: in memory while they are few, then in a temporary file.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;

use bytes::Bytes;

use super::space::ReservedSpace;
use crate::web::upload_folder::UploadFolder;

/// The bytes that an upload may have in memory. Larger ones are in a file, so that hundreds of slow senders cost little
/// memory; smaller ones need no file.
const IN_MEMORY: usize = 64 << 10;

/// Takes the bytes of an upload as they arrive. Dropping it discards them.
pub(crate) struct FileReceiver {
    folder: UploadFolder,
    space: Arc<ReservedSpace>,
    /// The bytes that are not in the file yet.
    buffer: Vec<u8>,
    file: Option<File>,
    length: u64,
}

/// The bytes of a complete upload. Dropping it discards them.
pub(crate) struct ReceivedFile {
    content: Content,
    length: u64,
    space: Arc<ReservedSpace>,
}

enum Content {
    Memory(Vec<u8>),
    File(File),
}

impl FileReceiver {
    pub(crate) fn new(folder: UploadFolder, space: ReservedSpace) -> Self {
        Self {
            folder,
            space: Arc::new(space),
            buffer: Vec::new(),
            file: None,
            length: 0,
        }
    }

    /// The number of bytes taken.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Takes the next bytes. Not cancellation safe: nothing may be added to a receiver of which a call was dropped.
    ///
    /// # Errors
    ///
    /// If the disk fails or is full.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.length += bytes.len() as u64;
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() > IN_MEMORY {
            self.flush().await?;
        }
        Ok(())
    }

    /// Completes the upload.
    ///
    /// # Errors
    ///
    /// If the disk fails or is full.
    pub(crate) async fn finish(mut self) -> io::Result<ReceivedFile> {
        if self.file.is_some() && !self.buffer.is_empty() {
            self.flush().await?;
        }
        let content = match self.file {
            Some(file) => Content::File(file),
            None => Content::Memory(self.buffer),
        };
        Ok(ReceivedFile {
            content,
            length: self.length,
            space: self.space,
        })
    }

    async fn flush(&mut self) -> io::Result<()> {
        let (file, mut buffer) = (self.file.take(), std::mem::take(&mut self.buffer));
        let length = buffer.len() as u64;
        let write = move |folder: &UploadFolder| {
            let mut file = match file {
                Some(file) => file,
                None => folder.create_file()?,
            };
            file.write_all(&buffer)?;
            buffer.clear();
            Ok((file, buffer))
        };
        let (file, buffer) = self.folder.write(write).await?;
        self.space.written(length);
        (self.file, self.buffer) = (Some(file), buffer);
        Ok(())
    }
}

impl ReceivedFile {
    /// The number of bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The space on the disk that is reserved for it.
    pub(crate) fn space(&self) -> Arc<ReservedSpace> {
        Arc::clone(&self.space)
    }

    /// Reads the bytes into memory. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// If the disk fails.
    pub(crate) fn read(self) -> io::Result<Bytes> {
        let mut file = match self.content {
            Content::Memory(bytes) => return Ok(bytes.into()),
            Content::File(file) => file,
        };
        let length = usize::try_from(self.length).map_err(io::Error::other)?;
        let mut bytes = Vec::with_capacity(length);
        file.seek(SeekFrom::Start(0))?;
        file.take(self.length).read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::uploads::space::DiskSpace;

    async fn received(chunks: &[&[u8]]) -> ReceivedFile {
        let folder = UploadFolder::of_system();
        let space = DiskSpace::default().reserve(&folder, 0).await.unwrap();
        let mut receiver = FileReceiver::new(folder, space);
        for chunk in chunks {
            receiver.write(chunk).await.unwrap();
        }
        receiver.finish().await.unwrap()
    }

    #[tokio::test]
    async fn the_bytes_are_those_that_were_taken_in_memory_and_in_a_file() {
        let large: Vec<u8> = (0..=250).cycle().take(150_001).collect();
        for (bytes, is_in_file) in [
            (&b""[..], false),
            (b"small", false),
            (&large[..IN_MEMORY], false),
            (&large[..=IN_MEMORY], true),
            (&large, true),
        ] {
            let chunks: Vec<&[u8]> = bytes.chunks(1000).collect();
            let file = received(&chunks).await;
            assert_eq!(file.length(), bytes.len() as u64);
            assert_eq!(matches!(file.content, Content::File(_)), is_in_file);
            assert!(file.read().unwrap() == bytes);
        }
    }
}
