//! A whole page around its body.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{error_summary, icon, nav, notice};
use crate::assets::{SCRIPT_URL, STYLE_URL};
use crate::cookie::Theme;
use crate::door::TellsDone;
use crate::form::Filled;
use crate::visitor::Visitor;

/// A page in the making.
#[derive(Debug)]
#[must_use]
pub(crate) struct Page<'a> {
    visitor: &'a Visitor,
    title: Cow<'a, str>,
    crumbs: Vec<(&'a str, &'a str)>,
    actions: Markup,
    above: Vec<Markup>,
    filled: Option<&'a Filled>,
    status: StatusCode,
}

impl<'a> Page<'a> {
    /// Begins a page whose title is its heading, too.
    pub(crate) fn new(visitor: &'a Visitor, title: impl Into<Cow<'a, str>>) -> Self {
        Self {
            visitor,
            title: title.into(),
            crumbs: Vec::new(),
            actions: PreEscaped(String::new()),
            above: Vec::new(),
            filled: None,
            status: StatusCode::OK,
        }
    }

    /// Adds a step of the way to it.
    pub(crate) fn crumb(mut self, href: &'a str, label: &'a str) -> Self {
        self.crumbs.push((href, label));
        self
    }

    /// Puts something beside the heading.
    pub(crate) fn actions(mut self, actions: Markup) -> Self {
        self.actions = actions;
        self
    }

    /// Puts something between the heading and the rest.
    pub(crate) fn above(mut self, above: Markup) -> Self {
        self.above.push(above);
        self
    }

    /// Says which form stands on it: if something is wrong with what was sent, the page says so
    /// first.
    pub(crate) fn form(mut self, filled: &'a Filled) -> Self {
        if !filled.mistakes.is_empty() {
            self.status = StatusCode::UNPROCESSABLE_ENTITY;
        }
        self.filled = Some(filled);
        self
    }

    /// Answers with another status.
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Finishes it.
    pub(crate) fn body(self, body: Markup) -> HttpResponse {
        let status = self.status;
        let tells = self.visitor.done.is_some();
        let page = self.markup(&body);
        let mut response = HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .body(page.into_string());
        if tells {
            response.extensions_mut().insert(TellsDone);
        }
        response
    }

    fn markup(self, body: &Markup) -> Markup {
        let visitor = self.visitor;
        let mistakes = self
            .filled
            .map(|it| &it.mistakes)
            .filter(|it| !it.is_empty());
        let theme = match visitor.preferences.theme {
            Theme::Auto => None,
            theme @ (Theme::Light | Theme::Dark) => Some(theme.as_str()),
        };
        html! {
            (DOCTYPE)
            html lang="en" data-theme=[theme] {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { @if mistakes.is_some() { "Error: " } (self.title) " · Roadstead" }
                    link rel="icon" href=(PreEscaped(icon::FAVICON));
                    link rel="stylesheet" href=(*STYLE_URL);
                    script type="module" src=(*SCRIPT_URL) {}
                }
                body {
                    a.skip href="#main" { "Skip to content" }
                    (nav::head(visitor))
                    main id="main" tabindex="-1" {
                        @if let Some(mistakes) = mistakes { (error_summary(mistakes, &body.0)) }
                        div.head {
                            div {
                                @if !self.crumbs.is_empty() {
                                    nav.crumbs aria-label="Breadcrumb" {
                                        @for (href, label) in &self.crumbs {
                                            a href=(href) { (label) } span aria-hidden="true" { "/" }
                                        }
                                    }
                                }
                                h1 { (self.title) }
                            }
                            div.buttons { (self.actions) }
                        }
                        @if let Some(done) = visitor.done {
                            div role="status" { (notice(done.tone(), done.sentence(), html! {})) }
                        }
                        @for above in &self.above { (above) }
                        (body)
                    }
                    footer {
                        span { "Roadstead " (env!("CARGO_PKG_VERSION")) }
                        a href="/docs" { "API reference" }
                    }
                    p.paused id="paused" role="status" {}
                }
            }
        }
    }
}
