//! What is true of every page, whatever it shows.

use std::collections::HashSet;

use scraper::{ElementRef, Html, Selector};

use crate::reply::{Reply, text};

/// Names that say nothing to who hears only them.
const SAYS_NOTHING: [&str; 6] = [
    "view details",
    "details",
    "click here",
    "here",
    "more",
    "link",
];

/// Judges a whole page.
#[track_caller]
pub(crate) fn page(reply: &Reply, what: &str) {
    let html = reply.html();
    let mut faults = Faults::new(&html);
    faults.frame();
    faults.content();
    faults.done(what, &reply.text);
}

/// Judges a part of a page.
#[track_caller]
pub(crate) fn fragment(reply: &Reply, what: &str) {
    let html = Html::parse_fragment(&reply.text);
    let mut faults = Faults::new(&html);
    faults.scripts(0);
    faults.names();
    faults.unique_ids();
    faults.done(what, &reply.text);
}

struct Faults<'a> {
    html: &'a Html,
    found: Vec<String>,
}

impl<'a> Faults<'a> {
    fn new(html: &'a Html) -> Self {
        Self {
            html,
            found: Vec::new(),
        }
    }

    fn all(&self, selector: &str) -> Vec<ElementRef<'a>> {
        self.html
            .select(&Selector::parse(selector).unwrap())
            .collect()
    }

    fn add(&mut self, fault: impl Into<String>) {
        self.found.push(fault.into());
    }

    #[track_caller]
    fn done(self, what: &str, text: &str) {
        assert!(
            self.found.is_empty(),
            "{what}:\n  {}\n{text}",
            self.found.join("\n  ")
        );
    }

    fn frame(&mut self) {
        for (selector, count) in [
            ("html[lang=en]", 1),
            ("head > title", 1),
            ("h1", 1),
            ("main", 1),
            ("body > header", 1),
            ("body > footer", 1),
            ("head > meta[name=viewport]", 1),
            ("body > a.skip:first-child[href='#main']", 1),
        ] {
            let found = self.all(selector).len();
            if found != count {
                self.add(format!("{found} of `{selector}`"));
            }
        }
        let title = self.all("head > title").first().map(|it| text(*it));
        let title = title.unwrap_or_default();
        let heading = self.all("h1").first().map(|it| text(*it));
        let heading = heading.unwrap_or_default();
        let expected = format!("{heading} · Roadstead");
        let wrong = !self.all(".errors").is_empty();
        let said = title.strip_prefix("Error: ");
        if wrong != said.is_some() || said.unwrap_or(&title) != expected || heading.is_empty() {
            self.add(format!("the title is `{title}`, the heading `{heading}`"));
        }
        if wrong && self.all("main > .errors:first-child[autofocus]").len() != 1 {
            self.add("what is wrong has not the focus");
        }
        self.scripts(1);
    }

    fn content(&mut self) {
        self.names();
        self.unique_ids();
        self.references();
        self.labels();
        self.headings();
        self.forms();
        self.tables();
    }

    /// Nothing runs, looks or leads anywhere but as the policy lets it.
    fn scripts(&mut self, count: usize) {
        let scripts = self.all("script");
        let ours = self.all("script[type=module][src^='/assets/']").len();
        if scripts.len() != count || ours != count {
            self.add(format!("{} scripts, {ours} of them ours", scripts.len()));
        }
        for element in self.all("*") {
            let name = element.value().name();
            if matches!(
                name,
                "style" | "iframe" | "object" | "embed" | "base" | "xss-probe"
            ) {
                self.add(format!("there is a `{name}`"));
            }
            for (attribute, value) in element.value().attrs() {
                let leads = matches!(
                    attribute,
                    "href" | "src" | "action" | "data-src" | "formaction"
                );
                let here = value.starts_with('#')
                    || (value.starts_with('/') && !value.starts_with("//"))
                    || (name == "link" && value.starts_with("data:image/svg+xml,"));
                let away = leads && !here;
                if attribute == "style" || attribute.starts_with("on") || away {
                    self.add(format!("`{name}` has {attribute}=`{value}`"));
                }
            }
        }
    }

    fn names(&mut self) {
        for element in self.all("a, button, summary") {
            let name = element
                .attr("aria-label")
                .map_or_else(|| text(element), str::to_owned);
            let shown = text(element);
            if name.is_empty() || SAYS_NOTHING.contains(&name.to_lowercase().as_str()) {
                self.add(format!("`{}` says nothing", element.html()));
            }
            if !name.contains(&shown) {
                self.add(format!("`{name}` does not contain `{shown}`"));
            }
        }
    }

    fn unique_ids(&mut self) {
        let mut seen = HashSet::new();
        for element in self.all("[id]") {
            let id = element.attr("id").unwrap();
            if id.is_empty() || id.contains(char::is_whitespace) || !seen.insert(id) {
                self.add(format!("the id `{id}` is there twice, or is none"));
            }
        }
    }

    fn references(&mut self) {
        let ids: HashSet<_> = self
            .all("[id]")
            .iter()
            .filter_map(|it| it.attr("id"))
            .collect();
        for attribute in [
            "for",
            "form",
            "aria-describedby",
            "aria-labelledby",
            "aria-controls",
            "data-copy",
            "data-live",
            "href",
        ] {
            for element in self.all(&format!("[{attribute}]")) {
                let value = element.attr(attribute).unwrap();
                let value = match (attribute, value.strip_prefix('#')) {
                    ("href", Some(id)) => id,
                    ("href", None) => continue,
                    _ => value,
                };
                for id in value.split_whitespace().filter(|it| !ids.contains(it)) {
                    self.add(format!("{attribute}=`{id}` leads nowhere"));
                }
            }
        }
        for element in self.all("[data-refresh]") {
            if element.attr("id").is_none() || element.attr("data-src").is_none() {
                self.add("what renews itself needs an id and a source");
            }
        }
    }

    fn labels(&mut self) {
        let labeled: HashSet<_> = self
            .all("label[for]")
            .iter()
            .filter(|it| !text(**it).is_empty())
            .filter_map(|it| it.attr("for"))
            .collect();
        for control in self.all("input:not([type=hidden]), select, textarea") {
            let by_id = control.attr("id").is_some_and(|it| labeled.contains(it));
            if !by_id && control.attr("aria-label").is_none_or(str::is_empty) {
                self.add(format!("`{}` has no label", control.html()));
            }
            if control.attr("name").is_none() {
                self.add(format!("`{}` has no name", control.html()));
            }
            let Some("true") = control.attr("aria-invalid") else {
                continue;
            };
            let of_group = control.attr("type") == Some("radio");
            let described = control.attr("aria-describedby").unwrap_or_default();
            if !of_group && !described.split(' ').any(|it| it.ends_with("-error")) {
                self.add(format!("`{}` does not say what is wrong", control.html()));
            }
        }
        for image in self.all("img:not([alt]), svg:not([aria-hidden]):not([role])") {
            self.add(format!("`{}` says nothing", image.html()));
        }
        for fieldset in self.all("fieldset") {
            if fieldset.select(&Selector::parse("legend").unwrap()).count() != 1 {
                self.add("a group of fields has no legend");
            }
        }
    }

    fn headings(&mut self) {
        let mut before = 0;
        for heading in self.all("main h1, main h2, main h3, main h4") {
            let level = heading.value().name()[1..].parse::<u8>().unwrap();
            if before > 0 && level > before + 1 {
                self.add(format!("h{level} follows h{before}"));
            }
            if text(heading).is_empty() {
                self.add("an empty heading");
            }
            before = level;
        }
    }

    fn forms(&mut self) {
        for form in self.all("form") {
            let method = form.attr("method").unwrap_or_default();
            let action = form.attr("action").unwrap_or_default();
            if !matches!(method, "get" | "post") || !action.starts_with('/') {
                self.add(format!("a form goes by `{method}` to `{action}`"));
            }
            let inside = |selector| form.select(&Selector::parse(selector).unwrap()).count();
            // The setup has its own code, which is used up.
            if method == "post" && action != "/setup" && inside("input[name=_key]") != 1 {
                self.add(format!("the form to `{action}` has no key"));
            }
            if method == "get" && inside("input[type=password]") > 0 {
                self.add(format!("a secret would stand in the address of `{action}`"));
            }
        }
        for secret in self.all("input[type=password][value]") {
            self.add(format!("`{}` shows a secret", secret.html()));
        }
    }

    fn tables(&mut self) {
        for head in self.all("th:not([scope])") {
            self.add(format!("`{}` has no scope", text(head)));
        }
        for table in self.all("table") {
            if table.select(&Selector::parse("caption").unwrap()).count() != 1 {
                self.add("a table has no caption");
            }
        }
    }
}
