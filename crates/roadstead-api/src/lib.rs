#![doc = include_str!("../README.md")]

mod allowed;
mod body;
mod error;
pub mod request;
mod routes;
mod view;

use std::sync::Arc;

use actix_web::web;
use roadstead_service::Platform;

pub use crate::error::{ApiError, ErrorCode, error_table};

/// Mounts every route.
pub fn configure(platform: Arc<Platform>) -> impl Fn(&mut web::ServiceConfig) + Clone {
    move |config| {
        config
            .app_data(web::Data::from(Arc::clone(&platform)))
            .app_data(web::QueryConfig::default().error_handler(|error, _| {
                let message = error.to_string();
                let field = error::quoted(&message).map(str::to_owned);
                let sentence = message.trim_start_matches("Query deserialize error: ");
                let sentence = format!("the query is wrong: {sentence}");
                ApiError::validation(field.unwrap_or_else(|| "query".to_owned()), sentence).into()
            }))
            .configure(routes::mount)
            .default_service(web::to(|| async { Err::<&str, _>(ApiError::no_route()) }));
    }
}
