//! `roadstead demo`: everything on one machine.

use std::process::Command;

use serde_json::Value;

use crate::api::{Api, word};
use crate::program::{Place, Program, run};

#[test]
fn the_smoke_test_passes() {
    let smoke = run(&["demo", "--smoke", "--time-scale", "50"], &[]).ok();
    assert!(
        smoke.out.lines().any(|it| it == "smoke: passed"),
        "{}",
        smoke.out
    );
    for step in ["create", "running", "reboot", "shutdown", "boot", "delete"] {
        assert!(smoke.out.contains(step), "no `{step}` in {}", smoke.out);
    }
}

struct Demo {
    program: Program,
    address: String,
    operator: (String, String),
    member: (String, String),
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        let fixed = ["demo", "--listen", "127.0.0.1:0", "--time-scale", "50"];
        let mut program = Program::start(&[&fixed[..], arguments].concat(), &[]);
        program.line("Ctrl-C");
        let up = program.line("Roadstead is up at ");
        let at = up.find("http://").unwrap();
        let address = up[at..].split([',', ' ']).next().unwrap().to_owned();
        let login = |program: &mut Program, who: &str| {
            let line = program.line(&format!("  {who} "));
            let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
            (words[1].clone(), words[2].clone())
        };
        let operator = login(&mut program, "operator");
        let member = login(&mut program, "member");
        Self {
            program,
            address,
            operator,
            member,
        }
    }

    async fn member(&self) -> Api {
        Api::login(&self.address, &self.member.0, &self.member.1).await
    }
}

#[tokio::test]
async fn both_logins_work_and_the_printed_lines_make_a_server() {
    let demo = Demo::start(&[]);
    let operator = Api::login(&demo.address, &demo.operator.0, &demo.operator.1).await;
    let accounts = operator.get("/api/admin/providers").await;
    assert!(!accounts["providers"].as_array().unwrap().is_empty());
    let member = demo.member().await;

    let printed = demo.program.out();
    let lines = printed.lines().map(str::trim);
    let lines: Vec<_> = lines.filter(|it| it.contains("curl -s")).collect();
    assert_eq!(lines.len(), 3, "{printed}");
    let answers = if has_curl() {
        by_hand(&lines)
    } else {
        // What the lines say, without the program that says it.
        let body = lines[1]
            .split(" -d '")
            .nth(1)
            .unwrap()
            .trim_end_matches('\'');
        let created = member
            .post("/api/vps", serde_json::from_str(body).unwrap())
            .await;
        vec![created, member.get("/api/vps").await]
    };
    assert_eq!(answers[0]["success"], Value::Bool(true), "{answers:?}");
    let id = word(&answers[0], "/instance/id");
    assert_eq!(word(&answers[1], "/instances/0/id"), id);
    member.until(&id, "running").await;
    let ended = demo.program.stop().ok();
    assert!(!ended.err.contains("actix"), "{}", ended.err);
}

fn has_curl() -> bool {
    Command::new("curl")
        .arg("--version")
        .output()
        .is_ok_and(|it| it.status.success())
}

/// Runs the printed lines in one shell, as a reader would, and returns what they print.
fn by_hand(lines: &[&str]) -> Vec<Value> {
    // One answer to a line; the first only sets a variable.
    let script = format!("{}\n{}\necho\n{}\n", lines[0], lines[1], lines[2]);
    let done = Command::new("sh").args(["-c", &script]).output().unwrap();
    let out = String::from_utf8(done.stdout).unwrap();
    let err = String::from_utf8_lossy(&done.stderr).into_owned();
    let answers = out.lines().filter(|it| !it.is_empty());
    let answers: Vec<_> = answers
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    assert_eq!(answers.len(), 2, "{out} {err}");
    answers
}

#[tokio::test]
async fn each_provider_has_plans_on_sale_that_a_member_can_buy() {
    let demo = Demo::start(&[]);
    let member = demo.member().await;
    let providers = member.get("/api/vps/providers").await;
    for provider in providers["providers"].as_array().unwrap() {
        let kind = word(provider, "/type");
        let wanted = crate::simulators::wanted(&kind, &word(provider, "/id"), "bought");
        let path = format!("/api/vps/plans?provider_type={kind}&limit=200");
        let plans = member.get(&path).await;
        let plans = plans["plans"].as_array().unwrap();
        assert!(plans.len() > 5, "{kind}: {}", plans.len());
        let plan = plans.iter().find(|it| it["type"] == wanted["type"]);
        let plan = plan.unwrap();
        assert_eq!(plan["markup"]["percent"], "20");
        let mut request = wanted;
        request.as_object_mut().unwrap().remove("type");
        request.as_object_mut().unwrap().remove("provider_id");
        request["plan_id"] = plan["id"].clone();
        let created = member.post("/api/vps", request).await;
        assert_eq!(created["instance"]["price"], plan["price"], "{created}");
        member
            .until(&word(&created, "/instance/id"), "running")
            .await;
    }
    demo.program.stop().ok();
}

#[tokio::test]
async fn a_kept_demonstration_is_there_again_and_with_fresh_passwords() {
    let place = Place::new();
    let folder = place.path("kept").display().to_string();
    let first = Demo::start(&["--data", &folder]);
    let id = {
        let api = first.member().await;
        let providers = api.get("/api/vps/providers").await;
        let kind = word(&providers, "/providers/0/type");
        let provider = word(&providers, "/providers/0/id");
        let request = crate::simulators::wanted(&kind, &provider, "kept");
        let created = api.post("/api/vps", request).await;
        api.finished(&created).await;
        word(&created, "/instance/id")
    };
    let password = first.member.1.clone();
    first.program.stop().ok();
    let second = Demo::start(&["--data", &folder]);
    assert_ne!(second.member.1, password);
    let api = second.member().await;
    let shown = api.get(&format!("/api/vps/{id}")).await;
    assert_eq!(word(&shown, "/instance/label"), "kept");
    second.program.stop().ok();
}
