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
    let wall = "Стена | Базовая стена:НС-1";
    assert_eq!(
        rows(&pages[2], 1)[1..],
        [
            format!("{wall} | Pset_WallCommon | FireRating (предел огнестойкости) | REI '60'"),
            format!("{wall} | Pset_WallCommon | Height (высота) | от 2700 мм до 3300 мм"),
            format!("{wall} | Pset_WallCommon | IsExternal (наружный) | да"),
            // The file declares no unit of volume.
            format!("{wall} | Pset_WallCommon | Reserve | 1.5"),
            format!("{wall} | Qto | NetArea (площадь нетто) | 12.25 м²; 9 м²"),
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
    assert_eq!(pages(data).len(), 3);
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
}
