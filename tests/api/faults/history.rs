//! A record of what clients did to images, and the states of the database that it permits.
//!
//! Each changeable property of an image is a register. A write of it takes from its command to its answer. The last
//! value must be one that a write could have left behind: no acknowledged write began after it had ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tokio::time::Instant;

/// Everything that the clients did.
#[derive(Clone, Default)]
pub(super) struct History(Arc<Mutex<BTreeMap<String, Image>>>);

/// The history of one image.
#[derive(Default)]
struct Image {
    /// Length and seed of its file.
    file: (usize, u64),
    is_acknowledged: bool,
    registers: BTreeMap<Register, Vec<Write>>,
}

/// A property of an image that clients change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Register {
    /// `[x, y]`.
    Position,
    /// A text.
    Caption,
    /// `true` if deleted.
    Deleted,
}

/// A write of a register.
#[derive(Debug, Clone)]
struct Write {
    value: Value,
    began: Instant,
    ended: Option<Instant>,
    is_acknowledged: bool,
    /// An acknowledgement means that the image has the value if it was on the board.
    skips_deleted: bool,
}

/// A write that has begun.
#[derive(Debug, Clone)]
pub(super) struct Begun {
    id: String,
    register: Register,
    index: usize,
}

impl History {
    /// Notes an upload that begins.
    pub(super) fn upload(&self, id: &str, length: usize, seed: u64) {
        let image = Image {
            file: (length, seed),
            ..Image::default()
        };
        self.0.lock().unwrap().insert(id.to_owned(), image);
    }

    /// Notes that an upload was acknowledged.
    pub(super) fn acknowledge_upload(&self, id: &str) {
        self.0.lock().unwrap().get_mut(id).unwrap().is_acknowledged = true;
    }

    /// Notes a write that begins.
    pub(super) fn begin(
        &self,
        id: &str,
        register: Register,
        value: Value,
        skips_deleted: bool,
    ) -> Begun {
        let mut images = self.0.lock().unwrap();
        let image = images.get_mut(id).expect("an image of a client");
        let writes = image.registers.entry(register).or_default();
        writes.push(Write {
            value,
            began: Instant::now(),
            ended: None,
            is_acknowledged: false,
            skips_deleted,
        });
        Begun {
            id: id.to_owned(),
            register,
            index: writes.len() - 1,
        }
    }

    /// Notes the answer to a write.
    pub(super) fn end(&self, begun: &Begun, is_acknowledged: bool) {
        let mut images = self.0.lock().unwrap();
        let writes = &mut images.get_mut(&begun.id).unwrap().registers;
        let write = &mut writes.get_mut(&begun.register).unwrap()[begun.index];
        write.ended = Some(Instant::now());
        write.is_acknowledged = is_acknowledged;
    }

    /// Length and seed of the file of an image.
    pub(super) fn file(&self, id: &str) -> (usize, u64) {
        self.0.lock().unwrap()[id].file
    }

    /// Returns `true` if somebody has tried to delete the image.
    pub(super) fn may_be_deleted(&self, id: &str) -> bool {
        let images = self.0.lock().unwrap();
        images[id].registers.contains_key(&Register::Deleted)
    }

    /// The number of attempts to delete the image.
    pub(super) fn deletes(&self, id: &str) -> usize {
        let images = self.0.lock().unwrap();
        let writes = images[id].registers.get(&Register::Deleted);
        writes.map_or(0, |writes| {
            writes.iter().filter(|write| write.value == true).count()
        })
    }

    /// An image that somebody has tried to delete.
    pub(super) fn any_deleted(&self, random: &mut StdRng) -> Option<String> {
        let images = self.0.lock().unwrap();
        let deleted = images
            .iter()
            .filter(|(_, image)| image.registers.contains_key(&Register::Deleted));
        let ids: Vec<&String> = deleted.map(|(id, _)| id).collect();
        let number = (!ids.is_empty()).then(|| random.random_range(0..ids.len()))?;
        Some(ids[number].clone())
    }

    /// The number of acknowledged uploads.
    pub(super) fn uploads(&self) -> usize {
        let images = self.0.lock().unwrap();
        images
            .values()
            .filter(|image| image.is_acknowledged)
            .count()
    }

    /// The number of acknowledged writes.
    pub(super) fn writes(&self) -> usize {
        let images = self.0.lock().unwrap();
        let writes = images.values().flat_map(|image| image.registers.values());
        writes
            .flatten()
            .filter(|write| write.is_acknowledged)
            .count()
    }

    /// Compares with the records that the database has in the end. Returns what cannot be.
    pub(super) fn contradictions(&self, records: &BTreeMap<String, Value>) -> Vec<String> {
        let images = self.0.lock().unwrap();
        let unknown = records.keys().filter(|id| !images.contains_key(*id));
        let mut found: Vec<String> = unknown
            .map(|id| format!("{id} was never uploaded"))
            .collect();
        for (id, image) in images.iter() {
            let record = records.get(id);
            found.extend(
                image
                    .contradictions(record)
                    .map(|text| format!("{id} {text}")),
            );
        }
        found
    }
}

impl Image {
    fn contradictions(&self, record: Option<&Value>) -> impl Iterator<Item = String> {
        let may_be_missing = !self.is_acknowledged && record.is_none();
        let is_deleted = (!may_be_missing).then(|| (Register::Deleted, json!(record.is_none())));
        let others = record.map(|record| {
            let position = json!([record["x"], record["y"]]);
            [
                (Register::Position, position),
                (Register::Caption, record["caption"].clone()),
            ]
        });
        let values = is_deleted.into_iter().chain(others.into_iter().flatten());
        values.filter_map(|(register, value)| {
            let writes = self.registers.get(&register).map_or(&[][..], Vec::as_slice);
            let initial = match register {
                Register::Deleted => Some(json!(false)),
                Register::Caption => Some(Value::Null),
                // The server may move an image that nobody has moved.
                Register::Position => None,
            };
            let was_deleted = self.registers.contains_key(&Register::Deleted);
            let is_possible = is_possible(writes, initial.as_ref(), &value, was_deleted);
            (!is_possible).then(|| format!("{register:?} is {value} after {writes:#?}"))
        })
    }
}

/// Returns `true` if these writes may have left the value behind. `initial` is what was there before them, anything if
/// `None`.
fn is_possible(
    writes: &[Write],
    initial: Option<&Value>,
    value: &Value,
    was_deleted: bool,
) -> bool {
    let is_binding =
        |write: &&Write| write.is_acknowledged && !(write.skips_deleted && was_deleted);
    let binding = || writes.iter().filter(is_binding);
    let is_untouched = initial.is_none_or(|initial| initial == value) && binding().count() == 0;
    let mut candidates = writes.iter().filter(|write| write.value == *value);
    is_untouched
        || candidates.any(|candidate| {
            candidate
                .ended
                .is_none_or(|ended| !binding().any(|write| write.began > ended))
        })
}

mod tests {
    use std::time::Duration;

    use super::*;

    fn write(value: u64, began: u64, ended: u64, is_acknowledged: bool) -> Write {
        let at = |seconds| Instant::now() + Duration::from_secs(seconds);
        Write {
            value: json!(value),
            began: at(began),
            ended: Some(at(ended)),
            is_acknowledged,
            skips_deleted: false,
        }
    }

    #[test]
    fn an_acknowledged_write_excludes_what_ended_before_it() {
        let writes = [
            write(1, 10, 20, true),
            write(2, 30, 40, false),
            write(3, 50, 60, true),
            write(4, 55, 70, false),
        ];
        let initial = json!(0);
        let possible = |value: u64| is_possible(&writes, Some(&initial), &json!(value), false);
        assert_eq!(
            [0, 1, 2, 3, 4, 5].map(possible),
            [false, false, false, true, true, false]
        );
    }

    #[test]
    fn a_failed_write_may_have_been_made_or_not() {
        let writes = [write(1, 10, 20, true), write(2, 30, 40, false)];
        let possible = |value: u64| is_possible(&writes, None, &json!(value), false);
        assert_eq!([1, 2, 3].map(possible), [true, true, false]);
    }
}
