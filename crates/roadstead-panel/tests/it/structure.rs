//! What is true of every page, tried on every page.

use std::collections::HashSet;

use roadstead_panel::{Kind, Who, entries};

use crate::app::TestApp;
use crate::judge;
use crate::people::{Loner, Member, Person, Viewer};
use crate::visits::{self, World};

#[tokio::test]
async fn every_route_is_visited_and_every_page_is_well_made() {
    let world = World::make().await;
    let visits = visits::all(&world);
    let visited: HashSet<_> = visits.iter().map(|it| (it.kind, it.route)).collect();
    for entry in entries() {
        assert!(
            visited.contains(&(entry.kind, entry.path)),
            "no visit to {entry:?}: add one to tests/it/visits"
        );
    }
    for visit in &visits {
        let listed = entries();
        let listed = listed
            .iter()
            .any(|it| (it.kind, it.path) == (visit.kind, visit.route));
        assert!(listed, "{} is no route any more", visit.name());
        let reply = visit.make(&world.app).await;
        assert_eq!(
            reply.status.as_u16(),
            visit.status,
            "{}: {}",
            visit.name(),
            reply.text
        );
        match (visit.kind, visit.status) {
            (_, 303) => assert!(
                reply.header("location").starts_with('/'),
                "{}",
                visit.name()
            ),
            (Kind::Page | Kind::Action, _) => judge::page(&reply, &visit.name()),
            (Kind::Fragment, _) => judge::fragment(&reply, &visit.name()),
            (Kind::File, _) => {
                let disposition = reply.header("content-disposition");
                assert!(disposition.starts_with("attachment"), "{}", visit.name());
            }
        }
    }
}

#[tokio::test]
async fn pages_that_fail_are_well_made_too() {
    let world = World::make().await;
    for (path, person, status) in [
        ("/nowhere", None, 404),
        ("/nowhere", Some(Member), 404),
        ("/assets/0000000000000000/panel.css", None, 404),
        ("/setup/provider", Some(Member), 403),
        ("/", Some(Loner), 403),
        ("/?label=%00", Some(Member), 400),
    ] {
        let reply = world.app.get(path).by(person).await.expect(status);
        judge::page(&reply, path);
        assert!(
            reply.text.contains(reply.header("x-request-id")),
            "{}",
            reply.text
        );
    }
}

#[tokio::test]
async fn whoever_may_not_is_not_let_in() {
    let world = World::make().await;
    for visit in visits::all(&world) {
        let entries = entries();
        let entry = entries
            .iter()
            .find(|it| (it.kind, it.path) == (visit.kind, visit.route))
            .unwrap();
        let app = &world.app;
        if entry.who != Who::Anyone {
            let reply = again(app, &visit, None).await;
            assert_eq!(reply.status.as_u16(), 303, "{}", visit.name());
            let login = reply.header("location");
            assert!(
                login == "/login" || login.starts_with("/login?next="),
                "{login}"
            );
        }
        let refused: &[Person] = match entry.who {
            Who::Anyone | Who::User => &[],
            Who::Viewer => &[Loner],
            Who::Member => &[Loner, Viewer],
            Who::Operator => &[Loner, Viewer, Member],
        };
        for person in refused {
            let reply = again(app, &visit, Some(*person)).await;
            assert_eq!(reply.status.as_u16(), 403, "{} by {person:?}", visit.name());
        }
    }
}

async fn again(
    app: &TestApp,
    visit: &visits::Visit,
    person: Option<Person>,
) -> crate::reply::Reply {
    let visit = visits::Visit {
        kind: visit.kind,
        route: visit.route,
        url: visit.url.clone(),
        person,
        fields: visit.fields.clone(),
        status: 0,
    };
    visit.make(app).await
}
