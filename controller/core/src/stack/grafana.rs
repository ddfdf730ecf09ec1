//! What Grafana is provisioned with: where Prometheus and Alertmanager are, and the dashboards.

use serde::Serialize;

use super::Layout;

/// Where Grafana's container finds the dashboards.
pub(super) const DASHBOARDS: &str = "/etc/monitored-api/dashboards";

/// A file of `provisioning/datasources`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DataSources {
    api_version: u32,
    datasources: [DataSource; 2],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DataSource {
    name: &'static str,
    uid: &'static str,
    r#type: &'static str,
    access: &'static str,
    url: String,
    is_default: bool,
    editable: bool,
    json_data: JsonData,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", untagged)]
enum JsonData {
    #[serde(rename_all = "camelCase")]
    Prometheus {
        http_method: &'static str,
        alertmanager_uid: &'static str,
    },
    #[serde(rename_all = "camelCase")]
    Alertmanager { implementation: &'static str },
}

/// A file of `provisioning/dashboards`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DashboardProviders {
    api_version: u32,
    providers: [DashboardProvider; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DashboardProvider {
    name: &'static str,
    folder: &'static str,
    r#type: &'static str,
    allow_ui_updates: bool,
    options: ProviderOptions,
}

#[derive(Debug, Serialize)]
struct ProviderOptions {
    path: &'static str,
}

pub(super) fn data_sources(layout: &Layout) -> DataSources {
    let data_source = |name, uid, kind, address: &str, is_default, json_data| DataSource {
        name,
        uid,
        r#type: kind,
        access: "proxy",
        url: format!("http://{address}"),
        is_default,
        editable: false,
        json_data,
    };
    let prometheus = JsonData::Prometheus {
        http_method: "POST",
        alertmanager_uid: "alertmanager",
    };
    let alertmanager = JsonData::Alertmanager {
        implementation: "prometheus",
    };
    DataSources {
        api_version: 1,
        datasources: [
            data_source(
                "Prometheus",
                "prometheus",
                "prometheus",
                &layout.prometheus,
                true,
                prometheus,
            ),
            data_source(
                "Alertmanager",
                "alertmanager",
                "alertmanager",
                &layout.alertmanager,
                false,
                alertmanager,
            ),
        ],
    }
}

pub(super) const fn dashboard_providers() -> DashboardProviders {
    DashboardProviders {
        api_version: 1,
        providers: [DashboardProvider {
            name: "monitored-api",
            folder: "monitored-api",
            r#type: "file",
            allow_ui_updates: false,
            options: ProviderOptions { path: DASHBOARDS },
        }],
    }
}
