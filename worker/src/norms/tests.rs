use super::*;

fn rules() -> &'static Rules {
    Rules::shipped()
}

#[track_caller]
fn check(text: &str, expected: &[(&str, &str, Option<&str>, Option<&str>)]) {
    let found = find(rules(), text);
    let found: Vec<_> = found
        .iter()
        .map(|mention| {
            (
                mention.designation.text.as_str(),
                mention.designation.id.as_str(),
                mention.designation.edition.as_deref(),
                mention.clause.as_deref(),
            )
        })
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn canonical_ids_of_the_specification() {
    check("СП 305.1325800.2017", &[("СП 305.1325800.2017", "СП 305.1325800", Some("2017"), None)]);
    check("СНиП 2.01.07-85*", &[("СНиП 2.01.07-85*", "СНИП 2.01.07", Some("85*"), None)]);
    check("ГОСТ Р 54257-2010", &[("ГОСТ Р 54257-2010", "ГОСТ Р 54257", Some("2010"), None)]);
}

#[test]
fn broken_lines_dashes_and_look_alikes() {
    check(
        "бетон по ГOCT\u{a0}26633–\n2015 и",
        &[("ГОСТ 26633-2015", "ГОСТ 26633", Some("2015"), None)],
    );
    check("по CП 45.13330.\n2017", &[("СП 45.13330.2017", "СП 45.13330", Some("2017"), None)]);
    check("ГОСТ\nР 58967-2020.", &[("ГОСТ Р 58967-2020", "ГОСТ Р 58967", Some("2020"), None)]);
}

#[test]
fn lists_and_ranges() {
    check(
        "арматура ГОСТ 5781-82, 10884-94 и ГОСТ 34028",
        &[
            ("ГОСТ 5781-82", "ГОСТ 5781", Some("82"), None),
            ("ГОСТ 10884-94", "ГОСТ 10884", Some("94"), None),
            ("ГОСТ 34028", "ГОСТ 34028", None, None),
        ],
    );
    check(
        "СП 16.13330, 63.13330.2018 и 70.13330",
        &[
            ("СП 16.13330", "СП 16.13330", None, None),
            ("СП 63.13330.2018", "СП 63.13330", Some("2018"), None),
            ("СП 70.13330", "СП 70.13330", None, None),
        ],
    );
}

#[test]
fn clauses_before_and_after() {
    check("согласно п. 5.10 СП 45.13330", &[("СП 45.13330", "СП 45.13330", None, Some("5.10"))]);
    check("по 7.2.3 ГОСТ 27751", &[("ГОСТ 27751", "ГОСТ 27751", None, Some("7.2.3"))]);
    check(
        "СП 48.13330.2019, п. 7.1",
        &[("СП 48.13330.2019", "СП 48.13330", Some("2019"), Some("7.1"))],
    );
    check(
        "СП 48.13330.2019, п. 7.1 СП 70.13330.2012",
        &[
            ("СП 48.13330.2019", "СП 48.13330", Some("2019"), None),
            ("СП 70.13330.2012", "СП 70.13330", Some("2012"), Some("7.1")),
        ],
    );
}

#[test]
fn acts_are_spelled_one_way() {
    check(
        "утверждено постановлением Правительства Российской Федерации от 5 марта 2007 г. N 145",
        &[(
            "Постановление Правительства РФ от 05.03.2007 № 145",
            "ПОСТАНОВЛЕНИЕ ПРАВИТЕЛЬСТВА РФ ОТ 05.03.2007 № 145",
            None,
            None,
        )],
    );
    check(
        "(в ред. Постановлений Правительства РФ от 12.02.2031 N 17, от 13.04.2032 N 1018)",
        &[
            (
                "Постановление Правительства РФ от 12.02.2031 № 17",
                "ПОСТАНОВЛЕНИЕ ПРАВИТЕЛЬСТВА РФ ОТ 12.02.2031 № 17",
                None,
                None,
            ),
            (
                "Постановление Правительства РФ от 13.04.2032 № 1018",
                "ПОСТАНОВЛЕНИЕ ПРАВИТЕЛЬСТВА РФ ОТ 13.04.2032 № 1018",
                None,
                None,
            ),
        ],
    );
    check(
        "статьи 49 Федерального закона от 30 декабря 2009 г. № 384-ФЗ",
        &[("Федеральный закон от 30.12.2009 № 384-ФЗ", "384-ФЗ", Some("30.12.2009"), Some("49"))],
    );
}

#[test]
fn numbers_that_are_no_designations() {
    for text in ["СП 5", "этап 12-03", "ул. СНиПовская 5", "№ 12", "ГОСТ на бетон", "в п. 5.10"]
    {
        check(text, &[]);
    }
}

#[test]
fn letterhead_over_lines() {
    let lines = ["ПРАВИТЕЛЬСТВО РОССИЙСКОЙ ФЕДЕРАЦИИ", "ПОСТАНОВЛЕНИЕ", "от 5 марта 2007 г. N 145"];
    let act = letterhead(rules(), &lines.map(str::to_owned)).unwrap();
    assert_eq!(act.text, "Постановление Правительства РФ от 05.03.2007 № 145");
}

proptest::proptest! {
    #[test]
    fn any_text_is_survived_and_spans_lie_inside(text in "[СПГОТР0-9 .\\-№nN,\u{a0}«»фзФЗпот]{0,80}") {
        for mention in find(rules(), &text) {
            proptest::prop_assert!(text.get(mention.span).is_some());
        }
    }
}
