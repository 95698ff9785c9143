//! The element names of the state estimate schemas, in the words of the printed forms.

/// The Russian label of an element, when it is known.
pub(super) fn label(name: &str) -> Option<&'static str> {
    Some(match name {
        "Num" => "№ п.п.",
        "Code" | "Justification" | "Basis" | "Reason" => "Обоснование",
        "Type" => "Вид",
        "Name" => "Наименование",
        "Unit" | "QuantityUnit" | "Measure" | "MeasureUnit" => "Ед. изм.",
        "Quantity" | "Volume" => "Количество",
        "QuantityFormula" | "Formula" => "Формула расчета",
        "PricePerUnit" | "PerUnit" => "Стоимость единицы",
        "Price" => "Цена",
        "Building" => "Строительные работы",
        "Mounting" => "Монтажные работы",
        "Equipment" => "Оборудование",
        "Other" => "Прочие затраты",
        "Total" | "Cost" | "Sum" => "Всего",
        "WorkersSalary" => "ОТ",
        "MachinistSalary" => "в том числе ОТм",
        "Salary" => "ФОТ",
        "Machines" => "ЭМ",
        "Materials" => "М",
        "Overhead" => "НР",
        "Profit" => "СП",
        "Direct" => "Прямые затраты",
        "LaborCosts" => "Затраты труда рабочих",
        "MachinistLaborCosts" => "Затраты труда машинистов",
        "TotalLaborCosts" => "Затраты труда, всего",
        "Transport" | "TransportTotal" => "Перевозка",
        "Links" | "Link" => "Ссылка",
        "Comment" | "Note" => "Примечание",
        "ConstructionSite" => "Наименование стройки",
        "ObjectName" => "Наименование объекта",
        "Region" => "Регион",
        "AccessLevel" => "Уровень доступа",
        "Created" => "Дата составления",
        "Approved" => "Дата утверждения",
        "Composer" => "Составил",
        "Verifier" => "Проверил",
        "Chief" => "Начальник отдела",
        "ChiefProjectEngineer" => "Главный инженер проекта",
        "Customer" => "Заказчик",
        _ => return None,
    })
}

/// The title of a document and the letters before its number, by the name of its schema or the
/// type that it states.
pub(super) fn document(schema: &str, stated: &str) -> (String, &'static str) {
    let schema = schema.to_lowercase();
    let stated_upper = stated.to_uppercase();
    let (title, letters) = if schema.contains("objectestimate") || stated_upper == "ОСР" {
        ("ОБЪЕКТНЫЙ СМЕТНЫЙ РАСЧЕТ (СМЕТА)", "ОС-")
    } else if schema.contains("localestimate") || stated_upper == "ЛСР" {
        ("ЛОКАЛЬНЫЙ СМЕТНЫЙ РАСЧЕТ (СМЕТА)", "ЛС-")
    } else if schema.contains("summary") || stated_upper == "ССР" || stated_upper == "ССРСС"
    {
        ("СВОДНЫЙ СМЕТНЫЙ РАСЧЕТ СТОИМОСТИ СТРОИТЕЛЬСТВА", "ССРСС-")
    } else if schema.contains("quantitytakeoff") {
        ("ВЕДОМОСТЬ ОБЪЕМОВ РАБОТ", "")
    } else if stated.is_empty() {
        ("СМЕТНАЯ ДОКУМЕНТАЦИЯ", "")
    } else {
        return (stated.to_uppercase(), "");
    };
    (title.to_owned(), letters)
}
