//! Reads path and query parameters one by one, and collects all violations instead of stopping at the first.

use std::{borrow::Cow, collections::HashMap, str::FromStr};

use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};

use crate::error::{Problem, Violation};

/// The query's parameters; of one that is given twice, the last.
pub(super) struct Params {
    values: HashMap<String, String>,
    violations: Vec<Violation>,
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<HashMap<String, String>>::from_request_parts(parts, state).await;
        let Query(values) = query.map_err(|_| {
            Problem::invalid(vec![Violation {
                index: None,
                field: "query",
                detail: "not a valid query: use URL encoding".to_owned(),
            }])
        })?;
        Ok(Self {
            values,
            violations: Vec::new(),
        })
    }
}

impl Params {
    /// A parameter's text; empty counts as not given.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// A parameter's text as it is, empty or not.
    pub(super) fn verbatim(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// A parameter's text for the store, of at most `max` characters, if it is given.
    pub(super) fn stored_text(&mut self, name: &'static str, max: usize) -> Option<String> {
        self.text(name)?;
        let must = format!("not a valid text: use at most {max} characters, none of them NUL");
        self.read(name, must, |text| {
            (text.chars().count() <= max && !text.contains('\0')).then(|| text.to_owned())
        })
    }

    /// Adds a violation.
    pub(super) fn complain(&mut self, name: &'static str, detail: &'static str) {
        self.violations.push(Violation {
            index: None,
            field: name,
            detail: detail.to_owned(),
        });
    }

    /// A parameter's value, if it is given and `read` understands it; else a violation is added. An empty text is
    /// never valid.
    pub(super) fn read<T>(
        &mut self,
        name: &'static str,
        must: impl Into<Cow<'static, str>>,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = read(self.values.get(name)?);
        if value.is_none() {
            self.violations.push(Violation {
                index: None,
                field: name,
                detail: must.into().into_owned(),
            });
        }
        value
    }

    /// A whole number within bounds, or the default.
    pub(super) fn number(&mut self, name: &'static str, default: u32, min: u32, max: u32) -> u32 {
        let must = format!("not a valid number: use a whole number from {min} to {max}");
        let read = |text: &str| text.parse().ok().filter(|number| (min..=max).contains(number));
        self.read(name, must, read).unwrap_or(default)
    }

    /// The bounds of a list: `limit` and `offset`.
    pub(super) fn page(&mut self, default_limit: u32, max_limit: u32) -> (u32, u32) {
        let limit = self.number("limit", default_limit, 1, max_limit);
        (limit, self.number("offset", 0, 0, u32::MAX))
    }

    /// The violations, if there are any.
    pub(super) fn finish(self) -> Result<(), Problem> {
        if self.violations.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(self.violations))
        }
    }
}

/// The `{id}` of a path.
pub(super) struct Id(pub(super) i64);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let id = path.ok().and_then(|Path(text)| i64::from_str(&text).ok());
        id.map(Self).ok_or_else(|| {
            Problem::invalid(vec![Violation {
                index: None,
                field: "id",
                detail: "not a valid number: use a whole number".to_owned(),
            }])
        })
    }
}
