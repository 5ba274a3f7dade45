//! Options of the access to boards.

use super::error::ConfigError;
use crate::config::settings::Access;
use crate::store::{InvalidToken, Token};

/// The shortest `--admin-token`, in characters. Guessing is slow, but a word would be found.
const SHORTEST_ADMIN_TOKEN: usize = 16;

/// The rule for who needs a link, and the secret of the administrator.
#[derive(clap::Args)]
pub(super) struct AccessArguments {
    /// Let everybody do everything, without links, also beyond this machine
    #[arg(
        long,
        env = "REALTIME_PHOTO_OPEN",
        value_parser = clap::builder::FalseyValueParser::new()
    )]
    pub(super) open: bool,

    /// The secret of whoever administers all boards: 16 or more letters, digits and -._~. With it, links are needed on
    /// this machine too. Without it, a new one is made and shown at each start that needs links. Better given by the
    /// variable, since other users can read a command line
    #[arg(
        long,
        value_name = "TOKEN",
        env = "REALTIME_PHOTO_ADMIN_TOKEN",
        hide_env_values = true,
        value_parser = parse_admin_token
    )]
    pub(super) admin_token: Option<Token>,
}

impl TryFrom<AccessArguments> for Access {
    type Error = ConfigError;

    fn try_from(arguments: AccessArguments) -> Result<Self, ConfigError> {
        match (arguments.open, arguments.admin_token) {
            (true, Some(_)) => Err(ConfigError::OpenWithToken),
            (true, None) => Ok(Self::Open),
            (false, Some(token)) => Ok(Self::Links(token)),
            (false, None) => Ok(Self::ByAddress),
        }
    }
}

fn parse_admin_token(text: &str) -> Result<Token, String> {
    if text.len() < SHORTEST_ADMIN_TOKEN {
        return Err(format!(
            "it needs at least {SHORTEST_ADMIN_TOKEN} characters"
        ));
    }
    text.parse()
        .map_err(|error: InvalidToken| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admin_token_is_long() {
        assert!(parse_admin_token("S3CRET-S3CRET-S3CRET").is_ok());
        for bad in ["short", "with a space in it, though long"] {
            assert!(parse_admin_token(bad).is_err(), "{bad}");
        }
    }
}
