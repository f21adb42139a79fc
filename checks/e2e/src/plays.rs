//! What is played.

mod cut;
mod double;
mod fields;
mod hostile;
mod journey;
mod life;
mod looks;
mod setup;
mod weight;

use anyhow::Result;
use futures::future::LocalBoxFuture;

use crate::stage::Stage;

/// One play.
#[derive(Clone, Copy)]
pub(crate) struct Play {
    /// Its name.
    pub(crate) name: &'static str,
    /// Plays it.
    pub(crate) run: for<'a> fn(&'a Stage) -> LocalBoxFuture<'a, Result<()>>,
}

/// All plays, in the order in which they are played.
pub(crate) const PLAYS: &[Play] = &[
    play("first load: weight and speed", |it| {
        Box::pin(weight::first_load(it))
    }),
    play("set up: from the code to the first account", |it| {
        Box::pin(setup::first_run(it))
    }),
    play("create by keyboard, DigitalOcean", |it| {
        Box::pin(journey::with_scripts(it, "DigitalOcean"))
    }),
    play("create by keyboard, Linode", |it| {
        Box::pin(journey::with_scripts(it, "Linode"))
    }),
    play("create by keyboard without scripts, DigitalOcean", |it| {
        Box::pin(journey::without_scripts(it, "DigitalOcean"))
    }),
    play("create by keyboard without scripts, Linode", |it| {
        Box::pin(journey::without_scripts(it, "Linode"))
    }),
    play("resize and delete, DigitalOcean", |it| {
        Box::pin(life::whole(it, "DigitalOcean"))
    }),
    play("resize and delete, Linode", |it| {
        Box::pin(life::whole(it, "Linode"))
    }),
    play("several servers at once", |it| Box::pin(life::several(it))),
    play(
        "fields: what a provider refuses stands beside its field",
        |it| Box::pin(fields::refused(it)),
    ),
    play("double submit: one server", |it| {
        Box::pin(double::with_scripts(it))
    }),
    play("double submit without scripts: one server", |it| {
        Box::pin(double::without_scripts(it))
    }),
    play("network cut: a notice, gone on recovery", |it| {
        Box::pin(cut::noticed(it))
    }),
    play("hostile: no text of anybody runs", |it| {
        Box::pin(hostile::scripts(it))
    }),
    play("hostile: a form of another origin is refused", |it| {
        Box::pin(hostile::other_origin(it))
    }),
    play("looks: nobody logged in", |it| Box::pin(looks::anybody(it))),
    play("looks: a member", |it| Box::pin(looks::member(it))),
    play("looks: an operator", |it| Box::pin(looks::operator(it))),
];

const fn play(
    name: &'static str,
    run: for<'a> fn(&'a Stage) -> LocalBoxFuture<'a, Result<()>>,
) -> Play {
    Play { name, run }
}
