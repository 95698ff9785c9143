//! The main job on the samples: train, watch, search, train again, change, delete.

use crate::system::System;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("samples")
}

pub(crate) fn copy_samples<R>(system: &System<R>) {
    for entry in std::fs::read_dir(samples()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), system.documents().join(entry.file_name())).unwrap();
    }
}

/// Outcome and code by file name.
async fn outcomes(system: &System, job: &str) -> BTreeMap<String, (String, String)> {
    let rows = system.get(&format!("/jobs/{job}/documents?limit=1000")).await;
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    rows["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (text(row, "name"), (text(row, "outcome"), text(row, "code"))))
        .collect()
}

async fn answers(system: &System, question: &str) -> Vec<Value> {
    let answer = system.post("/search", json!({ "query": question, "k": 5 })).await;
    answer["results"].as_array().unwrap().clone()
}

#[tokio::test]
async fn samples_are_trained_found_trained_again_changed_and_removed() {
    let mut system = System::start().await;
    copy_samples(&system);
    system.worker();
    let job = system.train(json!({})).await;
    let view = system.ended(&job).await;
    assert_eq!(view["status"], "completed_with_errors", "{view}");

    let ended = outcomes(&system, &job).await;
    for (name, (outcome, code)) in &ended {
        if name == "Обрыв загрузки.pdf" {
            assert_eq!((outcome.as_str(), code.as_str()), ("failed", "damaged_file"));
        } else {
            assert!(outcome.starts_with("completed"), "{name}: {outcome} {code}");
        }
    }
    assert_eq!(ended.len(), 8);

    let events = system.events(&job).await;
    gapless_with_one_final(&events);
    every_stage_of_every_trained_document(&events, 7);

    let hits = answers(&system, "п. 5.2 СП 999.1325800").await;
    assert_eq!(hits[0]["address"], "5.2");
    assert!(
        hits[0]["citation"].as_str().unwrap().starts_with("СП 999.1325800.2026, п. 5.2"),
        "{}",
        hits[0]
    );
    let shown = system.cli(&["norm", "СП 999.1325800", "5.2"]);
    assert!(shown.contains("п. 5.2") && shown.contains("не ниже плюс 10"), "{shown}");
    let hits = answers(&system, "п. 4.1 ППР-01-2026").await;
    assert_eq!(hits[0]["citation"], "ППР-01-2026, п. 4.1");
    let hits = answers(&system, "Кто отвечает за безопасность при подъёме грузов краном?").await;
    assert!(hits[0]["text"].as_str().unwrap().contains("отвечает специалист"), "{}", hits[0]);

    // The same folder again: known answers only.
    let again = system.train(json!({})).await;
    system.ended(&again).await;
    for (name, (outcome, _)) in outcomes(&system, &again).await {
        let expected =
            if name == "Обрыв загрузки.pdf" { "failed" } else { "skipped_duplicate" };
        assert_eq!(outcome, expected, "{name}");
    }

    // A changed file replaces its version.
    let note = system.documents().join("Памятка.txt");
    std::fs::write(
        &note,
        "Памятка мастера\n\n1.1 Ключ от склада хранится у кладовщика Сидорова.\n",
    )
    .unwrap();
    let first = system.train(json!({})).await;
    system.ended(&first).await;
    assert!(
        answers(&system, "у кого ключ от склада").await[0]["text"]
            .as_str()
            .unwrap()
            .contains("Сидорова")
    );
    std::fs::write(&note, "Памятка мастера\n\n1.1 Ключ от склада хранится у сторожа Петрова.\n")
        .unwrap();
    let second = system.train(json!({})).await;
    system.ended(&second).await;
    let hits = answers(&system, "у кого ключ от склада").await;
    assert!(hits[0]["text"].as_str().unwrap().contains("Петрова"));
    assert!(hits.iter().all(|hit| !hit["text"].as_str().unwrap().contains("Сидорова")));

    // A removed document is nowhere.
    let document = hits[0]["document"]["id"].as_str().unwrap();
    let removed =
        system.http.delete(format!("{}/documents/{document}", system.url)).send().await.unwrap();
    assert!(removed.status().is_success());
    let left = answers(&system, "у кого ключ от склада").await;
    assert!(left.iter().all(|hit| hit["document"]["id"] != document), "{left:#?}");

    // Neither is what was recognised of a removed scan.
    let listed = system.get("/documents?limit=1000").await;
    let scan = listed["documents"].as_array().unwrap().iter();
    let scan = scan.clone().find(|row| row["name"] == "Акт 7 скрытые работы (скан).pdf").unwrap();
    let report = system.get(&format!("/documents/{}/report", scan["id"].as_str().unwrap())).await;
    assert_eq!(report["stages"].as_array().unwrap().len(), 14, "{report}");
    let recognised = system.data().join("ocr-cache").join(scan["sha256"].as_str().unwrap());
    assert!(recognised.is_dir());
    let id = scan["id"].as_str().unwrap();
    let removed = system.http.delete(format!("{}/documents/{id}", system.url)).send().await;
    assert!(removed.unwrap().status().is_success());
    assert!(!recognised.exists());
}

#[tokio::test]
async fn a_changed_archive_leaves_no_copies_of_its_old_entries() {
    let mut system = System::start().await;
    system.worker();
    let archive = system.documents().join("архив.zip");
    let copies = |system: &System| -> usize {
        let folder = system.data().join("blobs/archives");
        let jobs = std::fs::read_dir(folder).unwrap();
        jobs.map(|job| std::fs::read_dir(job.unwrap().path()).unwrap().count()).sum()
    };
    for keeper in ["Сидорова", "Петрова", "Петрова"] {
        let text = format!("Памятка мастера\n\n1.1 Ключ от склада хранится у {keeper}.\n");
        zip(&archive, "Памятка.txt", &text);
        let job = system.train(json!({})).await;
        system.ended(&job).await;
        assert_eq!(copies(&system), 1, "{keeper}");
    }
    let hits = answers(&system, "у кого ключ от склада").await;
    assert!(hits[0]["text"].as_str().unwrap().contains("Петрова"));
}

#[tokio::test]
async fn the_text_of_a_letter_and_its_attachment_become_documents() {
    let mut system = System::start().await;
    system.worker();
    let letter = "From: ivanov@example.org\r\nSubject: Перенос срока бетонирования\r\n\
        MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
        Бетонирование ростверка переносится на 14 декабря.\r\n\
        --b\r\nContent-Type: text/plain; charset=utf-8\r\n\
        Content-Disposition: attachment; filename=\"memo.txt\"\r\n\r\n\
        Памятка мастера\r\n\r\n1.1 Ключ от склада хранится у Сидоровой.\r\n--b--\r\n";
    std::fs::write(system.documents().join("письмо.eml"), letter).unwrap();
    let job = system.train(json!({})).await;
    system.ended(&job).await;
    let ended = outcomes(&system, &job).await;
    let names: Vec<&str> = ended.keys().map(String::as_str).collect();
    assert_eq!(names, ["memo.txt", "Перенос срока бетонирования.html"]);
    let hits = answers(&system, "на какой день перенесли бетонирование ростверка").await;
    assert!(hits[0]["text"].as_str().unwrap().contains("14 декабря"), "{hits:#?}");
    let hits = answers(&system, "у кого ключ от склада").await;
    assert!(hits[0]["text"].as_str().unwrap().contains("Сидоровой"), "{hits:#?}");
}

#[tokio::test]
async fn letters_within_letters_are_read_to_a_depth_whatever_is_included() {
    let mut system = System::start().await;
    system.worker();
    let mut letter = String::new();
    for level in (1..=5).rev() {
        let inner = match letter.as_str() {
            "" => String::new(),
            inner => format!("--b{level}\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n"),
        };
        letter = format!(
            "From: ivanov@example.org\r\nSubject: Level {level}\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n\
             --b{level}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
             Бетонирование захватки {level} переносится на {level} декабря.\r\n\
             {inner}--b{level}--\r\n"
        );
    }
    std::fs::write(system.documents().join("письмо.eml"), letter).unwrap();
    std::fs::write(system.documents().join("memo.txt"), "1.1 Памятка").unwrap();
    let job = system.train(json!({ "include": ["*.eml"] })).await;
    system.ended(&job).await;
    let ended = outcomes(&system, &job).await;
    let names: Vec<&str> = ended.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["Level 1.html", "Level 2.html", "Level 3.html", "Level 4.html", "письмо-1.eml"]
    );
    let refused = ("failed".to_owned(), "archive_limits".to_owned());
    assert_eq!(ended["письмо-1.eml"], refused);
}

/// Writes an archive with one entry that is not compressed.
fn zip(path: &Path, name: &str, text: &str) {
    use std::io::Write;
    let mut writer = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    writer.start_file(name, stored).unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap();
}

fn gapless_with_one_final(events: &[Value]) {
    for (position, event) in events.iter().enumerate() {
        assert_eq!(event["seq"], position + 1);
    }
    let finals: Vec<&Value> = events.iter().filter(|event| event["final"] == true).collect();
    assert_eq!(finals.len(), 1);
    assert_eq!(events.last().unwrap()["stage"], "complete");
}

fn every_stage_of_every_trained_document(events: &[Value], trained: usize) {
    let mut stages: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for event in events.iter().filter(|event| event["type"] == "stage") {
        let document = event["document"]["name"].as_str().unwrap();
        stages.entry(document).or_default().push(event["stage"].as_str().unwrap());
    }
    let all: Vec<String> = (1..=14).map(|number| format!("{number}/14")).collect();
    let complete = stages.values().filter(|seen| **seen == all).count();
    assert_eq!(complete, trained, "{stages:#?}");
}

#[tokio::test]
async fn a_too_large_file_and_an_empty_one_fail_with_their_codes() {
    let mut system = System::start().await;
    let large = std::fs::File::create(system.documents().join("Большой.pdf")).unwrap();
    large.set_len(200 * 1024 * 1024).unwrap();
    std::fs::write(system.documents().join("Пустой.pdf"), "").unwrap();
    system.worker();
    let job = system.train(json!({})).await;
    system.ended(&job).await;
    let ended = outcomes(&system, &job).await;
    assert_eq!(ended["Большой.pdf"], ("failed".to_owned(), "file_too_large".to_owned()));
    assert_eq!(ended["Пустой.pdf"], ("failed".to_owned(), "empty_file".to_owned()));
}
