-- Products of /products. Ids are the clients'; money is whole cents.
CREATE TABLE products (
    id          INTEGER PRIMARY KEY,
    name        TEXT    NOT NULL,
    price_cents INTEGER NOT NULL CHECK (price_cents >= 0),
    amount      INTEGER NOT NULL CHECK (amount >= 0)
) STRICT;
