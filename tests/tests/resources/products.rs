//! Calls of `/products`: the client chooses the number of a product.

use serde_json::{Value, json};

use crate::case::{Case, delete, get, invalid, post, problem, put};

/// Creates, lists, changes and deletes products.
pub(crate) fn products() -> Vec<Case> {
    let laptop = json!({"id": 7, "name": "Laptop", "price": 999.99, "amount": 10});
    let dear = json!({"id": 3, "name": "b", "price": 9_999_999_999_999.99_f64, "amount": 9_007_199_254_740_991_i64});
    let changed = json!({"id": 7, "name": "Laptop", "price": 0.29, "amount": 0});
    vec![
        get("/products")
            .answers(200, json!([]))
            .with_header("x-total-count", "0"),
        post("/products")
            .sends(laptop.clone())
            .answers(201, laptop.clone())
            .with_header("location", "/products/7"),
        post("/products")
            .sends(laptop.clone())
            .answers(409, problem("conflict")),
        post("/products").sends(dear.clone()).answers(201, dear.clone()),
        get("/products")
            .answers(200, json!([dear, laptop]))
            .with_header("x-total-count", "2"),
        get("/products?limit=1&offset=1")
            .answers(200, json!([laptop]))
            .with_header("x-total-count", "2"),
        get("/products?limit=0&offset=x").answers(422, invalid(&["limit", "offset"])),
        get("/products/7").answers(200, laptop.clone()),
        get("/products/8").answers(404, problem("not-found")),
        get("/products/x").answers(422, invalid(&["id"])),
        put("/products/7").sends(changed.clone()).answers(200, changed.clone()),
        get("/products/7").answers(200, changed.clone()),
        put("/products/7")
            .sends(json!({"name": "Laptop", "price": 0.29, "amount": 0}))
            .answers(200, changed),
        put("/products/7")
            .sends(json!({"id": 8, "name": "a", "price": 1, "amount": 1}))
            .answers(422, invalid(&["id"])),
        put("/products/8")
            .sends(json!({"name": "a", "price": 1, "amount": 1}))
            .answers(404, problem("not-found")),
        post("/products")
            .sends(json!({"id": -1, "name": "", "price": 1.005, "amount": 1.5}))
            .answers(422, invalid(&["id", "name", "price", "amount"])),
        post("/products")
            .sends(json!({"id": 9, "name": "a", "price": 1e15, "amount": 1}))
            .answers(422, invalid(&["price"])),
        post("/products").sends(json!([1])).answers(422, invalid(&["body"])),
        delete("/products/7").answers(204, Value::Null),
        delete("/products/7").answers(404, problem("not-found")),
        delete("/products")
            .answers(405, problem("method-not-allowed"))
            .with_header("allow", "GET,HEAD,POST"),
    ]
}
