//! What a service is told of the server's API, without its secret.

use crate::v1::ServerApi;
use std::fmt;

impl fmt::Debug for ServerApi {
    /// Leaves out the token, so that no log and no failed assertion shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerApi")
            .field("endpoint", &self.endpoint)
            .field("grants", &self.grants)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::v1::{LoadRequest, ServerApi};

    #[test]
    fn the_token_is_not_shown() {
        let server_api = ServerApi {
            endpoint: "unix:/api".to_owned(),
            token: "secret".to_owned(),
            grants: vec!["leases:read".to_owned()],
        };
        let shown = format!(
            "{:?}",
            LoadRequest {
                server_api: Some(server_api),
                ..Default::default()
            }
        );
        assert!(
            shown.contains("unix:/api") && shown.contains("leases:read"),
            "{shown}"
        );
        assert!(!shown.contains("secret"), "{shown}");
    }
}
