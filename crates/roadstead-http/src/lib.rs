#![doc = include_str!("../README.md")]

mod authorize;
mod budget;
mod client;
mod clock;
mod config;
mod pace;
mod rate;
mod redact;
mod refusal;
mod request;
mod response;

pub use reqwest::{Method, Url, header};

pub use crate::authorize::{Authorize, Bearer, Outgoing};
pub use crate::budget::{BucketRule, Budgets, Counting, Hears, RateTable};
pub use crate::client::Client;
pub use crate::clock::TokioClock;
pub use crate::config::{HttpConfig, RetryAfter, check_base_url};
pub use crate::rate::RateHeaders;
pub use crate::redact::{Redactor, VendorWords};
pub use crate::refusal::{Classify, Refusal};
pub use crate::request::Request;
pub use crate::response::Response;
