use super::*;

#[test]
fn a_pattern_of_another_language_is_refused_with_the_reason() {
    for (pattern, error) in [
        ("/(?!public).*", PatternError::GroupSyntax),
        ("(?<=a)b", PatternError::GroupSyntax),
        ("(?x) /internal/ .*", PatternError::GroupSyntax),
        (r"(?u)/[\w-]+/private", PatternError::GroupSyntax),
        (r"(a)\1", PatternError::Escape),
        (r"\b{start}a{1001}", PatternError::RepeatSize),
        ("(a{100}){100}", PatternError::RepeatSize),
        ("a++", PatternError::DoubleRepeat),
        ("*", PatternError::NothingToRepeat),
        ("a|*", PatternError::NothingToRepeat),
        ("[b-a]", PatternError::Range),
        ("[a", PatternError::MissingBracket),
        ("(a", PatternError::MissingParenthesis),
        ("a)(b", PatternError::UnexpectedParenthesis),
        ("a\\", PatternError::TrailingBackslash),
        (r"\p{Klingon}", PatternError::Class),
        (r"\Qa", PatternError::Escape),
        (r"\Qabc\E)", PatternError::UnexpectedParenthesis),
        ("(?P<>a)", PatternError::GroupSyntax),
        ("(?P<a-b>a)", PatternError::GroupSyntax),
        ("(?x-i:a)", PatternError::GroupSyntax),
        ("(?i-x:a)", PatternError::GroupSyntax),
        ("(?i-:a)", PatternError::GroupSyntax),
        ("a{2,1}", PatternError::RepeatSize),
        ("a{1001,}", PatternError::RepeatSize),
        ("a{1,1001}", PatternError::RepeatSize),
    ] {
        assert_eq!(check_pattern(pattern), Err(error), "{pattern}");
    }
}

#[test]
fn a_pattern_of_go_is_accepted() {
    for pattern in [
        "",
        "/a|/b",
        "/users/{id}",
        "(?i)/C",
        "(?P<x>a)(?<y>b)",
        r"\Qa.b\E",
        "[]a]",
        "[[:alpha:]-]",
        "a{2}{",
        "(?:)",
        r"[\d\pL]+?",
        "(a|)*",
        "x{0,1000}",
        "x{1000}",
        "x{1000,}",
        "(?P<a_1>b)",
        "(?i-s:a)",
        "[a&&b]",
    ] {
        assert_eq!(check_pattern(pattern), Ok(()), "{pattern}");
    }
}

/// After each of these a parenthesis that nothing opened is found: not a byte more or less is read as part of them.
#[test]
fn escapes_and_classes_end_where_those_of_go_end() {
    for piece in [
        r"\x41",
        r"\x{1F600}",
        r"\x{10FFFF}",
        r"\0",
        r"\012",
        r"\123",
        r"\77",
        r"\a\t\n\v\f\r",
        r"\.\-\[\)",
        r"\pL",
        r"\PN",
        r"\p{Greek}",
        r"\p{^Greek}",
        "[a-z]",
        "[^a-z]",
        "[a-]",
        "[-a]",
        "[]a]",
        "[^]a]",
        "[é-ü]",
        r"[\x41-\x5A]",
        r"[\d-]",
        r"[\D\s\S\w\W]",
        r"[\pL\p{Greek}]",
        r"[\]\\]",
        "[[:alpha:]]",
        "[[:^alpha:][:digit:]]",
        "a{2}",
        "a{2,}",
        "a{2,3}",
        "a{02}",
        "a{,3}",
    ] {
        assert_eq!(check_pattern(piece), Ok(()), "{piece}");
        let unopened = format!("{piece})");
        assert_eq!(
            check_pattern(&unopened),
            Err(PatternError::UnexpectedParenthesis),
            "{unopened}"
        );
        let open = format!("({piece}");
        assert_eq!(check_pattern(&open), Err(PatternError::MissingParenthesis), "{open}");
    }
}

#[test]
fn escapes_and_classes_that_go_refuses_are_refused() {
    for (pattern, error) in [
        (r"\y", PatternError::Escape),
        (r"\é", PatternError::Escape),
        (r"\1", PatternError::Escape),
        (r"\8", PatternError::Escape),
        (r"\x4", PatternError::Escape),
        (r"\xZ1", PatternError::Escape),
        (r"\x{}", PatternError::Escape),
        (r"\x{41", PatternError::Escape),
        (r"\x{110000}", PatternError::Escape),
        (r"\p{}", PatternError::Class),
        (r"\p", PatternError::Class),
        ("[z-a]", PatternError::Range),
        (r"[\x5A-\x41]", PatternError::Range),
        (r"[\n-\t]", PatternError::Range),
        ("[[:foo:]]", PatternError::Class),
        ("[a-", PatternError::MissingBracket),
        ("[]", PatternError::MissingBracket),
    ] {
        assert_eq!(check_pattern(pattern), Err(error), "{pattern}");
    }
    // The smallest and the largest of a range may be equal.
    assert_eq!(check_pattern("[a-a]"), Ok(()));
}
