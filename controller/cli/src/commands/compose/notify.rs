//! Who is told of alerts.

use anyhow::{Context as _, Result};
use clap::Args;
use controller_core::stack::alertmanager::{Email, Notifications};
use ureq::http::Uri;

use super::address::Address;

/// Who is told of alerts. Without any of these, alerts are only shown.
#[derive(Debug, Args)]
pub(super) struct NotificationArgs {
    /// Who is told by mail. Give it several times or separated by commas.
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',', value_parser = mailbox, requires_all = ["smtp", "smtp_from"])]
    email: Vec<String>,
    /// The mail server.
    #[arg(long, value_name = "HOST:PORT", requires = "email")]
    smtp: Option<Address>,
    /// The sender of the mails.
    #[arg(long, value_name = "ADDRESS", value_parser = mailbox, requires = "email")]
    smtp_from: Option<String>,
    /// The user of the mail server. The password is to be written into the file secrets/smtp_password of the folder.
    #[arg(long, value_name = "USER", requires = "email")]
    smtp_user: Option<String>,
    /// Send mails without TLS.
    #[arg(long, requires = "email")]
    smtp_without_tls: bool,
    /// Who is told by a POST. The address is kept in the file secrets/webhook_url of the folder, because those of chats hold a token.
    #[arg(long, value_name = "URL", value_parser = web_address)]
    webhook: Option<Uri>,
}

/// Who is told, as containers reach them.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) notifications: Notifications,
    /// The address of the webhook.
    pub(super) webhook_url: Option<String>,
    /// One of them is on this machine.
    pub(super) on_this_machine: bool,
}

impl NotificationArgs {
    /// Who is told.
    ///
    /// # Errors
    ///
    /// The address of the webhook has no host.
    pub(super) fn told(&self) -> Result<Told> {
        let Self {
            email,
            smtp,
            smtp_from,
            smtp_user,
            smtp_without_tls,
            webhook,
        } = self;
        let mail_server = smtp.as_ref().zip(smtp_from.as_ref());
        let email = mail_server.map(|(smtp, from)| Email {
            to: email.clone(),
            smarthost: smtp.seen_by_containers().to_string(),
            from: from.clone(),
            user: smtp_user.clone(),
            require_tls: !smtp_without_tls,
        });
        let webhook = webhook.as_ref().map(seen_by_containers).transpose()?;
        let mail_here = smtp.as_ref().is_some_and(Address::is_this_machine);
        Ok(Told {
            notifications: Notifications {
                email,
                webhook: webhook.is_some(),
            },
            on_this_machine: mail_here || webhook.as_ref().is_some_and(|(_, here)| *here),
            webhook_url: webhook.map(|(url, _)| url),
        })
    }
}

/// The address as containers reach it, and whether it is on this machine.
fn seen_by_containers(url: &Uri) -> Result<(String, bool)> {
    let authority = url.authority().context("--webhook: it has no host")?;
    let port = authority
        .port_u16()
        .unwrap_or(if url.scheme_str() == Some("https") { 443 } else { 80 });
    let here = format!("{}:{port}", authority.host()).parse::<Address>().ok();
    let Some(here) = here.filter(Address::is_this_machine) else {
        return Ok((url.to_string(), false));
    };
    let scheme = url.scheme_str().unwrap_or("http");
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    Ok((format!("{scheme}://{}{path}", here.seen_by_containers()), true))
}

fn web_address(text: &str) -> Result<Uri, String> {
    let usable = |url: &Uri| matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some();
    text.parse::<Uri>()
        .ok()
        .filter(usable)
        .ok_or_else(|| format!("{text:?} is not a valid address of a webhook: use http:// or https://, for example https://hooks.example.org/alerts"))
}

fn mailbox(text: &str) -> Result<String, String> {
    let is_mailbox = text
        .split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
    let has_other = text
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || "<>,;\"{}".contains(c));
    if is_mailbox && !has_other {
        return Ok(text.to_owned());
    }
    Err(format!(
        "{text:?} is not a valid mail address: use NAME@HOST, for example ops@example.org"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_on_this_machine_is_reached_by_the_name_that_containers_know() {
        let seen = |text: &str| seen_by_containers(&web_address(text).unwrap()).unwrap();
        assert_eq!(
            seen("http://localhost:5001/a?b=c"),
            ("http://host.docker.internal:5001/a?b=c".to_owned(), true)
        );
        assert_eq!(
            seen("http://127.0.0.1"),
            ("http://host.docker.internal:80/".to_owned(), true)
        );
        assert_eq!(
            seen("https://hooks.example.org/t/1"),
            ("https://hooks.example.org/t/1".to_owned(), false)
        );
        for text in ["hooks.example.org", "ftp://a/b", "http://", "/a"] {
            assert!(web_address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_mail_address_is_a_name_at_a_host_and_nothing_else() {
        assert!(mailbox("ops@example.org").is_ok());
        for text in ["ops", "@a", "a@", "a b@c", "A <a@b>", "a@b,c@d"] {
            assert!(mailbox(text).is_err(), "{text}");
        }
    }
}
