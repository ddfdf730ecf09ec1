-- Products of /products. Ids are the clients'; money is whole cents.
CREATE TABLE products (
    id          BIGINT           PRIMARY KEY,
    name        TEXT COLLATE "C" NOT NULL,
    price_cents BIGINT           NOT NULL CHECK (price_cents >= 0),
    amount      BIGINT           NOT NULL CHECK (amount >= 0)
);
