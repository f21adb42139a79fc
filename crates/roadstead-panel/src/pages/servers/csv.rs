//! The list of servers as a file.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::Bytes;
use futures::stream;
use roadstead_service::{Instance, PageRequest, ReadInstances};

use super::list::{filter, main_address, order};
use crate::failure::{Answer, Failure};
use crate::visitor::Member;

const HEAD: &str = "id,label,status,provider_type,plan,region,image,vcpus,memory_mib,disk_gib,\
    address,monthly,hourly,currency,created_at\r\n";

/// How many servers are read at a time.
const PAGE: u32 = 200;

/// Sends every server that the filters leave, page after page: the list is never in memory as a
/// whole. A failure half-way breaks the download off, so that nobody takes a part for the whole.
pub(super) async fn download(member: Member<ReadInstances>) -> Answer {
    let query = member.query()?;
    let (filter, order) = (filter(&query), order(&query));
    let first = PageRequest {
        cursor: None,
        limit: PAGE,
    };
    let state = (member, Some(first), HEAD.to_owned());
    let pages = stream::try_unfold(state, move |(member, page, mut text)| {
        let filter = filter.clone();
        async move {
            let Some(page) = page else {
                return Ok::<_, Failure>(None);
            };
            let servers = member
                .platform
                .servers(&member.grant, &filter, order, &page)
                .await?;
            text.extend(servers.items.iter().map(line));
            let next = servers.next.map(|cursor| PageRequest {
                cursor: Some(cursor),
                limit: PAGE,
            });
            Ok(Some((Bytes::from(text), (member, next, String::new()))))
        }
    });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"servers.csv\""))
        .streaming(Box::pin(pages)))
}

fn line(server: &Instance) -> String {
    let it = &server.specification;
    let price = server.price.as_ref();
    let monthly = price.and_then(|it| it.monthly.as_ref());
    let hourly = price.and_then(|it| it.hourly.as_ref());
    let currency = monthly.or(hourly).map(|it| it.currency.as_str());
    let cells = [
        server.id.to_string(),
        server.label.clone(),
        server.public_status().to_owned(),
        server.kind.to_string(),
        it.plan.to_string(),
        it.region.to_string(),
        it.image.to_string(),
        it.vcpus.to_string(),
        it.memory.0.to_string(),
        it.disk
            .map(|it| it.whole_gib().to_string())
            .unwrap_or_default(),
        main_address(server)
            .map(|it| it.ip.to_string())
            .unwrap_or_default(),
        monthly.map(|it| it.amount.to_string()).unwrap_or_default(),
        hourly.map(|it| it.amount.to_string()).unwrap_or_default(),
        currency.unwrap_or_default().to_owned(),
        server.created_at.to_string(),
    ];
    let cells: Vec<_> = cells.iter().map(|it| cell(it)).collect();
    format!("{}\r\n", cells.join(","))
}

/// Spells a cell. Spreadsheets run what begins as a formula, so that such a text gets an
/// apostrophe before it.
pub(in crate::pages) fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if formula { "'" } else { "" };
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        format!("{guard}{text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_breaks_the_table_or_runs() {
        for (text, spelled) in [
            ("web-1", "web-1"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("+1", "'+1"),
            ("@sum", "'@sum"),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(cell(text), spelled);
        }
    }
}
