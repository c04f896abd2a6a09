//! Medusa's configuration. Its text is wire format: sections, keys, their order and even the blanks are upstream's, so
//! that a change of program changes no file.

use super::{Medusa, given_port, mounts, storage, tls_files};
use crate::value;

/// Cassandra's management API, as seen from a container beside it: what it is asked for.
const SNAPSHOTS: &str = "127.0.0.1:8080/api/v0/ops/node/snapshots";

/// Key and value.
type Setting = (&'static str, String);

/// The whole text.
pub(super) fn of(medusa: &Medusa<'_>) -> String {
    let mut cassandra = vec![("use_sudo", "false".to_owned())];
    cassandra.extend(medusa.certificates.options());
    let sections = [
        ("cassandra", cassandra),
        ("storage", storage_options(medusa)),
        ("grpc", grpc(medusa)),
        ("logging", vec![("level", "DEBUG".to_owned())]),
        ("kubernetes", kubernetes(medusa)),
    ];
    let line = |(key, value): &Setting| format!("    {key} = {value}\n");
    let section = |(name, options): &(&str, Vec<Setting>)| {
        let lines: String = options.iter().map(line).collect();
        format!("\n    [{name}]\n{lines}")
    };
    let text: String = sections.iter().map(section).collect();
    text.trim_end().to_owned()
}

fn storage_options(medusa: &Medusa<'_>) -> Vec<Setting> {
    let storage = &medusa.storage;
    let text = |value: &Option<String>| value.clone().filter(|text| !text.is_empty());
    let number = |value: Option<i64>| value.unwrap_or_default().to_string();
    let given = |value: Option<i64>| {
        value
            .filter(|number| *number != 0)
            .map(|number| number.to_string())
    };
    let kc = medusa.facts.kc.metadata.name.clone();
    let key_file = storage::secret(storage).map(|_| format!("{}/credentials", mounts::STORAGE_SECRETS));
    let transfers = storage
        .concurrent_transfers
        .filter(|number| *number != 0)
        .unwrap_or(1);
    let options = [
        ("use_sudo_for_restore", Some("false".to_owned())),
        ("storage_provider", text(&storage.storage_provider)),
        ("bucket_name", text(&storage.bucket_name)),
        ("key_file", key_file),
        ("prefix", text(&storage.prefix).or(kc)),
        ("max_backup_age", Some(number(storage.max_backup_age))),
        ("max_backup_count", Some(number(storage.max_backup_count))),
        ("region", text(&storage.region)),
        ("host", text(&storage.host)),
        ("port", given(storage.port)),
        ("secure", Some(truth(storage.secure))),
        ("ssl_verify", Some(truth(storage.ssl_verify))),
        (
            "backup_grace_period_in_days",
            given(storage.backup_grace_period_in_days),
        ),
        ("api_profile", text(&storage.api_profile)),
        ("transfer_max_bandwidth", text(&storage.transfer_max_bandwidth)),
        ("concurrent_transfers", Some(transfers.to_string())),
        (
            "multi_part_upload_threshold",
            given(storage.multi_part_upload_threshold),
        ),
    ];
    options
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect()
}

/// As Python writes it.
fn truth(flag: Option<bool>) -> String {
    if flag == Some(true) { "True" } else { "False" }.to_owned()
}

fn grpc(medusa: &Medusa<'_>) -> Vec<Setting> {
    let mut options = vec![("enabled", "1".to_owned())];
    options.extend(given_port(medusa.spec).map(|port| ("port", port.to_string())));
    options.extend(tls_files(medusa.spec));
    options
}

fn kubernetes(medusa: &Medusa<'_>) -> Vec<Setting> {
    let on = || "1".to_owned();
    let mut options = vec![("use_mgmt_api", on()), ("enabled", on())];
    let secret = value::text(&medusa.facts.merged, mounts::MANAGEMENT_SECRET);
    let scheme = if secret.is_some() { "https" } else { "http" };
    options.push(("cassandra_url", format!("{scheme}://{SNAPSHOTS}")));
    if secret.is_some() {
        let files = [
            ("ca_cert", "ca.crt"),
            ("tls_cert", "tls.crt"),
            ("tls_key", "tls.key"),
        ];
        options.extend(
            files.map(|(option, file)| (option, format!("{}/{file}", mounts::MANAGEMENT_CERTIFICATES))),
        );
    }
    options
}
