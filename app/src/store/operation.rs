//! Operations of the store, a bounded set: labels of the store's metrics.

use std::fmt;

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $operation:literal, $table:literal;)*) => {
        /// An operation of the store.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Operation {
            $($(#[$doc])* $name,)*
        }

        impl Operation {
            /// All operations.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The labels `operation` and `table`.
            #[must_use]
            pub const fn labels(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$name => ($operation, $table),)*
                }
            }
        }
    };
}

operations! {
    /// A page of items.
    ListData = "list", "data";
    /// One item.
    GetData = "get", "data";
    /// A new item.
    InsertData = "insert", "data";
    /// Many new items.
    InsertManyData = "insert_many", "data";
    /// A changed item.
    UpdateData = "update", "data";
    /// One item less.
    DeleteData = "delete", "data";
    /// Figures over all items.
    SummarizeData = "summarize", "data";
    /// A page of products.
    ListProducts = "list", "products";
    /// One product.
    GetProduct = "get", "products";
    /// A new product.
    InsertProduct = "insert", "products";
    /// A changed product.
    UpdateProduct = "update", "products";
    /// One product less.
    DeleteProduct = "delete", "products";
    /// A page of users.
    ListUsers = "list", "users";
    /// The number of users.
    CountUsers = "count", "users";
    /// One user.
    GetUser = "get", "users";
    /// A new user.
    InsertUser = "insert", "users";
    /// A changed user.
    UpdateUser = "update", "users";
    /// One user less.
    DeleteUser = "delete", "users";
    /// A user who was welcomed.
    WelcomeUser = "welcome", "users";
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (operation, table) = self.labels();
        write!(f, "{operation} {table}")
    }
}
