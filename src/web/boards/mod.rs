//! Boards and their links over HTTP.

mod body;
mod data_disk;
mod links;
mod manage;
mod qr;

pub(crate) use self::data_disk::{DataDisk, configuration};
pub(crate) use self::links::{list as list_links, make as make_link, revoke as revoke_link};
pub(crate) use self::manage::{approve_all, change, clear, create, delete, list, show};
pub(crate) use self::qr::draw as draw_qr_code;
