//! Calls of `/api/v1/data`: items are created, changed, listed, summed up and deleted.

use serde_json::{Value, json};

use crate::case::{Case, delete, get, invalid, patch, post, problem, put};

/// Creates items 1 to 4 and changes item 1.
pub(crate) fn writes() -> Vec<Case> {
    let item = json!({"name": "Ada", "category": "people", "value": 1.5, "metadata": {"k": ["\0", "é"]}});
    let sum = json!({"count": 0, "min": null, "max": null, "mean": null, "sum": 0.0, "categories": []});
    vec![
        get("/api/v1/data/stats/summary").answers(200, sum),
        post("/api/v1/data")
            .sends(item.clone())
            .answers(201, json!({"id": 1, "description": null, "active": true}))
            .with_header("location", "/api/v1/data/1"),
        get("/api/v1/data/1").answers(200, item.clone()),
        put("/api/v1/data/1")
            .sends(json!({"name": "Bob", "category": "people", "value": 0.1, "active": false}))
            .answers(
                200,
                json!({"name": "Bob", "metadata": null, "active": false, "value": 0.1}),
            ),
        put("/api/v1/data/99")
            .sends(item.clone())
            .answers(404, problem("not-found")),
        post("/api/v1/data")
            .sends(json!({"name": "\0"}))
            .answers(422, invalid(&["name", "category", "value"])),
        post("/api/v1/data")
            .sends(json!({"name": "a", "category": "c", "value": 1.7e308}))
            .answers(422, invalid(&["value"])),
        post("/api/v1/data/bulk")
            .sends(json!([
                {"name": "Zoë 100%", "category": "b", "value": -1e300},
                {"name": "aSCII_x", "category": "B", "value": 2},
                {"name": "ÉCLAIR", "category": "a", "value": 5e-324},
            ]))
            .answers(201, json!({"count": 3})),
        post("/api/v1/data/bulk")
            .sends(json!([item, {"category": "c", "value": 1}]))
            .answers(422, json!({"errors": [{"index": 1, "field": "name"}]})),
    ]
}

/// Sorts, filters and pages the four items.
pub(crate) fn lists() -> Vec<Case> {
    vec![
        get("/api/v1/data").answers(200, json!({"total": 4, "limit": 20, "offset": 0})),
        // Texts are sorted by their bytes: capitals come first, whatever the server's locale.
        get("/api/v1/data?sort=name").answers(200, names(&["Bob", "Zoë 100%", "aSCII_x", "ÉCLAIR"])),
        get("/api/v1/data?sort=-name&limit=2").answers(200, names(&["ÉCLAIR", "aSCII_x"])),
        get("/api/v1/data?sort=category").answers(200, names(&["aSCII_x", "ÉCLAIR", "Zoë 100%", "Bob"])),
        get("/api/v1/data?sort=active&limit=1").answers(200, names(&["Bob"])),
        get("/api/v1/data?sort=-value&limit=1&offset=1").answers(200, names(&["Bob"])),
        get("/api/v1/data?q=ascii").answers(200, names(&["aSCII_x"])),
        get("/api/v1/data?q=%25").answers(200, names(&["Zoë 100%"])),
        get("/api/v1/data?q=_").answers(200, names(&["aSCII_x"])),
        // Upper and lower case differ outside ASCII only.
        get("/api/v1/data?q=%C3%A9clair").answers(200, names(&[])),
        get("/api/v1/data?q=%C3%89clair").answers(200, names(&["ÉCLAIR"])),
        get("/api/v1/data?category=b").answers(200, names(&["Zoë 100%"])),
        get("/api/v1/data?min_value=0.1&max_value=2&sort=value").answers(200, names(&["Bob", "aSCII_x"])),
        get("/api/v1/data?active=false").answers(200, names(&["Bob"])),
        get("/api/v1/data?created_after=2000-01-01T00:00:00Z").answers(200, json!({"total": 4})),
        get("/api/v1/data?created_before=2000-01-01T00:00:00Z").answers(200, json!({"total": 0})),
        get("/api/v1/data?q=%00&category=%00&sort=nil").answers(422, invalid(&["sort", "category", "q"])),
    ]
}

/// Sums the four items up and deletes the first.
pub(crate) fn summary_and_deletion() -> Vec<Case> {
    let categories = json!([
        {"category": "B", "mean": 2.0},
        {"category": "a", "sum": 5e-324},
        {"category": "b"},
        {"category": "people"},
    ]);
    vec![
        get("/api/v1/data/stats/summary").answers(200, json!({"count": 4, "min": -1e300, "max": 2.0})),
        get("/api/v1/data/stats/summary").answers(200, json!({ "categories": categories })),
        delete("/api/v1/data/1").answers(204, Value::Null),
        delete("/api/v1/data/1").answers(404, problem("not-found")),
        patch("/api/v1/data/1")
            .answers(405, problem("method-not-allowed"))
            .with_header("allow", "GET,HEAD,PUT,DELETE"),
    ]
}

/// A list of items with these names, in this order.
fn names(names: &[&str]) -> Value {
    let items: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
    json!({ "items": items })
}
