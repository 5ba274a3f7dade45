//! The results of configuration changes.

use crate::engine::datum::{Datum, Object};

/// The result of a term that changed the configuration: one `counter`, and the affected row before and after.
pub(super) fn config_change(counter: &str, old: Datum, new: Datum) -> Object {
    let change = Datum::object([("new_val", new), ("old_val", old)]);
    Object::from([
        ("config_changes".into(), vec![change].into()),
        (counter.into(), 1.into()),
    ])
}
