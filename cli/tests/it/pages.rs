//! What was read, as a person looks at it: in words and as pictures.

use crate::system::System;
use serde_json::json;
use std::path::Path;

#[tokio::test]
async fn what_was_read_is_told_and_shown_page_by_page() {
    let mut system = System::start().await;
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("samples");
    let [norm, scan, estimate] = [
        "СП 999.1325800.2026 Бетонные работы зимой.pdf",
        "Акт 7 скрытые работы (скан).pdf",
        "Смета 02-01-01 Фундаментная плита.xlsx",
    ];
    for name in [norm, scan, estimate] {
        std::fs::copy(samples.join(name), system.documents().join(name)).unwrap();
    }
    system.worker();
    let job = system.train(json!({})).await;
    system.ended(&job).await;
    let listed = system.get("/documents?limit=1000").await;
    let id = |name: &str| {
        let found = listed["documents"].as_array().unwrap().iter().find(|row| row["name"] == name);
        found.unwrap_or_else(|| panic!("{name}: {listed}"))["id"].as_str().unwrap().to_owned()
    };

    let told = system.cli(&["docs", "show", &id(norm), "--pages"]);
    for expected in ["— страница 1 —", "прочитано: текст файла\n", "заголовок", "п. 5.2 ", "──┼──"]
    {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    let second = system.cli(&["docs", "show", &id(norm), "--page", "2"]);
    assert!(second.starts_with("— страница 2 —") && told.contains(second.trim_end()), "{second}");
    let told = system.cli(&["docs", "show", &id(scan), "--pages"]);
    let recognised = "прочитано: распознаванием (страница — изображение, уверенность ";
    assert!(told.contains(recognised), "{told}");
    let told = system.cli(&["docs", "show", &id(estimate), "--pages"]);
    assert!(told.starts_with("— лист 1 «") && told.contains(" │ "), "{told}");

    for name in [norm, scan] {
        let page = system.get(&format!("/documents/{}/pages/1", id(name))).await;
        let size = page["size"].as_array().unwrap();
        let (width, height) = (size[0].as_f64().unwrap(), size[1].as_f64().unwrap());
        let blocks = page["blocks"].as_array().unwrap();
        assert!(blocks.len() > 3, "{page}");
        for block in blocks {
            let bounds: Vec<f64> = block["bounds"][0]
                .as_array()
                .unwrap_or_else(|| panic!("no place: {block}"))
                .iter()
                .map(|value| value.as_f64().unwrap())
                .collect();
            assert!(bounds[0] < bounds[2] && bounds[1] < bounds[3], "{block}");
            assert!(bounds[2] <= width + 2.0 && bounds[3] <= height + 2.0, "{block}");
        }
        let address = format!("{}/documents/{}/pages/1.png", system.url, id(name));
        let answer = system.http.get(address).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.bytes().await.unwrap().starts_with(b"\x89PNG"));
    }
}
