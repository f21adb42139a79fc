//! What is asked of the panel, and what it answers.

use std::future::IntoFuture;
use std::pin::Pin;

use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Method, RequestBuilder, StatusCode};
use scraper::{Html, Selector};

use crate::app::TestApp;
use crate::people::Person;

/// A request under construction; `.await` sends it.
pub(crate) struct Ask<'a> {
    app: &'a TestApp,
    person: Option<Person>,
    cookies: Vec<String>,
    request: RequestBuilder,
}

impl<'a> Ask<'a> {
    pub(crate) fn new(app: &'a TestApp, method: Method, path: &str) -> Self {
        let url = format!("http://{}{path}", app.address);
        Self {
            app,
            person: None,
            cookies: Vec::new(),
            request: app.client.request(method, url),
        }
    }

    pub(crate) fn by(mut self, person: impl Into<Option<Person>>) -> Self {
        self.person = person.into();
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn cookie(mut self, name: &str, value: &str) -> Self {
        self.cookies.push(format!("{name}={value}"));
        self
    }

    pub(crate) fn form(mut self, fields: &[(&str, &str)]) -> Self {
        self.request = self.request.form(fields);
        self
    }

    pub(crate) fn body(mut self, body: Vec<u8>) -> Self {
        self.request = self.request.body(body);
        self
    }
}

impl<'a> IntoFuture for Ask<'a> {
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply> + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut cookies = self.cookies;
            if let Some(person) = self.person {
                let token = self.app.token(person).await;
                cookies.push(format!("roadstead_session={token}"));
            }
            let request = match cookies.as_slice() {
                [] => self.request,
                cookies => self.request.header(COOKIE, cookies.join("; ")),
            };
            let response = request.send().await.unwrap();
            let (status, headers) = (response.status(), response.headers().clone());
            let bytes = response.bytes().await.unwrap().to_vec();
            Reply {
                status,
                headers,
                text: String::from_utf8_lossy(&bytes).into_owned(),
                bytes,
            }
        })
    }
}

/// What the panel has answered.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) bytes: Vec<u8>,
}

impl Reply {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// Asserts that it leads to another page.
    #[track_caller]
    pub(crate) fn leads_to(self, path: &str) -> Self {
        let reply = self.expect(303);
        assert_eq!(reply.header(LOCATION.as_str()), path);
        reply
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |it| it.to_str().unwrap())
    }

    /// Returns the cookie that it sets, with all that is said of it.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let set = self.headers.get_all(SET_COOKIE).iter();
        set.map(|it| it.to_str().unwrap().to_owned())
            .find(|it| it.starts_with(&format!("{name}=")))
    }

    /// Returns the value of the cookie that it sets.
    pub(crate) fn cookie_value(&self, name: &str) -> String {
        let cookie = self.cookie(name).unwrap();
        let value = cookie.split(';').next().unwrap().split_once('=').unwrap().1;
        value.to_owned()
    }

    pub(crate) fn html(&self) -> Html {
        Html::parse_document(&self.text)
    }

    /// Returns the text of every element that a selector finds, its spaces made one.
    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        let selector = Selector::parse(selector).unwrap();
        self.html().select(&selector).map(text).collect()
    }

    /// Returns an attribute of every element that a selector finds.
    pub(crate) fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let selector = Selector::parse(selector).unwrap();
        let html = self.html();
        let found = html.select(&selector);
        found
            .filter_map(|it| it.attr(name).map(str::to_owned))
            .collect()
    }

    /// Asserts that something is wrong with a field, and says what.
    #[track_caller]
    pub(crate) fn mistake(&self, field: &str) -> String {
        assert_eq!(self.status.as_u16(), 422, "{}", self.text);
        let said = self.texts(&format!("[id='field-{field}-error']"));
        assert_eq!(
            said.len(),
            1,
            "nothing wrong with `{field}` in {}",
            self.text
        );
        said[0].clone()
    }
}

/// Returns the text of an element, its spaces made one. What stands in an element of its own is a
/// word of its own.
pub(crate) fn text(element: scraper::ElementRef<'_>) -> String {
    let words = element.text().flat_map(str::split_whitespace);
    words.collect::<Vec<_>>().join(" ")
}
