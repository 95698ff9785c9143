use super::read;
use crate::model::{BlockKind, Page};
use crate::reader::tests::pages_of;
use shared::outcome::Code;

/// A house of two storeys: two like walls and a room below, a wall above, a door in the room, a
/// fence outside.
const HOUSE: &str = r"
#1=IFCPROJECT('g',$,'ДЖ-17',$,$,'Жилой дом № 17','РД',(),#2);
#2=IFCUNITASSIGNMENT((#3,#4));
#3=IFCSIUNIT(*,.LENGTHUNIT.,.MILLI.,.METRE.);
#4=IFCSIUNIT(*,.AREAUNIT.,$,.SQUARE_METRE.);
#5=IFCSITE('g',$,'Участок',$,$,$,$,$,.ELEMENT.,$,$,$,$,$);
#6=IFCBUILDING('g',$,'\X2\041A043E0440043F04430441\X0\ 1',$,$,$,$,$,.ELEMENT.,$,$,#7);
#7=IFCPOSTALADDRESS($,$,$,$,('ул. Мира, 5'),$,'Казань',$,'420000','Россия');
#8=IFCBUILDINGSTOREY('g',$,'Этаж 2',$,$,$,$,'Типовой',.ELEMENT.,3000.);
#9=IFCBUILDINGSTOREY('g',$,'Этаж 1',$,$,$,$,$,.ELEMENT.,0.);
#10=IFCSPACE('g',$,'101',$,$,$,$,'Кухня',.ELEMENT.,.INTERNAL.,$);
#11=IFCRELAGGREGATES('g',$,$,$,#1,(#5));
#12=IFCRELAGGREGATES('g',$,$,$,#5,(#6));
#13=IFCRELAGGREGATES('g',$,$,$,#6,(#8,#9));
#14=IFCRELAGGREGATES('g',$,$,$,#9,(#10));
#20=IFCWALL('g',$,'Базовая стена:НС-1:1001',$,$,$,$,'1001',$);
#21=IFCWALL('g',$,'Базовая стена:НС-1:1002',$,$,$,$,'1002',$);
#22=IFCWALLSTANDARDCASE('g',$,'Базовая стена:НС-1:1003',$,$,$,$,'1003');
#23=IFCDOOR('g',$,'Д-1',$,'Глухая',$,$,$,2100.,900.);
#24=IFCRAILING('g',$,'Забор',$,$,$,$,$,$);
#30=IFCRELCONTAINEDINSPATIALSTRUCTURE('g',$,$,$,(#20,#21),#9);
#31=IFCRELCONTAINEDINSPATIALSTRUCTURE('g',$,$,$,(#22),#8);
#32=IFCRELCONTAINEDINSPATIALSTRUCTURE('g',$,$,$,(#23),#10);
#33=IFCRELCONTAINEDINSPATIALSTRUCTURE('g',$,$,$,(#24),#5);
#40=IFCPROPERTYSET('g',$,'Pset_WallCommon',$,(#41,#42,#43,#44));
#41=IFCPROPERTYSINGLEVALUE('FireRating',$,IFCLABEL('REI ''60'''),$);
#42=IFCPROPERTYSINGLEVALUE('IsExternal',$,IFCBOOLEAN(.T.),$);
#43=IFCPROPERTYSINGLEVALUE('Reserve',$,IFCVOLUMEMEASURE(1.5),$);
#44=IFCPROPERTYBOUNDEDVALUE('Height',$,IFCLENGTHMEASURE(3300.),IFCLENGTHMEASURE(2700.),$,$);
#45=IFCRELDEFINESBYPROPERTIES('g',$,$,$,(#20,#21,#22),#40);
#46=IFCELEMENTQUANTITY('g',$,'Qto',$,$,(#47));
#47=IFCQUANTITYAREA('NetArea',$,$,12.25,$);
#48=IFCELEMENTQUANTITY('g',$,'Qto',$,$,(#49));
#49=IFCQUANTITYAREA('NetArea',$,$,9.,$);
#50=IFCRELDEFINESBYPROPERTIES('g',$,$,$,(#20),#46);
#51=IFCRELDEFINESBYPROPERTIES('g',$,$,$,(#21),#48);
#60=IFCWALLTYPE('g',$,'НС-1',$,$,$,$,$,$,.STANDARD.);
#61=IFCRELDEFINESBYTYPE('g',$,$,$,(#20,#21,#22),#60);
#62=IFCMATERIAL('Кирпич',$,$);
#63=IFCMATERIALLAYER(#62,380.,$,$,$,$,$);
#64=IFCMATERIALLAYERSET((#63),'НС-1',$);
#65=IFCMATERIALLAYERSETUSAGE(#64,.AXIS2.,.POSITIVE.,0.,$);
#66=IFCRELASSOCIATESMATERIAL('g',$,$,$,(#20,#21,#22),#65);
#70=IFCCLASSIFICATIONREFERENCE($,'21.41','Стены наружные',$,$,$);
";

fn file(data: &str) -> String {
    format!(
        "ISO-10303-21;\nHEADER;\nFILE_NAME('a.ifc','2026-11-28',('Иванов'),('ООО'),'','Renga','');\n\
         FILE_SCHEMA(('IFC4'));\nENDSEC;\nDATA;{data}ENDSEC;\nEND-ISO-10303-21;\n"
    )
}

fn pages(data: &str) -> Vec<Page> {
    pages_of(read, file(data).as_bytes()).unwrap()
}

fn rows(page: &Page, table: usize) -> Vec<String> {
    let tables = page.blocks.iter().filter_map(|block| match &block.kind {
        BlockKind::Table(cells) => Some(cells),
        _ => None,
    });
    let cells = tables.skip(table).map(|cells| cells.rows.clone()).next().unwrap_or_default();
    cells.iter().map(|row| row.join(" | ")).collect()
}

#[test]
fn the_first_page_tells_of_the_project() {
    let pages = pages(HOUSE);
    let texts: Vec<_> = pages[0].blocks.iter().map(|block| block.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "Жилой дом № 17",
            "Обозначение: ДЖ-17",
            "Стадия: РД",
            "Площадка: Участок",
            "Здание: Корпус 1",
            "Адрес: 420000, Россия, Казань, ул. Мира, 5",
            "Этаж\tОтметка\nЭтаж 1\t0 мм\nЭтаж 2\t3000 мм",
            "Классификация: 21.41 Стены наружные",
        ]
    );
}

#[test]
fn storeys_are_pages_and_like_elements_are_counted() {
    let pages = pages(HOUSE);
    let names: Vec<_> = pages.iter().filter_map(|page| page.name.as_deref()).collect();
    let upper = "Этаж: Этаж 2 (Типовой), отметка 3000 мм";
    assert_eq!(names, ["Модель", "Площадка: Участок", "Этаж: Этаж 1, отметка 0 мм", upper]);
    assert_eq!(
        rows(&pages[2], 0),
        [
            "Элемент | Наименование | Тип | Материал | Количество",
            "Помещение | 101 Кухня |  |  | 1",
            "Дверь | Д-1 | Глухая |  | 1",
            "Стена | Базовая стена:НС-1 | НС-1 | Кирпич 380 мм | 2",
        ]
    );
}

#[test]
fn properties_have_the_units_of_the_file_and_no_others() {
    let pages = pages(HOUSE);
    let wall = "Стена | Базовая стена:НС-1 | НС-1";
    assert_eq!(
        rows(&pages[2], 1)[1..],
        [
            "Дверь | Д-1 | Глухая |  | высота | 2100 мм".to_owned(),
            "Дверь | Д-1 | Глухая |  | ширина | 900 мм".to_owned(),
            format!("{wall} | Pset_WallCommon | FireRating (предел огнестойкости) | REI '60'"),
            format!("{wall} | Pset_WallCommon | Height (высота) | от 2700 мм до 3300 мм"),
            format!("{wall} | Pset_WallCommon | IsExternal (наружный) | да"),
            // The file declares no unit of volume.
            format!("{wall} | Pset_WallCommon | Reserve | 1.5"),
            format!(
                "{wall} | Qto | NetArea (площадь нетто) | от 9 м² до 12.25 м², всего 21.25 м² (2 шт.)"
            ),
        ]
    );
}

#[test]
fn letters_of_windows_1251_are_read() {
    let text = file("\n#1=IFCPROJECT('g',$,'Жилой дом на улице Мира',$,$,$,$,$,$);\n");
    let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode(&text);
    let pages = pages_of(read, &bytes).unwrap();
    assert_eq!(pages[0].blocks[0].text, "Жилой дом на улице Мира");
}

#[test]
fn a_part_of_itself_and_unknown_references_do_no_harm() {
    let data = "
#1=IFCBUILDINGSTOREY('g',$,'А',$,$,$,$,$,$,1.);
#2=IFCWALL('g',$,'Б',$,$,$,$,$,$);
#3=IFCRELAGGREGATES('g',$,$,$,#2,(#2,#99));
#4=IFCRELAGGREGATES('g',$,$,$,#99,(#1));
#5=IFCRELAGGREGATES('g',$,$,$,#1,(#99));
#6=IFCMATERIALLIST((#6));
#7=IFCRELASSOCIATESMATERIAL('g',$,$,$,(#2),#6);
#8=IFCCOMPLEXPROPERTY('в',$,$,(#8));
#9=IFCPROPERTYSET('g',$,'Н',$,(#8,#77));
#10=IFCRELDEFINESBYPROPERTIES('g',$,$,$,(#2),#9);
";
    let names: Vec<_> = pages(data).into_iter().filter_map(|page| page.name).collect();
    assert_eq!(names, ["Модель", "Вне этажей"], "the storey has nothing to tell of");
}

#[test]
fn a_cut_file_keeps_its_pages_and_an_empty_one_is_damaged() {
    let whole = file(HOUSE);
    let cut = &whole[..whole.find("#60=").unwrap()];
    assert_eq!(pages_of(read, cut.as_bytes()), Err(Code::DamagedFile));
    let mut sent = 0;
    let mut send = |_| {
        sent += 1;
        Ok(())
    };
    let sink = &mut crate::reader::Sink::new(&mut send);
    assert!(read(cut.as_bytes(), &crate::reader::Limits::default(), sink).is_err());
    assert_eq!(sent, 5, "the header and four pages came before the failure");
    assert_eq!(pages_of(read, b"ISO-10303-21;"), Err(Code::DamagedFile));
    let commented = format!("{whole}/* made by hand */\n");
    assert_eq!(pages_of(read, commented.as_bytes()).unwrap().len(), 4);
    let machine = whole.replace("IFC4", "AUTOMOTIVE_DESIGN");
    assert_eq!(pages_of(read, machine.as_bytes()), Err(Code::UnsupportedFormat));
}

/// The rows of all tables of all pages.
fn all_rows(data: &str) -> Vec<String> {
    pages(data).iter().flat_map(|page| [rows(page, 0), rows(page, 1)].concat()).collect()
}

#[test]
fn a_value_has_the_unit_it_names_itself() {
    let data = "
#1=IFCPROJECT('g',$,'П',$,$,$,$,(),#2);
#2=IFCUNITASSIGNMENT((#3));
#3=IFCSIUNIT(*,.LENGTHUNIT.,.MILLI.,.METRE.);
#4=IFCSIUNIT(*,.LENGTHUNIT.,$,.METRE.);
#5=IFCSIUNIT(*,.AREAUNIT.,.MILLI.,.SQUARE_METRE.);
#6=IFCPROPERTYSET('g',$,'Н',$,(#7,#8));
#7=IFCPROPERTYSINGLEVALUE('Длина трассы',$,IFCLENGTHMEASURE(2.5),#4);
#8=IFCPROPERTYSINGLEVALUE('Радиус',$,IFCLENGTHMEASURE(3299.9999999999995),$);
#9=IFCELEMENTQUANTITY('g',$,'К',$,$,(#10));
#10=IFCQUANTITYAREA('NetArea',$,#5,12250000.,$);
#11=IFCBEAM('g',$,'Б-1',$,$,$,$,$);
#12=IFCRELDEFINESBYPROPERTIES('g',$,$,$,(#11),IFCPROPERTYSETDEFINITIONSET((#6,#9)));
";
    assert_eq!(
        all_rows(data)[3..],
        [
            "Балка | Б-1 |  | К | NetArea (площадь нетто) | 12250000 мм²",
            "Балка | Б-1 |  | Н | Длина трассы | 2.5 м",
            "Балка | Б-1 |  | Н | Радиус | 3300 мм",
        ]
    );
}

#[test]
fn what_an_element_says_goes_before_what_its_type_says() {
    let data = "
#1=IFCPROPERTYSINGLEVALUE('FireRating',$,IFCLABEL('REI 60'),$);
#2=IFCPROPERTYSINGLEVALUE('FireRating',$,IFCLABEL('REI 90'),$);
#3=IFCPROPERTYSINGLEVALUE('Марка',$,IFCLABEL('В25'),$);
#4=IFCPROPERTYSET('g',$,'П',$,(#1));
#5=IFCPROPERTYSET('g',$,'П',$,(#2,#3));
#6=IFCWALLTYPE('g',$,'Т',$,$,(#5),$,$,$,.STANDARD.);
#7=IFCWALL('g',$,'С-1',$,$,$,$,$,$);
#8=IFCWALL('g',$,'С-2',$,$,$,$,$,$);
#9=IFCRELDEFINESBYTYPE('g',$,$,$,(#7,#8),#6);
#10=IFCRELDEFINESBYPROPERTIES('g',$,$,$,(#7),#4);
";
    assert_eq!(
        all_rows(data)[4..],
        [
            "Стена | С-1 | Т | П | FireRating (предел огнестойкости) | REI 60",
            "Стена | С-2 | Т | П | FireRating (предел огнестойкости) | REI 90",
            // Of all walls of the type alike.
            "Стена |  | Т | П | Марка | В25",
        ]
    );
}

#[test]
fn helpers_of_the_model_are_not_built_and_zones_have_their_rooms() {
    let data = "
#1=IFCSPACE('g',$,'101',$,$,$,$,'Кухня',$,$,$);
#2=IFCZONE('g',$,'Квартира 12',$,'3-комнатная');
#3=IFCRELASSIGNSTOGROUP('g',$,$,$,(#1),$,#2);
#4=IFCFLOWSEGMENT('g',$,'В-1',$,$,$,$,'7');
#5=IFCDISTRIBUTIONPORT('g',$,'порт',$,$,$,$,$);
#6=IFCRELNESTS('g',$,$,$,#4,(#5));
#7=IFCDUCTSEGMENTTYPE('g',$,'Круглый',$,$,$,$,$,$,$);
#8=IFCRELDEFINESBYTYPE('g',$,$,$,(#4),#7);
#9=IFCSYSTEM('g',$,'В1',$,$);
#10=IFCRELASSIGNSTOGROUP('g',$,$,$,(#4),$,#9);
#11=IFCBUILDINGSTOREY('g',$,'1',$,$,$,$,$,$,0.);
#12=IFCRELCONTAINEDINSPATIALSTRUCTURE('g',$,$,$,(#1,#99),#11);
#13=IFCSLAB('g',$,'Щит:2',$,$,$,$,$,.BASESLAB.);
";
    let found = all_rows(data);
    for row in [
        "Помещение | 101 Кухня |  |  | 1",
        "Воздуховод | В-1 | Круглый |  | 1",
        "Плита (фундаментная плита) | Щит:2 |  |  | 1",
        "Зона | Квартира 12, 3-комнатная | 101 Кухня",
        "Система | В1 | Воздуховод – 1",
    ] {
        assert!(found.iter().any(|other| other == row), "{row} in {found:#?}");
    }
    assert!(!found.iter().any(|row| row.contains("порт") || row.starts_with(" |")), "{found:#?}");
}

#[test]
fn storeys_of_several_buildings_are_told_apart() {
    let data = "
#1=IFCBUILDING('g',$,'А',$,$,$,$,$,$,$,$,$);
#2=IFCBUILDING('g',$,'Б',$,$,$,$,$,$,$,$,$);
#3=IFCBUILDINGSTOREY('g',$,'2',$,$,$,$,$,$,$);
#4=IFCBUILDINGSTOREY('g',$,'1',$,$,$,$,$,$,0.);
#5=IFCBUILDINGSTOREY('g',$,'1',$,$,$,$,$,$,0.);
#6=IFCRELAGGREGATES('g',$,$,$,#1,(#3,#4));
#7=IFCRELAGGREGATES('g',$,$,$,#2,(#5));
";
    assert_eq!(
        rows(&pages(data)[0], 0)[1..],
        ["Здание: А. 1 | 0", "Здание: А. 2 | ", "Здание: Б. 1 | 0"]
    );
}

#[test]
fn a_large_storey_goes_on_on_further_pages() {
    let mut data = "#1=IFCBUILDINGSTOREY('g',$,'1',$,$,$,$,$,$,$);\n".to_owned();
    let long = "длинное имя ".repeat(40);
    for wall in 0..9000 {
        let id = 10 + wall;
        data.push_str(&format!("#{id}=IFCWALL('g',$,'{wall} {long}',$,$,$,$,$,$);\n"));
    }
    let elements: Vec<String> = (0..9000).map(|wall| format!("#{}", 10 + wall)).collect();
    let elements = elements.join(",");
    data.push_str(&format!("#2=IFCRELCONTAINEDINSPATIALSTRUCTURE('g',$,$,$,({elements}),#1);\n"));
    let pages = pages(&data);
    let names: Vec<_> = pages.iter().filter_map(|page| page.name.as_deref()).collect();
    assert_eq!(names, ["Модель", "Этаж: 1", "Этаж: 1, продолжение"]);
    let count =
        |page: &Page| (0..20).map(|table| rows(page, table).len().saturating_sub(1)).sum::<usize>();
    assert_eq!(pages.iter().map(count).sum::<usize>(), 9000 + 1, "every wall, and the storey");
}

#[test]
fn materials_that_multiply_and_endless_names_cost_little() {
    let (many, long) = (["#1"; 60].join(","), "и".repeat(100_000));
    let data = format!(
        "#1=IFCMATERIALLIST(({many}));\n#2=IFCWALL('g',$,'{long}',$,$,$,$,$,$);\n\
         #3=IFCRELASSOCIATESMATERIAL('g',$,$,$,(#2),#1);\n"
    );
    assert!(all_rows(&data).iter().all(|row| row.len() < 2000));
}

#[test]
fn a_value_of_some_is_not_told_of_all() {
    let data = "
#1=IFCPROPERTYSINGLEVALUE('Марка',$,IFCLABEL('В25'),$);
#2=IFCPROPERTYSET('g',$,'П',$,(#1));
#3=IFCWALL('g',$,'С-1',$,'Т',$,$,$,$);
#4=IFCWALL('g',$,'С-2',$,'Т',$,$,$,$);
#5=IFCWALL('g',$,'С-2',$,'Т',$,$,$,$);
#6=IFCRELDEFINESBYPROPERTIES('g',$,$,$,(#3,#4),#2);
";
    assert_eq!(
        all_rows(data)[4..],
        ["Стена | С-1 | Т | П | Марка | В25", "Стена | С-2 | Т | П | Марка | В25 (у 1 из 2 шт.)"]
    );
}

#[test]
fn a_whole_and_its_parts_are_summed_once() {
    let data = "
#1=IFCQUANTITYVOLUME('NetVolume',$,$,10.,$);
#2=IFCQUANTITYVOLUME('NetVolume',$,$,5.,$);
#3=IFCELEMENTQUANTITY('g',$,'К',$,$,(#1));
#4=IFCELEMENTQUANTITY('g',$,'К',$,$,(#2));
#5=IFCWALL('g',$,'С',$,$,$,$,$,$);
#6=IFCWALL('g',$,'С',$,$,$,$,$,$);
#7=IFCWALL('g',$,'С',$,$,$,$,$,$);
#8=IFCRELAGGREGATES('g',$,$,$,#5,(#6,#7));
#9=IFCRELDEFINESBYPROPERTIES('g',$,$,$,(#5),#3);
#10=IFCRELDEFINESBYPROPERTIES('g',$,$,$,(#6,#7),#4);
#11=IFCWALL('g',$,'С',$,$,$,$,$,$);
#12=IFCRELDEFINESBYPROPERTIES('g',$,$,$,(#11),#3);
";
    let found = all_rows(data);
    let volume = "Стена | С |  | К | NetVolume (объём нетто) | от 5 до 10, всего 20 (2 шт.)";
    assert_eq!(found.last().map(String::as_str), Some(volume));
}

#[test]
fn parts_of_parts_and_rooms_told_by_containment_have_their_storey() {
    let data = "
#1=IFCBUILDINGSTOREY('g',$,'1',$,$,$,$,$,$,0.);
#2=IFCSPACE('g',$,'201',$,$,$,$,'Кабинет',$,$,$);
#3=IFCUNHEARDOF('g',$,'А',$,$,$,$,$);
#4=IFCUNHEARDOF('g',$,'Б',$,$,$,$,$);
#5=IFCUNHEARDOF('g',$,'В',$,$,$,$,$);
#6=IFCRELAGGREGATES('g',$,$,$,#4,(#5));
#7=IFCRELAGGREGATES('g',$,$,$,#3,(#4));
#8=IFCRELCONTAINEDINSPATIALSTRUCTURE('g',$,$,$,(#2,#3),#1);
#9=IFCDOOR('g',$,'Д',$,$,$,$,$,$,$);
#10=IFCOPENINGELEMENT('g',$,$,$,$,$,$,$);
#11=IFCRELVOIDSELEMENT('g',$,$,$,#3,#10);
#12=IFCRELFILLSELEMENT('g',$,$,$,#10,#9);
";
    let pages = pages(data);
    assert_eq!(pages.len(), 2, "nothing stands outside");
    assert_eq!(rows(&pages[1], 0).len(), 1 + 5);
}
