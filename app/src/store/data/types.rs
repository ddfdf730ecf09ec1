//! Types of the table `data`: rows, filters and sort orders. No SQL.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// An item as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Item {
    /// Given by the store, never twice.
    pub id: i64,
    /// 1 to 200 characters.
    pub name: String,
    /// Anything, or nothing.
    pub description: Option<String>,
    /// What it belongs to.
    pub category: String,
    /// A finite number.
    pub value: f64,
    /// Whether it counts.
    pub active: bool,
    /// An object of at most 4 KiB.
    pub metadata: Option<Map<String, Value>>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// An item as a client gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewItem {
    /// 1 to 200 characters.
    pub name: String,
    /// Anything, or nothing.
    pub description: Option<String>,
    /// What it belongs to.
    pub category: String,
    /// A finite number.
    pub value: f64,
    /// Whether it counts.
    pub active: bool,
    /// An object, as JSON text.
    pub metadata: Option<String>,
}

/// Selects items; a field that is `None` does not restrict.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// Exactly this category.
    pub category: Option<String>,
    /// The name contains this, whatever the case of ASCII letters.
    pub name: Option<String>,
    /// At least this value.
    pub min_value: Option<f64>,
    /// At most this value.
    pub max_value: Option<f64>,
    /// Active or not.
    pub active: Option<bool>,
    /// Stored after this time.
    pub created_after: Option<Timestamp>,
    /// Stored before this time.
    pub created_before: Option<Timestamp>,
}

/// A field that lists can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortField {
    /// The id.
    Id,
    /// The name.
    Name,
    /// The category.
    Category,
    /// The value.
    Value,
    /// Whether it is active.
    Active,
    /// When it was stored.
    CreatedAt,
    /// When it was last changed.
    UpdatedAt,
}

impl SortField {
    /// All fields.
    pub const ALL: &'static [Self] = &[
        Self::Id,
        Self::Name,
        Self::Category,
        Self::Value,
        Self::Active,
        Self::CreatedAt,
        Self::UpdatedAt,
    ];

    /// The column, which is also the field's name in requests.
    #[must_use]
    pub const fn column(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Category => "category",
            Self::Value => "value",
            Self::Active => "active",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
        }
    }
}

/// An order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// The field to sort by.
    pub field: SortField,
    /// Largest first.
    pub descending: bool,
}

/// One page of the selected items.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Page")]
pub struct ItemPage {
    /// The items.
    pub items: Vec<Item>,
    /// How many there are in all.
    pub total: i64,
    /// The requested `limit`.
    pub limit: u32,
    /// The number of items that were skipped before the page.
    pub offset: u32,
}

/// Figures over items.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Summary")]
pub struct ItemSummary {
    /// How many.
    pub count: i64,
    /// The smallest value.
    pub min: Option<f64>,
    /// The largest value.
    pub max: Option<f64>,
    /// The mean value.
    pub mean: Option<f64>,
    /// The sum of values.
    pub sum: f64,
    /// The figures of each category, sorted by category.
    pub categories: Vec<CategorySummary>,
}

/// Figures over the items of one category.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CategorySummary {
    /// The category.
    pub category: String,
    /// How many.
    pub count: i64,
    /// The smallest value.
    pub min: Option<f64>,
    /// The largest value.
    pub max: Option<f64>,
    /// The mean value.
    pub mean: Option<f64>,
    /// The sum of values.
    pub sum: f64,
}
