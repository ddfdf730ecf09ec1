//! Whether rules read what targets count over all routes stands in the status, so that a restart changes nothing.

use super::*;

fn reading_overall(reads_overall: bool) -> Applied {
    Applied {
        reads_overall,
        ..applied(|_| Outcome::Unchanged)
    }
}

#[test]
fn the_status_says_what_the_rules_were_written_with_and_keeps_it_while_nothing_is_written() {
    for reads in [true, false] {
        let mut world = World::well();
        world.applied = Some(reading_overall(reads));
        world.previous = world.fold();
        assert_eq!(reads_overall(&world.previous), reads);
        world.applied = None;
        assert_eq!(reads_overall(&world.fold()), reads, "nothing was written");
        world.spec = json!({"image": "i", "preset": "native", "replicas": -1});
        assert_eq!(reads_overall(&world.fold()), reads, "the spec is invalid");
        world.applied = Some(reading_overall(!reads));
        world.spec = World::well().spec;
        assert_eq!(reads_overall(&world.fold()), !reads, "the rules were written anew");
    }
}

#[test]
fn only_where_it_is_used_the_status_has_a_field_for_it() {
    let mut world = World::well();
    let field = |world: &World| {
        serde_json::to_value(world.fold()).unwrap()["metrics"]
            .get("overall")
            .cloned()
    };
    assert_eq!(field(&world), None);
    world.applied = Some(reading_overall(true));
    assert_eq!(field(&world), Some(json!(true)));
}
