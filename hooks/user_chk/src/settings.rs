//! What a site sets, in the `parameters` of the server's configuration.

use outrigger_hook_sdk::{Refusal, v1};
use serde::Deserialize;

/// The parameters as they are written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Written {
    restricted_subnet_id: Option<u32>,
    subnet_selection: bool,
    option_overrides: bool,
    outcome_records: bool,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            restricted_subnet_id: None,
            subnet_selection: true,
            option_overrides: true,
            outcome_records: true,
        }
    }
}

/// What a server asked for when it loaded the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `restricted-subnet-id`: where clients go that are not registered; `None` with `subnet-selection` false.
    pub restricted_subnet_id: Option<u32>,
    /// `option-overrides`: whether boot file and TFTP server are overridden.
    pub option_overrides: bool,
    /// `outcome-records`: whether responses are recorded.
    pub outcome_records: bool,
}

impl Settings {
    /// Those of a load request.
    ///
    /// # Errors
    /// The parameters are no JSON object of known keys, or the restricted subnet is missing or not configured.
    pub fn from_request(request: &v1::LoadRequest) -> Result<Self, Refusal> {
        let text = match request.parameters.trim() {
            "" => "{}",
            text => text,
        };
        let written: Written = serde_json::from_str(text)
            .map_err(|error| Refusal::new(format!("parameters: {error}")))?;
        let restricted_subnet_id = if written.subnet_selection {
            Some(restricted_subnet(written.restricted_subnet_id, request)?)
        } else {
            None
        };
        Ok(Self {
            restricted_subnet_id,
            option_overrides: written.option_overrides,
            outcome_records: written.outcome_records,
        })
    }
}

fn restricted_subnet(written: Option<u32>, request: &v1::LoadRequest) -> Result<u32, Refusal> {
    let known = || {
        let ids: Vec<_> = request
            .subnets
            .iter()
            .take(20)
            .map(|subnet| format!("{} ({})", subnet.id, subnet.prefix))
            .collect();
        match request.subnets.len().checked_sub(ids.len()) {
            _ if ids.is_empty() => "the server has no subnets".to_owned(),
            Some(more) if more > 0 => {
                format!("the server has {} and {more} more", ids.join(", "))
            }
            _ => format!("the server has {}", ids.join(", ")),
        }
    };
    let id = written.ok_or_else(|| {
        Refusal::new(format!(
            "parameters: restricted-subnet-id is missing: the id of the subnet for clients that are not registered; {}. \
             To leave subnets alone, set subnet-selection to false",
            known()
        ))
    })?;
    if request.subnets.iter().all(|subnet| subnet.id != id) {
        return Err(Refusal::new(format!(
            "parameters: restricted-subnet-id is {id}, but there is no subnet {id}; {}",
            known()
        )));
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(parameters: &str, subnets: &[u32]) -> Result<Settings, String> {
        let subnet = |id: &u32| v1::Subnet {
            id: *id,
            prefix: format!("2001:db8:{id}::/64"),
            ..Default::default()
        };
        let request = v1::LoadRequest {
            parameters: parameters.to_owned(),
            subnets: subnets.iter().map(subnet).collect(),
            ..Default::default()
        };
        Settings::from_request(&request).map_err(|refusal| refusal.0)
    }

    #[test]
    fn the_restricted_subnet_is_required_and_must_exist() {
        let good = settings(r#"{"restricted-subnet-id": 2}"#, &[1, 2]).unwrap();
        assert_eq!(good.restricted_subnet_id, Some(2));
        assert!(good.option_overrides && good.outcome_records);
        for parameters in ["", "{}"] {
            let text = settings(parameters, &[1, 2]).unwrap_err();
            assert!(text.contains("restricted-subnet-id is missing"), "{text}");
            assert!(
                text.contains("1 (2001:db8:1::/64), 2 (2001:db8:2::/64)"),
                "{text}"
            );
        }
        let text = settings(r#"{"restricted-subnet-id": 9}"#, &[1, 2]).unwrap_err();
        assert!(
            text.contains("there is no subnet 9; the server has 1"),
            "{text}"
        );
        let text = settings(r#"{"restricted-subnet-id": 9}"#, &[]).unwrap_err();
        assert!(text.contains("the server has no subnets"), "{text}");
        let many: Vec<_> = (1..=100).collect();
        let text = settings(r#"{"restricted-subnet-id": 900}"#, &many).unwrap_err();
        assert!(text.ends_with("and 80 more"), "{text}");
    }

    #[test]
    fn each_job_can_be_switched_off() {
        let parameters =
            r#"{"subnet-selection": false, "option-overrides": false, "outcome-records": false}"#;
        let expected = Settings {
            restricted_subnet_id: None,
            option_overrides: false,
            outcome_records: false,
        };
        assert_eq!(settings(parameters, &[]), Ok(expected));
    }

    #[test]
    fn what_is_not_a_parameter_is_refused_by_name() {
        let text = settings(r#"{"restricted-subnet": 2}"#, &[2]).unwrap_err();
        assert!(text.contains("unknown field `restricted-subnet`"), "{text}");
        let text = settings(r#"{"restricted-subnet-id": "2"}"#, &[2]).unwrap_err();
        assert!(text.contains("line 1 column"), "{text}");
        assert!(settings("[", &[2]).is_err());
    }
}
