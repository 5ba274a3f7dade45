//! What the storage reads from the file, as a target for a fuzzer: see [`crate::fuzzing`].

use bytes::Bytes;
use uuid::Uuid;

use super::catalog::{IndexId, TableId};
use super::{catalog_json, checksum, codec, index_entry};
use crate::engine::datum::{Binary, Datum, describe_key, index_key, primary_key};

/// Decodes a document, a catalog and an entry of an index. What could be decoded is the same after it was encoded.
pub fn storage_codec(data: &[u8]) {
    let (table, index) = (TableId(Uuid::nil()), IndexId(Uuid::nil()));
    let document = checksum::open_document(table, b"key", data).unwrap_or_default();
    let mut resolve = |_, _| Binary::Inline(Bytes::new());
    if let Ok(datum) = codec::decode(document, &mut resolve) {
        let encode = |datum: &Datum| codec::encode(datum, &mut |_| Ok(None)).ok();
        let encoded = encode(&datum).expect("what was decoded can be encoded");
        let sealed = checksum::seal_document(table, b"key", &encoded);
        let opened = checksum::open_document(table, b"key", &sealed).expect("a right checksum");
        let again = codec::decode(opened, &mut resolve).expect("what was encoded");
        assert_eq!(encode(&again), Some(encoded));
        assert!(again.equals(&datum).is_ok_and(|is_equal| is_equal));
        for key in [primary_key(&datum), index_key(&datum)]
            .into_iter()
            .flatten()
        {
            describe_key(&key);
        }
        datum.print();
    }
    if let Ok(catalog) = catalog_json::decode(data) {
        let encoded = catalog_json::encode(&catalog);
        assert_eq!(catalog_json::decode(&encoded).ok(), Some(catalog));
    }
    if let Some(bytes) = checksum::open_meta("state", data) {
        assert_eq!(checksum::seal_meta("state", bytes), data);
    }
    let (value, key) = data.split_at(data.len() / 2);
    let entry = index_entry::entry(value, key, 7);
    assert_eq!(index_entry::parse(&entry, key), Some((value, 7)));
    let stored = checksum::seal_entry(index, &entry, key);
    assert_eq!(checksum::open_entry(index, &entry, &stored), Some(key));
    if let Some(key) = checksum::open_entry(index, &entry, data) {
        assert_eq!(checksum::seal_entry(index, &entry, key), data);
    }
}
