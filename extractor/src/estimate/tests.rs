use crate::model::{Block, BlockKind, Message};
use crate::reader::{Limits, Sink};
use encoding_rs::WINDOWS_1251;
use proptest::prelude::*;
use shared::outcome::Code;
use std::collections::BTreeMap;

const BILL: &str = r#"<?xml version="1.0"?><Construction noNamespaceSchemaLocation="QuantityTakeoff-3_01.xsd">
  <Meta><File><Type>Ведомость объемов работ</Type></File></Meta>
  <ObjectName>Склад</ObjectName><Num>ВОР-1/КР</Num><Date><Year>2025</Year><Month>1</Month><Day>2</Day></Date>
  <Files><File><ID>10</ID><FileName>КР.pdf</FileName></File></Files>
  <Sections><Section><Num>1</Num><Name>Котлован</Name><Works>
    <Work><Num>1</Num><Name>Основание</Name><Unit>м3</Unit><Quantity>39.176</Quantity>
      <Links><Link><FileID>10</FileID><PageNumber>5</PageNumber></Link></Links>
      <Resources><Resource><Num>1</Num><Name>Песок</Name><Unit>м3</Unit><Quantity>43.1</Quantity></Resource></Resources>
    </Work></Works></Section></Sections></Construction>"#;

fn read(bytes: &[u8]) -> Result<(Vec<Block>, BTreeMap<String, String>), Code> {
    let (mut blocks, mut properties) = (Vec::new(), BTreeMap::new());
    let mut send = |message: Message| {
        match message {
            Message::Page(page) => blocks.extend(page.blocks),
            Message::Properties(more) => properties.extend(more),
            _ => {}
        }
        Ok(())
    };
    super::read(bytes, &Limits::default(), &mut Sink::new(&mut send)).map_err(|e| e.code)?;
    Ok((blocks, properties))
}

#[test]
fn a_bill_of_quantities() {
    let (blocks, properties) = read(BILL.as_bytes()).unwrap();
    assert_eq!(blocks[0].text, "ВЕДОМОСТЬ ОБЪЕМОВ РАБОТ № ВОР-1/КР");
    assert_eq!(properties["estimate_number"], "ВОР-1/КР");
    assert_eq!(properties["date"], "02.01.2025");
    let heading = blocks.iter().position(|block| block.text == "Раздел 1. Котлован").unwrap();
    let BlockKind::Table(table) = &blocks[heading + 1].kind else { panic!("{blocks:?}") };
    assert_eq!(
        table.rows,
        [
            ["№ п.п.", "Наименование", "Ед. изм.", "Количество", "Ссылка"],
            ["1", "Основание", "м3", "39.176", "файл КР.pdf, с. 5"],
            ["1.1", "Песок", "м3", "43.1", ""],
        ]
    );
}

#[test]
fn an_object_estimate_gets_its_letters_and_totals() {
    let xml = r#"<Construction noNamespaceSchemaLocation="ObjectEstimate-3_01.xsd"><Num>01-02</Num><Name>ВЛ</Name>
      <Object><Num>01-02</Num><Name>Дорога</Name><PriceLevel><Year>2000</Year><Quarter>1</Quarter></PriceLevel>
      <Summary><Building>70.5</Building><Total>70.5</Total></Summary>
      <LocalEstimate><Building>70.5</Building><Total>70.5</Total><Name>Отсыпка</Name><Num>1</Num>
        <Reason>01-02-01</Reason></LocalEstimate></Object></Construction>"#;
    let (blocks, properties) = read(xml.as_bytes()).unwrap();
    assert_eq!(blocks[0].text, "ОБЪЕКТНЫЙ СМЕТНЫЙ РАСЧЕТ (СМЕТА) № ОС-01-02");
    assert_eq!(properties["total"], "70.5 тыс. руб.");
    assert_eq!(properties["price_level"], "I квартал 2000");
    let tables: Vec<&str> = blocks
        .iter()
        .filter(|block| matches!(block.kind, BlockKind::Table(_)))
        .map(|block| block.text.as_str())
        .collect();
    assert!(tables[0].ends_with("1\t01-02-01\tОтсыпка\t70.5\t70.5"), "{tables:?}");
    assert!(tables[1].ends_with("Всего\t70.5"));
}

#[test]
fn norms_with_works_and_resources() {
    let xml = r#"<base BaseType="ГЭСН"><ResourcesDirectory><ResourceCategory Type="Работы" CodePrefix="ГЭСН">
      <Section Name="Земля" Type="Сборник" Code="01"><NameGroup BeginName="Разработка грунта:">
      <Work Code="01-01-001-01" EndName="вручную" MeasureUnit="100 м3"><Content><Item Text="Рыхление."/></Content>
      <Resources><Resource Code="1-1" EndName="Рабочий" Quantity="5"/></Resources></Work></NameGroup></Section>
      </ResourceCategory></ResourcesDirectory></base>"#;
    let lines: Vec<String> = read(xml.as_bytes()).unwrap().0.into_iter().map(|b| b.text).collect();
    assert_eq!(
        lines,
        [
            "ГЭСН Работы",
            "Сборник 01. Земля",
            "ГЭСН01-01-001-01 Разработка грунта: вручную",
            "Измеритель: 100 м3",
            "Состав работ:",
            "1. Рыхление.",
            "Код ресурса\tНаименование\tЕд. изм.\tКоличество\n1-1\tРабочий\t\t5",
        ]
    );
}

#[test]
fn other_xml_in_its_encoding() {
    let xml =
        "<?xml version='1.0' encoding='windows-1251'?><a><b>один <i>два</i></b><c имя='три'/></a>";
    let (bytes, _, _) = WINDOWS_1251.encode(xml);
    let lines: Vec<String> = read(&bytes).unwrap().0.into_iter().map(|block| block.text).collect();
    assert_eq!(lines, ["один два", "три"]);
}

#[test]
fn entities_are_refused() {
    let xml = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Construction><Name>&x;</Name></Construction>";
    assert_eq!(read(xml.as_bytes()).unwrap_err(), Code::XmlExternalEntity);
}

#[test]
fn a_long_number_is_not_repeated_in_all_that_it_holds() {
    let resources = "<Resource><Num>1</Num><Name>а</Name></Resource>".repeat(1000);
    let record = format!(
        "<Work><Num>{}</Num><Name>а</Name><Resources>{resources}</Resources></Work>",
        "1".repeat(100_000)
    );
    let xml = format!(
        "<Construction><Sections><Section><Works>{record}</Works></Section></Sections></Construction>"
    );
    let (blocks, _) = read(xml.as_bytes()).unwrap();
    assert!(blocks.iter().map(|block| block.text.len()).sum::<usize>() < 400_000);
}

proptest! {
    #[test]
    fn changed_bytes_never_panic(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = BILL.as_bytes().to_vec();
        *place.get_mut(&mut bytes) = byte;
        drop(read(&bytes));
    }
}
